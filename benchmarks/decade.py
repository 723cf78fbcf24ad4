"""A thousand fine columns: 2 m of loam, 100 nodes, roots, daily weather, adaptive steps.

The run covers as many days as fit a minute, and the cost of a column-year is that of a day times
365.25: an extrapolation, since cost depends on weather and the first days are not special.
"""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import columns
from benchmarks.harness import Report, Row, Scale, compiled, take_turns
from diffhydro.soil.richards.adaptive import Adaptive

NODES = 100
COLUMNS = 1000
CHECKED = 16
DAYS_PER_YEAR = 365.25
SECONDS_TARGET = 0.05
ERROR_TARGET = 0.3  # per cent
POLICY = Adaptive()
TIGHT = Adaptive(error=2e-5, most=1_000_000)


def measure(scale: Scale) -> Report:
    days = scale.pick(90, 30)
    batch = columns.loam_batch(COLUMNS, days, NODES)
    program, seconds = compiled(lambda b: columns.simulate(b, POLICY), batch)
    times = take_turns(scale.pick(3, 2), {"run": lambda _: program(batch)})
    cost = times.median("run") / (COLUMNS * days) * DAYS_PER_YEAR

    course = program(batch)
    ours = _totals(jax.tree.map(lambda x: x[:CHECKED], course))
    true = _tight_totals(days)
    rows = [Row("core-seconds per column-year", cost, SECONDS_TARGET, unit="s")]
    notes = [
        f"{COLUMNS} columns × {days} days × {NODES} nodes in one call, adaptive; "
        f"extrapolated to a year",
        f"a day takes {float(jnp.mean(course.effort.substeps)):.1f} steps and "
        f"{float(jnp.mean(course.effort.sweeps)):.1f} iterations on average; "
        f"the hardest column takes {float(jnp.max(jnp.mean(course.effort.sweeps, axis=1))):.0f}, "
        f"the hardest day of one {float(jnp.max(course.effort.sweeps)):.0f}; "
        f"{float(jnp.sum(course.effort.forced)):.0f} steps forced in {COLUMNS * days} column-days",
    ]
    for name, total in true.items():
        error = 100.0 * np.abs(ours[name] / total - 1.0)
        rows.append(
            Row(f"error of total {name}, worst column", error.max(), ERROR_TARGET, unit="%")
        )
        notes.append(
            f"{name}: {total.mean():.1f} mm a column, median error {np.median(error):.3f} %"
        )
    notes.append(f"errors on {CHECKED} columns against float64 at error {TIGHT.error:g}")
    return Report(rows, notes, {"adaptive, forward, 100 nodes": seconds})


def _totals(course: columns.Course) -> dict[str, np.ndarray]:
    exchange = jax.tree.map(lambda x: np.asarray(x, np.float64), course.exchange)
    # A day is either wet or dry at the surface: forcing is constant within it.
    return {
        "infiltration": np.maximum(exchange.infiltration, 0.0).sum(axis=1),
        "evaporation": np.maximum(-exchange.infiltration, 0.0).sum(axis=1),
        "transpiration": exchange.uptake.sum(axis=1),
        "drainage": exchange.drainage.sum(axis=1),
    }


def _tight_totals(days: int) -> dict[str, np.ndarray]:
    with jax.enable_x64(True):
        batch = columns.loam_batch(COLUMNS, days, NODES, jnp.float64).part(0, CHECKED)
        course = jax.jit(lambda b: columns.simulate(b, TIGHT))(batch)
        forced = float(jnp.sum(course.effort.forced))
        if forced:
            raise RuntimeError(f"the reference run has {forced:.0f} forced steps: it is no truth")
        return _totals(course)
