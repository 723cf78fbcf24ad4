"""Splits in space and in time at once, and splits with sites set aside to choose by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from diffhydro.data.places import Places
from diffhydro.data.splits.fold import AbstractSplit, Fold, Part
from diffhydro.data.splits.twins import TWINS, Twins
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class SpaceByTime:
    """Test at places unseen in times unseen: every fold in space with every fold in time.

    Sites of the test in the times of the training belong to no part, nor do sites of the training
    in the times of the test.
    """

    space: AbstractSplit
    time: AbstractSplit

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give the folds, those of one part of space after each other."""
        places = Places.of(sites)
        for here in self.space.of(places):
            for now in self.time.of(places):
                validation = None
                if here.validation is not None or now.validation is not None:
                    validation = _cross(here.validation or here.train, now.validation or now.train)
                yield Fold(
                    f"{here.name}, {now.name}",
                    _cross(here.train, now.train),
                    _cross(here.test, now.test),
                    validation,
                )


@dataclass(frozen=True)
class WithValidation:
    """Set a share of the training sites aside to choose by, twins together.

    Args:
        share: Of the sites of the training.
    """

    split: AbstractSplit
    share: float = 0.1
    seed: int = 0
    twins: Twins = TWINS

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give the folds of the split, each with a validation."""
        places = Places.of(sites)
        groups = self.twins.groups(places)
        for number, fold in enumerate(self.split.of(places)):
            if fold.validation is not None:
                raise InputError(f"fold {fold.name} has a validation already")
            rng = np.random.default_rng([self.seed, number])
            mine = groups[fold.train.sites]
            order = rng.permutation(np.unique(mine))
            held = np.cumsum([np.count_nonzero(mine == group) for group in order])
            enough = int(np.searchsorted(held, self.share * len(mine))) + 1
            if not 0.0 < self.share < 1.0 or enough >= len(order):
                raise InputError(
                    f"fold {fold.name} has {len(order)} places to learn from; a share of "
                    f"{self.share} leaves none, or sets none aside"
                )
            aside = np.isin(mine, order[:enough])
            yield Fold(
                fold.name,
                Part.make(places, fold.train.sites[~aside], fold.train.times),
                fold.test,
                Part.make(places, fold.train.sites[aside], fold.train.times),
            )


def _cross(space: Part, time: Part) -> Part:
    return Part(space.names, space.sites, time.times)
