"""Thousands of searches, each for itself, in one compiled program with a fixed number of lanes.

A search that ends leaves its lane to the next in the queue, so that slow ones do not make the rest
wait. The program knows neither how many searches there are nor which is where: the queue is kept
outside of it, and is part of what is saved.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.objective import AbstractObjective
from diffhydro.calibration.search import RUNNING, AbstractMethod, Search, choose
from diffhydro.typing import Array, ArrayLike, Float

LANES = 512
_LEAST, _MOST = 8, 256  # lanes of a part: vectors are full, and caches hold it
_IDLE = -1  # the search of a lane that has none
_ENDS = ("z", "loss", "status", "evaluations")


class Found(NamedTuple):
    """How searches ended, in the order in which they were asked for."""

    z: np.ndarray  # [search, entry]
    loss: np.ndarray
    status: np.ndarray
    evaluations: np.ndarray
    course: np.ndarray  # [search, round]: the lowest loss so far; NaN after the end

    @classmethod
    def nothing(cls, searches: int, entries: int, rounds: int, dtype: np.dtype) -> "Found":
        """Make room for searches that have not ended."""
        return cls(
            np.zeros((searches, entries), dtype),
            np.full(searches, np.inf, dtype),
            np.full(searches, RUNNING, np.int32),
            np.zeros(searches, np.int32),
            np.full((searches, rounds), np.nan, dtype),
        )


class Queue(NamedTuple):
    """All that is needed to go on."""

    now: Search
    task: np.ndarray  # which search a lane has
    site: np.ndarray  # and at which site
    round: np.ndarray  # and how many rounds it has had
    waiting: np.ndarray  # the first search that has not begun, in an array like all that is saved
    found: Found


def line_up(
    method: AbstractMethod, z: Float[Array, "search entry"], site: np.ndarray, lanes: int = LANES
) -> Queue:
    """Form a queue.

    Args:
        z: Where each search starts.
        site: Of each.
        lanes: Most searches side by side.
    """
    searches, entries = z.shape
    lanes = min(lanes, searches)
    task = np.arange(lanes)
    found = Found.nothing(searches, entries, method.most, np.dtype(z.dtype))
    none = np.zeros(lanes, int)
    begun = np.asarray(lanes)
    return Queue(method.begin(z[:lanes]), task, np.asarray(site)[:lanes], none, begun, found)


def search(
    problem: AbstractObjective,
    method: AbstractMethod,
    z: Float[Array, "search entry"],
    site: np.ndarray,
    queue: Queue,
    watch: Callable[[Queue], None] = lambda queue: None,
) -> Found:
    """Run all searches to their ends.

    Args:
        z: Where each search starts.
        site: Of each.
        queue: From `line_up`, or of a search that was interrupted.
        watch: Is shown the queue after every round; may save it, and may raise to stop.
    """
    site = np.asarray(site)
    while (queue.task != _IDLE).any():
        now = _round(method, problem, queue)
        queue = _next(method, queue._replace(now=now), z, site)
        watch(queue)
    return queue.found


def _round(method: AbstractMethod, problem: AbstractObjective, queue: Queue) -> Search:
    """Advance the lanes that are busy, gathered into parts of one size.

    A program keeps one core busy, and parts run side by side: calls return before they are done.
    Lanes that have nothing to do cost nothing, and there is one program whoever is left.
    """
    size = _size_of_a_part(len(queue.task))
    busy = np.flatnonzero(queue.task != _IDLE)
    # Lanes are chosen in NumPy: for XLA each number of them would be another program.
    now = jax.tree.map(np.array, queue.now)
    found = []
    for start in range(0, len(busy), size):
        # The last part is filled up with its last lane, whose copies are thrown away.
        some = busy[np.minimum(start + np.arange(size), len(busy) - 1)]
        part = jax.tree.map(lambda x, some=some: x[some], now)
        found.append((some, _advance(method, problem, queue.site[some], part)))
    for some, part in found:
        for old, new in zip(jax.tree.leaves(now), jax.tree.leaves(part), strict=True):
            old[some] = np.asarray(new)
    return now


def _size_of_a_part(lanes: int) -> int:
    if lanes < 2 * _LEAST or jax.default_backend() != "cpu":
        return lanes
    each = -(-lanes // (os.cpu_count() or 1))
    return min(-(-each // _LEAST) * _LEAST, _MOST)


@eqx.filter_jit
def _advance(
    method: AbstractMethod, problem: AbstractObjective, site: ArrayLike, now: Search
) -> Search:
    return method.advance(problem, jnp.asarray(site), now)


@eqx.filter_jit
def _refill(method: AbstractMethod, now: Search, z: Array, which: Array) -> Search:
    return choose(which, method.begin(z), now)


def _next(method: AbstractMethod, queue: Queue, z: Array, site: np.ndarray) -> Queue:
    """Note where all are, take out what has ended, and let the next ones in."""
    busy = queue.task != _IDLE
    found = queue.found._replace(course=queue.found.course.copy())
    found.course[queue.task[busy], queue.round[busy]] = np.asarray(queue.now.loss)[busy]
    queue = queue._replace(found=found, round=queue.round + 1)
    over = busy & (np.asarray(queue.now.status) != RUNNING)
    if not over.any():
        return queue
    found = jax.tree.map(np.copy, found)
    for name in _ENDS:
        getattr(found, name)[queue.task[over]] = np.asarray(getattr(queue.now, name))[over]
    task, places, rounds = queue.task.copy(), queue.site.copy(), queue.round.copy()
    free = np.flatnonzero(over)
    first = int(queue.waiting)
    coming = np.arange(first, min(first + len(free), len(site)))
    task[free] = _IDLE
    task[free[: len(coming)]] = coming
    places[free[: len(coming)]] = site[coming]
    rounds[free] = 0
    fresh = np.isin(task, coming)
    # A lane without a search goes on with what it had, and nobody looks at it.
    starts = z[jnp.asarray(np.where(fresh, task, 0))]
    now = _refill(method, queue.now, starts, jnp.asarray(fresh))
    return Queue(now, task, places, rounds, np.asarray(first + len(coming)), found)
