"""What a split gives: folds, of which no record is on two sides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Union

import numpy as np

from diffhydro.data.places import Places
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Part:
    """Sites and times of one side of a fold.

    Args:
        names: Of the sites.
        sites: Their indices among all sites, increasing.
        times: Of all times those that count; None for all of them.
    """

    names: tuple[str, ...]
    sites: np.ndarray
    times: np.ndarray | None = None

    @classmethod
    def make(cls, places: Places, sites: np.ndarray, times: np.ndarray | None = None) -> "Part":
        """Name sites that are given by their indices, or by a mask."""
        if sites.dtype == bool:
            sites = np.flatnonzero(sites)
        return cls(tuple(places.names[i] for i in sites), sites, times)

    def take(self, dataset: "xr.Dataset") -> "xr.Dataset":
        """Give the part of a data set that the split was made for.

        Times need not follow each other any more; windows through time are cut from all times, with
        this part as an argument (`data.batches`).
        """
        found = dataset.isel(site=self.sites)
        return found if self.times is None else found.isel(time=np.flatnonzero(self.times))

    def meets(self, other: "Part") -> bool:
        """Tell whether a record belongs to both."""
        if not np.isin(self.sites, other.sites).any():
            return False
        if self.times is None or other.times is None:
            return True
        return bool((self.times & other.times).any())

    @property
    def is_empty(self) -> bool:
        """Tell whether it has no record."""
        return len(self.sites) == 0 or (self.times is not None and not self.times.any())


@dataclass(frozen=True, eq=False)
class Fold:
    """What to learn from and what to be tested on.

    What is in no part, such as sites too near to those of the test, is left out.
    """

    name: str
    train: Part
    test: Part
    validation: Part | None = None

    def __post_init__(self):
        """Refuse a side that is empty, and a record on two sides."""
        parts = {"train": self.train, "test": self.test, "validation": self.validation}
        given = {side: part for side, part in parts.items() if part is not None}
        for side, part in given.items():
            if part.is_empty:
                raise InputError(
                    f"fold {self.name} has nothing to {side} with; a smaller buffer or gap leaves "
                    "more, or the split has too few sites or dates"
                )
        sides = list(given)
        for i, one in enumerate(sides):
            for other in sides[i + 1 :]:
                if given[one].meets(given[other]):
                    raise InputError(f"fold {self.name} has records in both {one} and {other}")


class AbstractSplit(Protocol):
    """Makes folds of sites; the same folds for the same sites."""

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give the folds."""
        ...


def times_of(places: Places) -> np.ndarray:
    """Give the dates of the times, or say that there are none to split."""
    if places.times is None or len(places.times) == 0:
        raise InputError("a split by time needs sites with times; these have none")
    return np.asarray(places.times).astype("datetime64[D]")
