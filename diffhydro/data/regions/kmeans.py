"""k-means from many starts: each start is its seed's alone, whoever computes it and in what order.

scikit-learn does the fitting, on one thread per start: more would only add numbers in another
order. Starts are dealt out to processes, because most of a mini-batch fit is interpreted Python,
which threads cannot share. (`n_init="auto"` is one k-means++ start.)
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from diffhydro.errors import InputError

Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


class Method(Protocol):
    """A kind of k-means: gives the centres `[cluster, feature]` that a seed leads to."""

    def centres(self, points: np.ndarray, k: int, seed: int) -> np.ndarray:
        """Fit once."""
        ...


@dataclass(frozen=True)
class MiniBatch:
    """Mini-batch k-means (Sculley 2010) from a k-means++ start.

    Args:
        size: Places in a batch.
        passes: At most so many over all places.
    """

    size: int = 1024
    passes: int = 100

    def centres(self, points: np.ndarray, k: int, seed: int) -> np.ndarray:
        """Fit once."""
        from sklearn.cluster import MiniBatchKMeans

        fit = MiniBatchKMeans(
            k, batch_size=self.size, max_iter=self.passes, n_init="auto", random_state=seed
        )
        return np.asarray(fit.fit(points).cluster_centers_)


@dataclass(frozen=True)
class Lloyd:
    """Lloyd's k-means from a k-means++ start (Arthur & Vassilvitskii 2007)."""

    passes: int = 300

    def centres(self, points: np.ndarray, k: int, seed: int) -> np.ndarray:
        """Fit once."""
        from sklearn.cluster import KMeans

        fit = KMeans(k, max_iter=self.passes, n_init="auto", random_state=seed)
        return np.asarray(fit.fit(points).cluster_centers_)


@dataclass(frozen=True)
class Search:
    """How starts are made and judged.

    Args:
        seed: Everything follows from it, whatever the number of workers.
        workers: Processes that fit.
        sample: Places whose silhouettes stand for all places while many starts are compared.
        progress: Called with what is being done, how much of it is done, and of how much.
    """

    method: Method = field(default_factory=Lloyd)
    seed: int = 0
    workers: int = 1
    sample: int = 2000
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.workers < 1 or self.sample < 2 or self.seed < 0:
            raise InputError(
                f"{self.workers} workers, a sample of {self.sample}, seed {self.seed}; expected at "
                "least one worker, two places and a seed from 0"
            )

    def report(self, what: str, done: int, total: int) -> None:
        """Tell whoever listens."""
        if self.progress is not None:
            self.progress(what, done, total)


@dataclass(frozen=True, eq=False)
class Start:
    """What one start led to: centres `[cluster, feature]`, by their first feature, and labels."""

    number: int
    centres: np.ndarray
    labels: np.ndarray

    @property
    def is_whole(self) -> bool:
        """Tell whether no cluster is empty."""
        return len(np.unique(self.labels)) == len(self.centres)


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Give the centre nearest to each point, the first of equals.

    Every point is worked out by itself, so that its answer does not depend on the others given.
    """
    best = np.full(len(points), np.inf)
    labels = np.zeros(len(points), np.min_scalar_type(len(centres)))
    for number, centre in enumerate(centres):
        squares = np.zeros(len(points))
        for column, value in zip(points.T, centre, strict=True):
            squares += (column - value) ** 2
        closer = squares < best
        best[closer], labels[closer] = squares[closer], number
    return labels


def fits(
    points: np.ndarray, k: int, numbers: Sequence[int], search: Search, batch: int
) -> Iterator[list[Start]]:
    """Fit the starts `numbers` with `k` clusters, and yield them in order, a batch at a time."""
    # Of very many places with few distinct ones every start leaves a cluster empty, and says so.
    distinct = len(np.unique(points, axis=0)) if len(points) < 10 * k else len(points)
    if not 2 <= k <= distinct:
        raise InputError(
            f"{len(points)} places ({distinct} distinct) cannot form {k} clusters; expected at "
            "least 2 clusters, and no more than distinct places"
        )
    batches = [list(numbers[i : i + batch]) for i in range(0, len(numbers), batch)]
    if search.workers == 1:
        for wanted in batches:
            yield _fit_some(points, k, wanted, search.method, search.seed)
        return
    from joblib import Parallel, delayed

    with Parallel(n_jobs=search.workers, backend="loky") as pool:
        for wanted in batches:
            shares = [wanted[i :: search.workers] for i in range(search.workers)]
            tasks = [
                delayed(_fit_some)(points, k, share, search.method, search.seed) for share in shares
            ]
            found = [start for share in pool(tasks) or () for start in share or ()]
            yield sorted(found, key=lambda start: start.number)


def _fit_some(
    points: np.ndarray, k: int, numbers: Sequence[int], method: Method, seed: int
) -> list[Start]:
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    found = []
    with threadpool_limits(1), warnings.catch_warnings():
        # Fewer clusters than asked for show in their sizes, and such a start is not taken.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for number in numbers:
            own = int(np.random.SeedSequence((seed, k, number)).generate_state(1)[0])
            centres = np.asarray(method.centres(points, k, own), np.float64)
            centres = centres[np.lexsort(centres.T[::-1])]  # the same centres, the same numbers
            found.append(Start(number, centres, nearest(points, centres)))
    return found
