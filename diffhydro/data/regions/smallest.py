"""How few sites a cluster may have: skill at a site left out, against the number of sites.

After Xi & Zhuang (2026) the sites are mutually similar ones, so that the curve shows what more
sites bring and not what other climates cost. Every site of the set is left out in turn at every
number n, and n − 1 others, drawn by chance some times over, are trained on: that way the same sites
are predicted at every n, and only the number changes.

The curve flattens at the smallest n that has all but a tenth of what can be gained between the
first n and the best. It is read from the non-decreasing curve nearest to what was found, since
more sites do not hurt but draws scatter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from diffhydro.data.regions.kmeans import Progress
from diffhydro.data.regions.similar import dissimilarity, similar_set
from diffhydro.data.regions.statistics import OVERLAP
from diffhydro.errors import InputError

# Skill at the site left out of a model trained on the sites given, all as rows; more is better.
Skill = Callable[[np.ndarray, int], float]
SIZES = tuple(range(3, 16))
SHARE_LEFT = 0.1


@dataclass(frozen=True, eq=False)
class Fewest:
    """How skill grows with the number of sites.

    Args:
        members: Rows of the similar sites.
        sizes: Numbers of sites n, of which one is left out.
        skill: Mean at each n, over the sites left out and the draws.
        error: Its standard error over the sites left out.
        chosen: Where the curve flattens.
    """

    members: np.ndarray
    sizes: tuple[int, ...]
    skill: np.ndarray
    error: np.ndarray
    chosen: int


def fewest_sites(
    series: np.ndarray,
    skill: Skill | None = None,
    *,
    sizes: Sequence[int] = SIZES,
    draws: int = 10,
    seeds: int = 10,
    least: int = OVERLAP,
    seed: int = 0,
    progress: Progress | None = None,
) -> Fewest:
    """Find how many sites a cluster needs, from series `[site, time]` with gaps.

    Args:
        skill: Trains and scores; `mean_of_others` if None.
        draws: Of training sites for each site left out; one where training is dear.
        seeds: First sites from which similar sets are tried.
        least: Days that two series must share to be compared.
    """
    sizes = tuple(sizes)
    if not sizes or min(sizes) < 2 or list(sizes) != sorted(set(sizes)) or draws < 1:
        raise InputError(f"sizes {sizes}, {draws} draws; expected increasing numbers from 2")
    series = np.asarray(series, np.float64)
    members = similar_set(dissimilarity(series, least), sizes[-1], seeds, seed)
    skill = skill or mean_of_others(series)
    found = np.empty((len(sizes), len(members)))
    for row, size in enumerate(sizes):
        for column, left_out in enumerate(members):
            trials = _drawn(members, column, size - 1, draws, seed)
            found[row, column] = np.mean([skill(train, int(left_out)) for train in trials])
            if progress is not None:
                progress("leaving sites out", row * len(members) + column + 1, found.size)
    if not np.isfinite(found).all():
        raise InputError("a skill is not a number; sites of the set must share days to be scored")
    mean = found.mean(axis=1)
    error = found.std(axis=1, ddof=1) / np.sqrt(len(members))
    return Fewest(members, sizes, mean, error, flattens(sizes, mean))


def _drawn(members: np.ndarray, column: int, count: int, draws: int, seed: int) -> list[np.ndarray]:
    """Draw training sites; a draw of more sites contains the same draw of fewer."""
    others = np.delete(members, column)
    if count == len(others):
        return [others]
    orders = [np.random.default_rng((seed, column, i)).permutation(others) for i in range(draws)]
    return [order[:count] for order in orders]


def flattens(sizes: Sequence[int], skill: np.ndarray, left: float = SHARE_LEFT) -> int:
    """Give the smallest size from which no more than a share `left` of the gain is to come.

    >>> flattens([3, 4, 5, 6], np.array([0.0, 0.8, 0.95, 1.0]))
    5
    """
    from sklearn.isotonic import isotonic_regression

    rising = np.asarray(isotonic_regression(np.asarray(skill, np.float64)))
    enough = rising >= rising[-1] - left * (rising[-1] - rising[0])
    return int(sizes[int(enough.argmax())])


def mean_of_others(series: np.ndarray) -> Skill:
    """Make the yardstick that needs no model: a site is taken to be the mean of the others.

    Its skill is minus the root mean square error, in the unit of the series.
    """
    known = np.isfinite(series)
    filled = np.where(known, series, 0.0)

    def skill(train: np.ndarray, left_out: int) -> float:
        count = known[train].sum(axis=0)
        both = known[left_out] & (count > 0)
        if not both.any():
            return float("nan")
        mean = filled[train].sum(axis=0)[both] / count[both]
        return -float(np.sqrt(np.mean((mean - series[left_out, both]) ** 2)))

    return skill
