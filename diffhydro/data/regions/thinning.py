"""Thinning: of a cluster with very many sites, a few that stand for all.

The sites are clustered once more by their own features, into as many groups as are wanted, and in
each the site nearest the centre is kept (Xi & Zhuang 2026: 268 sites become 40).
"""

import numpy as np

from diffhydro.data.regions.features import Features
from diffhydro.data.regions.kmeans import Lloyd, Search, fits
from diffhydro.data.regions.regions import Regions
from diffhydro.errors import InputError

_STARTS = 10


def thin(regions: Regions, sites: Features, most: int, *, seed: int = 0) -> np.ndarray:
    """Choose the sites to keep, as increasing rows: all of clusters with up to `most` sites.

    Args:
        sites: Features of the sites that `regions` has labels for, in its order.
    """
    if tuple(sites.name_of(i) for i in range(len(sites))) != regions.sites:
        raise InputError(
            f"features of {len(sites)} sites; expected those of the {len(regions.sites)} sites of "
            "the regions, in their order"
        )
    points = regions.standardised(sites)
    kept = []
    for number in range(len(regions)):
        rows = np.flatnonzero(regions.site_labels == number)
        kept.append(rows[representatives(points[rows], most, seed=seed)])
    return np.sort(np.concatenate(kept))


def representatives(points: np.ndarray, most: int, *, seed: int = 0) -> np.ndarray:
    """Choose rows of standardised `points` that stand for all, each nearest the centre of a group.

    All rows if there are no more than that; fewer than `most` if fewer rows are distinct.
    """
    if most < 1:
        raise InputError(f"{most} representatives; at least one is needed")
    if len(points) <= most:
        return np.arange(len(points))
    groups = min(most, len(np.unique(points, axis=0)))
    if groups == 1:
        return np.array([_inertia(points, points.mean(axis=0)).argmin()])
    search = Search(method=Lloyd(), seed=seed)
    (starts,) = fits(points, groups, range(_STARTS), search, _STARTS)
    best = min(starts, key=lambda s: _inertia(points, s.centres[s.labels]).sum())
    chosen = []
    for group in np.unique(best.labels):
        rows = np.flatnonzero(best.labels == group)
        chosen.append(rows[_inertia(points[rows], best.centres[group]).argmin()])
    return np.sort(np.array(chosen))


def _inertia(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return ((points - centres) ** 2).sum(axis=1)
