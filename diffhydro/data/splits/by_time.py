"""Splits that test at times unseen.

A `gap` keeps days between both sides: no date of the training is within so many days of the test,
before it or after it. A training that looks back over a warm-up of at most `gap` days therefore
never sees a date of the test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from diffhydro.data.places import Places
from diffhydro.data.splits.fold import Fold, Part, times_of
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class ByTimeBlocks:
    """Test in each of `k` equal spans of time in turn: every date is tested exactly once."""

    k: int = 5
    gap: int = 0

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give k folds, named after their first and last date."""
        places = Places.of(sites)
        dates = times_of(places)
        days = np.unique(dates)
        if not 2 <= self.k <= len(days):
            raise InputError(f"{self.k} blocks of {len(days)} days; k is at least 2, at most these")
        for block in np.array_split(days, self.k):
            test = (dates >= block[0]) & (dates <= block[-1])
            yield _fold(f"{block[0]}/{block[-1]}", places, clear_of(dates, test, self.gap), test)


@dataclass(frozen=True)
class ByPeriod:
    """Learn in one span of time and test in another, such as the years after it.

    Args:
        train: First and last date, both included; the others likewise.
    """

    train: tuple[str, str]
    test: tuple[str, str]
    validation: tuple[str, str] | None = None
    gap: int = 0

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give the one fold, named after the dates of its test."""
        places = Places.of(sites)
        dates = times_of(places)
        test = _between(dates, self.test)
        train = _between(dates, self.train)
        validation = None if self.validation is None else _between(dates, self.validation)
        for one, other in ((train, test), (train, validation), (validation, test)):
            if one is not None and other is not None and (one & other).any():
                raise InputError(f"the date {dates[one & other][0]} lies in two of the periods")
        if validation is not None:
            validation &= clear_of(dates, test, self.gap)
            train &= clear_of(dates, validation, self.gap)
        train &= clear_of(dates, test, self.gap)
        yield _fold("/".join(self.test), places, train, test, validation)


def clear_of(dates: np.ndarray, test: np.ndarray, gap: int) -> np.ndarray:
    """Tell which dates are more than `gap` days from all dates of the test.

    >>> dates = np.datetime64("2020-01-01") + np.arange(6)
    >>> clear_of(dates, dates == np.datetime64("2020-01-03"), 1).tolist()
    [True, False, False, False, True, True]
    """
    tested = np.unique(dates[test]).astype(int)
    if len(tested) == 0:
        return np.ones(len(dates), bool)
    days = dates.astype(int)
    after = np.searchsorted(tested, days)
    next_one = tested[np.minimum(after, len(tested) - 1)]
    last_one = tested[np.maximum(after - 1, 0)]
    return np.minimum(np.abs(days - next_one), np.abs(days - last_one)) > gap


def _between(dates: np.ndarray, period: tuple[str, str]) -> np.ndarray:
    first, last = (np.datetime64(date, "D") for date in period)
    if last < first:
        raise InputError(f"the period from {first} to {last} ends before it begins")
    return (dates >= first) & (dates <= last)


def _fold(
    name: str,
    places: Places,
    train: np.ndarray,
    test: np.ndarray,
    validation: np.ndarray | None = None,
) -> Fold:
    every = np.arange(len(places))

    def part(times: np.ndarray) -> Part:
        return Part.make(places, every, times)

    return Fold(name, part(train), part(test), None if validation is None else part(validation))
