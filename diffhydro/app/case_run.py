"""Run a case and gather what is to be reported, in millimetres."""

import time
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from rich.progress import Progress

from diffhydro.app.case_setup import Setup
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.solver import advance
from diffhydro.soil.richards.state import Effort, Exchange, SoilWater

# Each time the clock of the progress bar moves; short enough to interrupt, long enough to be free.
_INTERVALS_PER_REPORT = 64


class Result(NamedTuple):
    """Everything a case run knows, interval by interval (first axis), in float64."""

    ends: np.ndarray
    psi: np.ndarray  # heads at nodes at the end of each interval
    storage: np.ndarray
    pond: np.ndarray
    amounts: Exchange  # cumulative
    evaporation: np.ndarray  # cumulative
    effort: Effort  # totals
    initial_storage: float
    compile_seconds: float
    run_seconds: float

    @property
    def balance_error(self) -> float:
        """Largest water the books cannot explain, mm."""
        a = self.amounts
        gained = a.infiltration - a.uptake - a.drainage
        return float(np.abs(self.storage - self.initial_storage - gained).max())


class _Book(NamedTuple):
    psi: jax.Array
    storage: jax.Array
    pond: jax.Array
    amounts: Exchange
    effort: Effort


def run_case(setup: Setup, policy: Adaptive, progress: Progress | None = None) -> Result:
    """Integrate all intervals of a case."""
    dtype = setup.water.psi.dtype
    count = len(setup.durations)
    blank = _blank_book(setup.mesh.nodes, count, dtype)
    durations = jnp.asarray(setup.durations, dtype)
    go = jax.jit(partial(_some_intervals, policy), donate_argnums=(5,))
    began = time.perf_counter()
    args = (setup.mesh, setup.problem, setup.drives, durations, setup.water, blank)
    compiled = go.lower(*args, 0, 0).compile()
    compile_seconds = time.perf_counter() - began
    began = time.perf_counter()
    task = progress.add_task("soil water", total=count) if progress else None
    water, book = setup.water, blank
    for start in range(0, count, _INTERVALS_PER_REPORT):
        stop = min(start + _INTERVALS_PER_REPORT, count)
        water, book = compiled(*args[:4], water, book, start, stop)
        jax.block_until_ready(book.pond)
        if progress and task is not None:
            progress.update(task, completed=stop)
    run_seconds = time.perf_counter() - began
    return _result(setup, book, compile_seconds, run_seconds)


def _some_intervals(
    policy, mesh, problem, drives: Drive, durations, water: SoilWater, book, start, stop
):
    def interval(i, carry):
        water, book = carry
        drive = jax.tree.map(lambda x: x[i], drives)
        water, amounts, effort = advance(mesh, problem, water, drive, durations[i], policy)
        entry = _Book(
            water.psi, jnp.sum(water.stored.astype(jnp.float64)), water.pond, amounts, effort
        )
        return water, jax.tree.map(lambda b, e: b.at[i].set(e), book, entry)

    return lax.fori_loop(start, stop, interval, (water, book))


def _blank_book(nodes: int, count: int, dtype) -> _Book:
    def zeros(*shape: int):
        return jnp.zeros((count, *shape), dtype)

    return _Book(
        zeros(nodes),
        jnp.zeros(count, jnp.float64),  # a sum over many nodes: not a matter of the run's dtype
        zeros(),
        Exchange(*(zeros() for _ in range(4))),
        Effort(*(zeros() for _ in range(5))),
    )


def _result(setup: Setup, found: _Book, compile_seconds: float, run_seconds: float) -> Result:
    book: Any = jax.tree.map(lambda x: np.asarray(x, np.float64), found)
    start = float(np.sum(np.asarray(setup.water.stored, np.float64)))
    pond = np.concatenate([[float(setup.water.pond)], book.pond])
    lost = setup.rain - book.amounts.runoff - book.amounts.infiltration - np.diff(pond)
    return Result(
        ends=setup.ends,
        psi=book.psi,
        storage=book.storage,
        pond=book.pond,
        amounts=jax.tree.map(np.cumsum, book.amounts),
        evaporation=np.cumsum(lost),
        effort=jax.tree.map(lambda x: float(x.sum()), book.effort),
        initial_storage=start,
        compile_seconds=compile_seconds,
        run_seconds=run_seconds,
    )
