"""Ranges that hold a number, or a series, with a stated probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from diffhydro.errors import InputError

LEVELS = (0.5, 0.9, 0.95)
CURVE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # for a curve of reliability


class Interval(NamedTuple):
    """From low to high, of any shape."""

    low: np.ndarray
    high: np.ndarray

    @property
    def width(self) -> np.ndarray:
        """How far the ends are apart."""
        return self.high - self.low

    def holds(self, value: np.ndarray) -> np.ndarray:
        """Tell where a value lies inside; nowhere where it is NaN."""
        return (value >= self.low) & (value <= self.high)


@dataclass(frozen=True, eq=False)
class Bands:
    """What a series may be.

    Attributes:
        levels: Probabilities of the bands.
        centre: `[site, time]`, the median, or the series at the mode where bands are linearised.
        model: Of the true series, as far as the model can tell, `[level, site, time]`.
        observed: Of a measurement of it, errors included, `[level, site, time]`.
    """

    levels: tuple[float, ...]
    centre: np.ndarray
    model: Interval
    observed: Interval

    def level(self, level: float) -> int:
        """Return which band has this probability."""
        found = np.flatnonzero(np.isclose(self.levels, level))
        if not len(found):
            raise InputError(f"there is no band of {level:g}; there are {_listed(self.levels)}")
        return int(found[0])


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Return levels that can be probabilities of a band."""
    levels = tuple(float(x) for x in levels)
    if not levels or not all(0.0 < x < 1.0 for x in levels):
        raise InputError(
            f"levels are {_listed(levels) or 'none'}; give probabilities between 0 and 1"
        )
    return levels


def deviations(level: float) -> float:
    """Return how many standard deviations hold a normal number with this probability."""
    return NormalDist().inv_cdf(0.5 + 0.5 * check_levels([level])[0])


def _listed(levels: Sequence[float]) -> str:
    return ", ".join(f"{x:g}" for x in levels)
