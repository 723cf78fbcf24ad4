"""Step 2: who learns from whom. Twins are left out together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.splits import KFoldBySite, LeaveOneSiteOut

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Member:
    """A fold, and the seed of its network.

    Args:
        train: Rows of the sites it learns from.
        test: Rows it is tested at; none where it learns from all.
        fold: Its number.
    """

    train: np.ndarray
    test: np.ndarray
    fold: int
    seed: int = 0


def members(places: "xr.Dataset", folds: int | None) -> tuple[Member, ...]:
    """Make one member for each fold, and a last one that learns from all sites."""
    split = LeaveOneSiteOut() if folds is None else KFoldBySite(folds)
    made = [
        Member(np.asarray(one.train.sites), np.asarray(one.test.sites), number)
        for number, one in enumerate(split.of(places))
    ]
    every = np.arange(places.sizes["site"])
    return (*made, Member(every, every[:0], len(made)))
