"""Dates drawn at random within each season: train, validation and test see all of them.

As DeepSoil splits the dates of each source of labels: in each of DJF, MAM, JJA, SON 70 % to learn
from, 10 % to choose by, 20 % to be tested on, and no date on two sides (Khandelwal et al. 2026).
Dates beside each other are alike, so single dates flatter a model that remembers; `block` draws
spans of so many days instead, and `gap` keeps days between the sides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from diffhydro.data.places import Places
from diffhydro.data.splits.by_time import clear_of
from diffhydro.data.splits.fold import Fold, Part, times_of
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

SEASONS = ("DJF", "MAM", "JJA", "SON")


@dataclass(frozen=True)
class BySeason:
    """Split dates within each season.

    Args:
        shares: Of train, validation and test; a validation of 0 is none.
        block: Days in a row that stay together.
        gap: Days that are left out between test and the others, and validation and training.
    """

    shares: tuple[float, float, float] = (0.7, 0.1, 0.2)
    block: int = 1
    gap: int = 0
    seed: int = 0

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give the one fold."""
        places = Places.of(sites)
        dates = times_of(places)
        sides = self.sides(dates)
        test, validation = sides == 2, sides == 1
        validation &= clear_of(dates, test, self.gap)
        train = (sides == 0) & clear_of(dates, test | validation, self.gap)
        every = np.arange(len(places))
        yield Fold(
            "by season",
            Part.make(places, every, train),
            Part.make(places, every, test),
            Part.make(places, every, validation) if self.shares[1] > 0.0 else None,
        )

    def sides(self, dates: np.ndarray) -> np.ndarray:
        """Give 0 for train, 1 for validation and 2 for test to every date, gaps aside."""
        if min(self.shares) < 0.0 or abs(sum(self.shares) - 1.0) > 1e-9 or self.block < 1:
            raise InputError(
                f"shares {self.shares} in blocks of {self.block} days; shares add up to 1, and a "
                "block has a day or more"
            )
        days, of_day = np.unique(dates, return_inverse=True)
        blocks, season = _blocks(days, self.block)
        sides = np.zeros(len(season), int)
        for number, name in enumerate(SEASONS):
            mine = np.flatnonzero(season == number)
            if len(mine):
                sides[mine] = self._draw(
                    len(mine), np.random.default_rng([self.seed, number]), name
                )
        return sides[blocks][of_day]

    def _draw(self, number: int, rng: np.random.Generator, season: str) -> np.ndarray:
        edges = np.rint(np.cumsum((0.0, *self.shares)) * number).astype(int)
        counts = np.diff(edges)
        if any(
            share > 0.0 and count == 0 for share, count in zip(self.shares, counts, strict=True)
        ):
            raise InputError(
                f"{season} has {number} blocks of {self.block} days, too few to split "
                f"{self.shares}; use shorter blocks"
            )
        return rng.permutation(np.repeat(np.arange(3), counts))


def _blocks(days: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Number blocks of days in a row within a season; give the block of a day, and its season.

    A block is `length` days of the calendar, counted from the first of its season.
    """
    months = days.astype("datetime64[M]").astype(int)
    quarter = (months + 1) // 3  # December belongs to the winter of the next year
    starts = ((quarter * 3) - 1).astype("datetime64[M]").astype("datetime64[D]")
    within = (days - starts).astype(int) // length
    key = quarter * 1000 + within
    keys, block = np.unique(key, return_inverse=True)
    return block, (keys // 1000) % 4
