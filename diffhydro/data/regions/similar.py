"""Sites whose series are alike: how far apart two series are, and a set of mutually near ones.

d = 0.4 (1 − r) + 0.3 |Δ mean| + 0.3 |Δ standard deviation|, the differences divided by the largest
of all pairs, so that they lie in 0 … 1 (Xi & Zhuang 2026).
"""

import numpy as np

from diffhydro.data.regions.statistics import OVERLAP, correlations, moments
from diffhydro.errors import InputError

_OF_CORRELATION, _OF_MEAN, _OF_DEVIATION = 0.4, 0.3, 0.3


def dissimilarity(series: np.ndarray, least: int = OVERLAP) -> np.ndarray:
    """Give d of all pairs of series `[site, time]`; infinite where they have no correlation."""
    series = np.asarray(series, np.float64)
    mean, deviation = (_scaled_differences(x) for x in moments(series))
    r = correlations(series, least)
    found = _OF_CORRELATION * (1.0 - r) + _OF_MEAN * mean + _OF_DEVIATION * deviation
    found = np.where(np.isfinite(found), found, np.inf)
    np.fill_diagonal(found, 0.0)
    return found


def _scaled_differences(values: np.ndarray) -> np.ndarray:
    apart = np.abs(values[:, None] - values[None, :])
    largest = np.nanmax(apart) if np.isfinite(apart).any() else 0.0
    return apart / (largest if largest > 0.0 else 1.0)


def similar_set(distance: np.ndarray, size: int = 15, seeds: int = 10, seed: int = 0) -> np.ndarray:
    """Build a set of mutually near sites greedily, and give it in the order of joining.

    Begins at a site drawn by chance and adds the site with the least mean distance to those in the
    set; of `seeds` such sets the one with the least mean distance between its sites is taken.
    """
    sites = len(distance)
    if not 2 <= size <= sites:
        raise InputError(f"a set of {size} of {sites} sites; expected 2 to {sites}")
    firsts = np.random.default_rng((seed, sites)).permutation(sites)[:seeds]
    found = [_grown(distance, int(first), size) for first in firsts]
    spreads = [distance[np.ix_(members, members)].sum() for members in found]
    best = int(np.argmin(spreads))
    if not np.isfinite(spreads[best]):
        raise InputError(
            f"no {size} sites found whose series overlap enough, from {len(firsts)} first sites; "
            "take a smaller set, a smaller overlap, or more seeds"
        )
    return found[best]


def _grown(distance: np.ndarray, first: int, size: int) -> np.ndarray:
    members, total = [first], distance[first]
    while len(members) < size:
        others = np.setdiff1d(np.arange(len(distance)), members)
        members.append(int(others[total[others].argmin()]))
        total = total + distance[members[-1]]
    return np.array(members)
