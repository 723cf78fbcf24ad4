"""Thousands of searches, each for itself, in one compiled program with a fixed number of lanes.

A search that ends leaves its lane to the next in the queue, so that slow ones do not make the rest
wait. The program knows neither how many searches there are nor which is where: the queue is kept
outside of it, and is part of what is saved.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.objective import AbstractObjective
from diffhydro.calibration.search import RUNNING, AbstractMethod, Search, choose
from diffhydro.typing import Array, Float, Int

LANES = 256
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
    waiting: int  # the first search that has not begun
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
    return Queue(method.begin(z[:lanes]), task, np.asarray(site)[:lanes], none, lanes, found)


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
        now = _advance(method, problem, jnp.asarray(queue.site), queue.now)
        queue = _next(method, queue._replace(now=now), z, site)
        watch(queue)
    return queue.found


@eqx.filter_jit
def _advance(
    method: AbstractMethod, problem: AbstractObjective, site: Int[Array, " lane"], now: Search
) -> Search:
    return method.advance(problem, site, now)


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
    coming = np.arange(queue.waiting, min(queue.waiting + len(free), len(site)))
    task[free] = _IDLE
    task[free[: len(coming)]] = coming
    places[free[: len(coming)]] = site[coming]
    rounds[free] = 0
    fresh = np.isin(task, coming)
    # A lane without a search goes on with what it had, and nobody looks at it.
    starts = z[jnp.asarray(np.where(fresh, task, 0))]
    now = _refill(method, queue.now, starts, jnp.asarray(fresh))
    return Queue(now, task, places, rounds, queue.waiting + len(coming), found)
