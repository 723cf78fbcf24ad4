"""Köppen–Geiger climates: their codes, and the class of monthly normals.

(Peel, Finlayson & McMahon 2007, table 1; codes in the order of Beck et al. 2023.)
"""

import numpy as np

# Code 1 … 30.
CLASSES = (
    "Af", "Am", "Aw", "BWh", "BWk", "BSh", "BSk", "Csa", "Csb", "Csc", "Cwa", "Cwb", "Cwc", "Cfa",
    "Cfb", "Cfc", "Dsa", "Dsb", "Dsc", "Dsd", "Dwa", "Dwb", "Dwc", "Dwd", "Dfa", "Dfb", "Dfc",
    "Dfd", "ET", "EF",
)  # fmt: skip
_MONTHS = 12


def classify(temperature: np.ndarray, rain: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Give the code, 1 to 30, of every place.

    Args:
        temperature: °C `[place, month]`, January first.
        rain: mm a month `[place, month]`.
    """
    summer = _summer(latitude)
    mean, cold, hot = temperature.mean(1), temperature.min(1), temperature.max(1)
    total = rain.sum(1)
    in_summer = np.where(summer, rain, 0.0).sum(1)
    threshold = 20.0 * mean + np.select(
        [in_summer >= 0.7 * total, in_summer <= 0.3 * total], [280.0, 0.0], 140.0
    )
    letters = np.where(total < 0.5 * threshold, "BW", "BS").astype("U3")
    letters = np.char.add(letters, np.where(mean >= 18.0, "h", "k"))
    tropical = _tropical(rain, total)
    temperate = np.char.add(np.where(cold > 0.0, "C", "D"), _dry_season(rain, summer))
    temperate = np.char.add(temperate, _warmth(temperature, cold, hot))
    polar = np.where(hot > 0.0, "ET", "EF")
    name = np.select(
        [hot <= 10.0, total < threshold, cold >= 18.0], [polar, letters, tropical], temperate
    )
    return np.array([CLASSES.index(str(n)) + 1 for n in name], np.uint8)


def _summer(latitude: np.ndarray) -> np.ndarray:
    """Tell the warm half of the year, April to September in the north, `[place, month]`."""
    months = np.arange(_MONTHS)
    north = (months >= 3) & (months <= 8)
    return np.where(latitude[:, None] >= 0, north, ~north)


def _tropical(rain: np.ndarray, total: np.ndarray) -> np.ndarray:
    driest = rain.min(1)
    return np.select([driest >= 60.0, driest >= 100.0 - total / 25.0], ["Af", "Am"], "Aw")


def _dry_season(rain: np.ndarray, summer: np.ndarray) -> np.ndarray:
    dry_summer = np.where(summer, rain, np.inf).min(1)
    wet_summer = np.where(summer, rain, -np.inf).max(1)
    dry_winter = np.where(summer, np.inf, rain).min(1)
    wet_winter = np.where(summer, -np.inf, rain).max(1)
    is_s = (dry_summer < 40.0) & (dry_summer < wet_winter / 3.0)
    is_w = dry_winter < wet_summer / 10.0
    return np.select([is_s & ~(is_w & (wet_summer > wet_winter)), is_w], ["s", "w"], "f")


def _warmth(temperature: np.ndarray, cold: np.ndarray, hot: np.ndarray) -> np.ndarray:
    mild = (temperature > 10.0).sum(1)
    severe = cold < -38.0
    return np.select([hot >= 22.0, mild >= 4, severe], ["a", "b", "d"], "c")
