"""Steps 8 to 10: scores where nothing was learned, water, gradients, and the globe."""
