"""Steps 1 to 3: the places, which of them are good enough, their regions, who learns from whom."""
