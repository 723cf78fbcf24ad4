"""What equal time error costs in the fixed and in the adaptive mode, and who errs in silence.

Truth is the adaptive mode in float64 at a five-hundredth of its default tolerance, on the same
grid. The error is that of the water in the whole column at the end of every day. Of the pairs (one
fixed policy, one adaptive) the one with the nearest 99th percentiles is compared in cost.
"""

import itertools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import columns
from benchmarks.forward import CHUNK, NODES
from benchmarks.harness import Report, Row, Scale, compiled, take_turns
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.solver import Policy

TIGHT = Adaptive(error=2e-5, most=1_000_000)
FIXED = {f"fixed {n}": Fixed(substeps=n) for n in (8, 16, 24, 48)}
ADAPTIVE = {f"adaptive {e:g}": Adaptive(error=e) for e in (3e-2, 1e-2, 3e-3)}
WRONG = 5.0  # mm of storage: an error nobody would let pass


class Error(NamedTuple):
    """Storage error over columns and days, mm, and the columns that are badly wrong."""

    most_days: float
    worst: float
    silent: int  # columns beyond WRONG while no step was reported as forced
    flagged: int  # columns beyond WRONG and reported


def measure(scale: Scale) -> Report:
    known = scale.pick(128, 32)
    days = scale.pick(60, 30)
    truth = _truth(known, days)
    batch = columns.random_batch(CHUNK, days, NODES)
    programs, errors, compile_seconds = {}, {}, {}
    fixed_modes = {n: FIXED[n] for n in list(FIXED)[-2 if scale.quick else 0 :]}
    adaptive_modes = {n: ADAPTIVE[n] for n in list(ADAPTIVE)[: scale.pick(3, 1)]}
    for name, policy in (fixed_modes | adaptive_modes).items():
        program, compile_seconds[name] = compiled(_forward(policy), batch)
        programs[name] = lambda _, run=program: run(batch)
        errors[name] = _error(program(batch), truth)
    times = take_turns(scale.pick(5, 3), programs)

    pairs = itertools.product(fixed_modes, adaptive_modes)
    fixed, adaptive = min(pairs, key=lambda pair: _apart(errors, *pair))
    pair = f"{adaptive} against {fixed}"
    silent, fixed_silent = (
        float(sum(errors[name].silent for name in modes)) for modes in (adaptive_modes, fixed_modes)
    )
    rows = [
        Row(f"time at equal error, {pair}", times.ratio(adaptive, fixed), 1.0),
        Row("columns silently wrong, adaptive", silent, 0.0, unit=""),
        Row("columns silently wrong, fixed", fixed_silent, unit=""),
    ]
    notes = [
        f"{name}: storage error p99 {error.most_days:.3f} mm, max {error.worst:.3f} mm, "
        f"{error.silent} silently and {error.flagged} openly beyond {WRONG:g} mm; "
        f"{CHUNK * days / times.median(name):,.0f} column-days/s"
        for name, error in errors.items()
    ]
    notes.append(f"errors on {known} columns × {days} days, times on {CHUNK} × {days}")
    return Report(rows, notes, compile_seconds)


def _forward(policy: Policy):
    return lambda batch: columns.simulate(batch, policy)


def _truth(known: int, days: int) -> np.ndarray:
    with jax.enable_x64(True):
        batch = columns.random_batch(CHUNK, days, NODES, jnp.float64).part(0, known)
        course = jax.jit(_forward(TIGHT))(batch)
        forced = float(jnp.sum(course.effort.forced))
        if forced:
            raise RuntimeError(f"the reference run has {forced:.0f} forced steps: it is no truth")
        return np.asarray(course.stored)


def _error(course: columns.Course, truth: np.ndarray) -> Error:
    known = truth.shape[0]
    error = np.abs(np.asarray(course.stored, np.float64)[:known] - truth)
    admitted = np.cumsum(np.asarray(course.effort.forced)[:known], axis=1) > 0
    # NaN must count as wrong, so ask for what is right.
    right = error <= WRONG
    silent = (~right & ~admitted).any(axis=1)
    flagged = (~right & admitted).any(axis=1) & ~silent
    return Error(
        float(np.quantile(error, 0.99)), float(error.max()), int(silent.sum()), int(flagged.sum())
    )


def _apart(errors: dict[str, Error], fixed: str, adaptive: str) -> float:
    return abs(math.log(errors[fixed].most_days / errors[adaptive].most_days))
