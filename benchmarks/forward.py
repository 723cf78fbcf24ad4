"""Forward runs of the fixed mode against the scalar numba program of the same scheme.

The scalar program runs in the precision that is faster for it, column by column; the package runs
in float32, in batches that fit the cache. Both do exactly 8 × 4 Newton iterations a day.
"""

import functools
import time

import jax.numpy as jnp
import numpy as np

from benchmarks import columns
from benchmarks.harness import Report, Row, Scale, compiled, take_turns
from benchmarks.scalar import scalar_solver
from diffhydro.soil.richards.fixed import Fixed

SUBSTEPS, ITERATIONS = 8, 4
POLICY = Fixed(substeps=SUBSTEPS, iterations=ITERATIONS, tolerance=0.0)
NODES = 20
CHUNK = 512  # columns in one call: the working set of 20 nodes then fits the second cache
TARGET = 6.5


def measure(scale: Scale) -> Report:
    batch = columns.random_batch(1024, scale.pick(365, 60), NODES)
    parts = batch.parts(CHUNK)
    program, seconds = compiled(lambda b: columns.simulate(b, POLICY), parts[0])
    solve, precision, rates = _faster(batch.part(0, 32))
    times = take_turns(
        len(parts),
        {
            "jax": lambda turn: program(parts[turn]),
            "numba": lambda turn: solve(parts[turn]),
        },
    )
    work = CHUNK * batch.days
    per_node = 1e9 / (work * NODES * SUBSTEPS * ITERATIONS)
    apart = _difference(program(parts[0]).stored, solve(parts[0]))
    rows = [Row("numba's time / ours, fixed 8 × 4", times.ratio("numba", "jax"), TARGET, True)]
    notes = [
        f"{batch.columns} columns × {batch.days} days × {NODES} nodes, {CHUNK} columns a call, "
        f"numba in {precision} ({rates})",
        f"column-days/s: ours {work / times.median('jax'):,.0f}, "
        f"numba {work / times.median('numba'):,.0f}; ns per node-iteration: "
        f"{times.median('jax') * per_node:.1f} and {times.median('numba') * per_node:.1f}",
        f"the two differ in storage by {apart[0]:.1e} mm (median) and {apart[1]:.1e} mm (99 %)",
    ]
    return Report(rows, notes, {"fixed, forward": seconds})


def scalar_run(real: type[np.floating], batch: columns.Batch) -> np.ndarray:
    """Run the scalar program on a batch."""
    return scalar_solver(real)(
        columns.soil_table(batch),
        batch.thickness,
        batch.surface,
        columns.START,
        columns.AIR_DRY,
        columns.POND_MAX,
        SUBSTEPS,
        ITERATIONS,
    )


def _faster(batch: columns.Batch):
    """Choose the precision in which the scalar program runs faster."""
    seconds = {}
    for real in (np.float32, np.float64):
        scalar_run(real, batch)  # compiles
        start = time.process_time()
        scalar_run(real, batch)
        seconds[real] = time.process_time() - start
    real = min(seconds, key=lambda r: seconds[r])
    rates = ", ".join(f"{r.__name__} {s * 1e3:.0f} ms" for r, s in seconds.items())
    return functools.partial(scalar_run, real), real.__name__, rates


def _difference(ours, theirs) -> tuple[float, float]:
    apart = np.abs(np.asarray(ours, np.float64) - np.asarray(jnp.asarray(theirs), np.float64))
    return float(np.median(apart)), float(np.quantile(apart, 0.99))
