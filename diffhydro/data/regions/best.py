"""Which start: the one of highest silhouette among those that leave every cluster enough sites.

All starts are compared by the silhouettes of a sample of places, the best few then by those of all.
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.regions.kmeans import Search, Start, fits
from diffhydro.data.regions.silhouette import sample_rows
from diffhydro.data.regions.votes import BATCH, judge, site_counts
from diffhydro.errors import InputError

_FINALISTS = 5
_ALL = 60_000  # places: beyond, the finalists too are compared by a sample, of so many


@dataclass(frozen=True)
class Bounds:
    """How many sites a cluster may have (places, where there are no sites)."""

    least: int = 1
    most: int | None = None

    def hold(self, counts: np.ndarray) -> bool:
        """Tell whether every cluster keeps them."""
        return counts.min() >= self.least and (self.most is None or counts.max() <= self.most)


@dataclass(frozen=True, eq=False)
class Best:
    """A start, and its mean silhouette with the standard error."""

    start: Start
    silhouette: float
    error: float


def best_start(
    points: np.ndarray,
    sites: np.ndarray | None,
    k: int,
    starts: int,
    bounds: Bounds,
    search: Search,
) -> Best:
    """Fit `starts` times and take the best; the first of equals."""
    rows = sample_rows(len(points), search.sample, search.seed)
    leaders: list[Best] = []
    fullest, done = np.zeros(k, np.int64), 0
    for batch in fits(points, k, range(starts), search, BATCH):
        good = []
        for start in batch:
            counts = site_counts(start, sites)
            if start.is_whole and bounds.hold(counts):
                good.append(start)
            if counts.min() >= fullest.min():
                fullest = counts
        leaders = _first(leaders + _judged(points, good, rows))
        done += len(batch)
        search.report("choosing a start", done, starts)
    if not leaders:
        most = "" if bounds.most is None else f" and at most {bounds.most}"
        raise InputError(
            f"none of {starts} starts with {k} clusters has at least {bounds.least}{most} sites in "
            f"every cluster; nearest came {sorted(map(int, fullest))}. Take more starts, fewer "
            "clusters or other bounds"
        )
    if len(rows) < len(points):
        rows = sample_rows(len(points), _ALL, search.seed)
        leaders = _first(_judged(points, [leader.start for leader in leaders], rows))
    return leaders[0]


def _judged(points: np.ndarray, starts: list[Start], rows: np.ndarray) -> list[Best]:
    value, error = judge(points, starts, rows)
    found = zip(starts, value, error, strict=True)
    return [Best(start, float(v), float(e)) for start, v, e in found]


def _first(found: list[Best]) -> list[Best]:
    return sorted(found, key=lambda one: (-one.silhouette, one.start.number))[:_FINALISTS]
