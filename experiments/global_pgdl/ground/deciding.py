"""Which sites decide on settings: none that is tested, and no twin of one.

With one site left out at a time every site that is used is tested once. Sites that were thinned
away are not, and decide where a region has some to spare; elsewhere a share of its sites is set
apart for good. Those are in training folds all the same: their labels are known to the settings as
those of a training site are.
"""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.places import Places as Spots
from diffhydro.data.splits.twins import TWINS
from experiments.global_pgdl.ground.regions import Found
from experiments.global_pgdl.preset import Preset, Tuning

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Deciding:
    """Rows of stations.

    Args:
        spare: Those that were thinned away.
        apart: Those that are used, and not tested.
    """

    spare: np.ndarray
    apart: np.ndarray


NOBODY = Deciding(np.zeros(0, int), np.zeros(0, int))


def deciding(spots: Spots, labels: np.ndarray, used: np.ndarray, how: Tuning) -> Deciding:
    """Choose by region.

    Args:
        spots: All stations that passed the screening.
        labels: The region of each.
        used: Rows of those that are left after thinning.
    """
    group = TWINS.groups(spots)
    spare, apart = [], []
    for region in np.unique(labels[used]):
        thinned = np.setdiff1d(np.flatnonzero(labels == region), used)
        free = thinned[~np.isin(group[thinned], group[used])]
        if len(free) >= how.least:
            spare.append(free)
        else:
            apart.append(_apart(used, labels[used] == region, group[used], int(region), how))
    return Deciding(*(np.sort(np.concatenate([*x, NOBODY.spare])) for x in (spare, apart)))


def _apart(
    used: np.ndarray, is_here: np.ndarray, group: np.ndarray, region: int, how: Tuning
) -> np.ndarray:
    """Draw sites of a region, twins together, and leave one place or more to test."""
    places = np.setdiff1d(group[is_here], group[~is_here])  # no twins in other regions
    order = np.random.default_rng([how.seed, region]).permutation(places)
    if len(np.unique(group[is_here])) == len(order):
        order = order[:-1]
    wanted = ceil(how.share * is_here.sum())
    sizes = np.cumsum([(group == one).sum() for one in order])
    return used[np.isin(group, order[: int(np.searchsorted(sizes, wanted)) + 1])]


def who_decides(kept: "xr.Dataset", found: Found, preset: Preset) -> Deciding:
    """Choose the sites that decide; none where nothing is searched.

    Args:
        kept: All stations that passed the screening.
    """
    if preset.tuning is None:
        return NOBODY
    names = tuple(kept["site"].values.astype(str))
    spots = Spots(names, kept["latitude"].values, kept["longitude"].values)
    return deciding(spots, found.regions.site_labels, found.kept, preset.tuning)
