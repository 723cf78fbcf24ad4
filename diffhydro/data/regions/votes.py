"""How many clusters: silhouettes of many starts for every count, and rules that choose from them.

`most_voted` is the rule of Xi & Zhuang (2026): each start votes for the count at which it has its
highest silhouette, and the count with most votes wins. `highest_within` is that of Khandelwal et
al. (2026): the highest silhouette among the starts whose clusters all have a size within bounds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from diffhydro.data.regions.kmeans import Search, Start, fits, nearest
from diffhydro.data.regions.silhouette import mean_silhouettes, sample_rows
from diffhydro.errors import InputError

BATCH = 32  # starts whose silhouettes share a pass over the distances
COUNTS = tuple(range(2, 21))
WORST = -1.0  # the silhouette of a start that left a cluster empty


@dataclass(frozen=True, eq=False)
class Scan:
    """What starts led to, for every count of clusters.

    Args:
        counts: Of clusters.
        silhouette: `[start, count]`, mean over the places looked at.
        error: Standard error of each, 0 where all places were looked at. The same places serve all
            starts and counts, so differences are surer than that.
        smallest: `[start, count]`, sites in the smallest cluster (places, if there are no sites).
        largest: Likewise.
    """

    counts: tuple[int, ...]
    silhouette: np.ndarray
    error: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray

    @property
    def votes(self) -> np.ndarray:
        """Count the starts that have their highest silhouette at each count."""
        return np.bincount(self.silhouette.argmax(axis=1), minlength=len(self.counts))


Rule = Callable[[Scan], int]


def most_voted(scan: Scan) -> int:
    """Choose the count with most votes, the smaller of equals."""
    return scan.counts[int(scan.votes.argmax())]


def highest_within(least: int, most: int) -> Rule:
    """Make the rule that takes the highest silhouette of clusters of `least` to `most` sites."""
    return partial(_highest, least=least, most=most)


def _highest(scan: Scan, least: int, most: int) -> int:
    fitting = (scan.smallest >= max(least, 1)) & (scan.largest <= most)
    if not fitting.any():
        raise InputError(
            f"of {scan.silhouette.size} starts with {scan.counts[0]} to {scan.counts[-1]} clusters "
            f"none has {least} to {most} sites in every cluster; the smallest cluster had at best "
            f"{scan.smallest.max()}, the largest {scan.largest.min()}"
        )
    best = np.where(fitting, scan.silhouette, -np.inf).max(axis=0)
    return scan.counts[int(best.argmax())]


@dataclass(frozen=True)
class Choose:
    """A rule for the number of clusters, and what it looks at."""

    rule: Rule = most_voted
    counts: Sequence[int] = COUNTS
    starts: int = 300

    def __post_init__(self) -> None:
        if not self.counts or self.starts < 1:
            raise InputError(f"counts {list(self.counts)}, {self.starts} starts: nothing to try")


def scan_counts(
    points: np.ndarray, sites: np.ndarray | None, choose: Choose, search: Search
) -> Scan:
    """Fit every start for every count, and judge it by the silhouettes of a sample of places.

    Args:
        points: Standardised, `[place, feature]`.
        sites: Standardised likewise; what sizes count. None counts the places.
    """
    counts = tuple(sorted({*choose.counts}))
    rows = sample_rows(len(points), search.sample, search.seed)
    shape = (choose.starts, len(counts))
    value, error = np.full(shape, WORST), np.zeros(shape)
    sizes = np.zeros((2, *shape), np.int64)
    done = 0
    for column, k in enumerate(counts):
        for batch in fits(points, k, range(choose.starts), search, BATCH):
            at = [start.number for start in batch]
            value[at, column], error[at, column] = judge(points, batch, rows)
            for start in batch:
                found = site_counts(start, sites)
                sizes[:, start.number, column] = found.min(), found.max()
            done += len(batch)
            search.report("counting clusters", done, value.size)
    return Scan(counts, value, error, *sizes)


def judge(
    points: np.ndarray, batch: Sequence[Start], rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give mean silhouettes and their errors; the worst there is where a cluster is empty."""
    whole = [i for i, start in enumerate(batch) if start.is_whole]
    value, error = np.full(len(batch), WORST), np.zeros(len(batch))
    if whole:
        labelings = np.stack([batch[i].labels for i in whole])
        value[whole], error[whole] = mean_silhouettes(points, labelings, rows)
    return value, error


def site_counts(start: Start, sites: np.ndarray | None) -> np.ndarray:
    """Count the sites in every cluster; without sites, the places."""
    labels = start.labels if sites is None else nearest(sites, start.centres)
    return np.bincount(labels, minlength=len(start.centres))
