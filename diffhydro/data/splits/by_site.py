"""Splits that test at places unseen. Twins move together, so each site is tested exactly once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from diffhydro.data.places import Places, is_near
from diffhydro.data.splits.fold import Fold, Part
from diffhydro.data.splits.twins import TWINS, Twins
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class LeaveOneSiteOut:
    """Test at each site in turn, together with its twins, and learn from all others.

    Args:
        buffer: Sites nearer than this to one of the test are left out, km.
    """

    buffer: float = 0.0
    twins: Twins = TWINS

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give one fold for each group of twins, named after its sites."""
        places = Places.of(sites)
        groups = self.twins.groups(places)
        for group in range(groups.max(initial=-1) + 1):
            test = groups == group
            name = "+".join(places.names[i] for i in np.flatnonzero(test))
            yield apart(name, places, test, self.buffer)


@dataclass(frozen=True)
class KFoldBySite:
    """Test at one of `k` random parts of the sites in turn, of nearly the same size.

    Args:
        buffer: Sites nearer than this to one of the test are left out, km.
    """

    k: int = 5
    buffer: float = 0.0
    seed: int = 0
    twins: Twins = TWINS

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give k folds."""
        places = Places.of(sites)
        groups = self.twins.groups(places)
        number = groups.max(initial=-1) + 1
        if not 2 <= self.k <= number:
            raise InputError(
                f"{self.k} folds of {len(places)} sites, which are {number} places once twins are "
                f"taken together; k lies between 2 and {number}"
            )
        fold = deal(np.bincount(groups), self.k, np.random.default_rng(self.seed))[groups]
        for i in range(self.k):
            yield apart(f"fold {i + 1} of {self.k}", places, fold == i, self.buffer)


def deal(sizes: np.ndarray, hands: int, rng: np.random.Generator) -> np.ndarray:
    """Deal groups at random, each to a hand that has least so far; give the hand of every group."""
    held, hand = np.zeros(hands, int), np.zeros(len(sizes), int)
    for group in rng.permutation(len(sizes)):
        hand[group] = np.argmin(held)
        held[hand[group]] += sizes[group]
    return hand


def apart(
    name: str, places: Places, test: np.ndarray, buffer: float, may_train: np.ndarray | bool = True
) -> Fold:
    """Make a fold that learns from what may be learned from, a buffer away from the test."""
    near = is_near(places, np.flatnonzero(test), buffer)
    return Fold(name, Part.make(places, ~test & ~near & may_train), Part.make(places, test))
