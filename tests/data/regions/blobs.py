"""Places in clouds that cannot be mistaken for each other."""

import numpy as np

from diffhydro.data.regions import Features

NAMES = ("precipitation", "temperature", "elevation")
MIDDLES = np.array([[1.0, 20.0, 200.0], [3.0, 5.0, 900.0], [6.0, 26.0, 100.0], [2.0, -8.0, 2500.0]])
SPREADS = np.array([0.1, 0.8, 30.0])


def clouds(sizes=(30, 25, 40, 15), seed=0):
    """Give features of places, and the cloud that each is of; along precipitation 0 3 1 2."""
    rng = np.random.default_rng(seed)
    own = np.repeat(np.arange(len(sizes)), sizes)
    values = MIDDLES[own] + SPREADS * rng.normal(size=(len(own), 3))
    order = rng.permutation(len(own))
    return Features(values[order], NAMES), own[order]


RANK = np.array([0, 2, 3, 1])  # of each cloud along precipitation
