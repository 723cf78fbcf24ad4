"""Gradients of soil moisture with respect to every soil parameter, against differences."""

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

from diffhydro.app.demo.column import SEASON, Soils, forced, model, soils_of, weather, with_value
from diffhydro.app.page import Section
from diffhydro.land.observe import layer_mean
from diffhydro.land.soil_column import SoilColumn
from diffhydro.soil.richards.fixed import Fixed

_NUDGE = 1e-4  # relative, of the central differences
# Tight enough for the differences to be those of the equation, not of the Newton iterations.
_EXACT = Fixed(substeps=8, iterations=20, tolerance=1e-12)
_GRADIENT = 1e-6  # relative; what the demonstration promises


def gradients(out: Path, report: Callable[[int, int], None]) -> Section:
    """Differentiate mean soil moisture by every soil parameter, and check by differences."""
    season = weather(365)[SEASON]
    column = model(policy=_EXACT)
    soils = soils_of(column)

    def mean_moisture(soil: Soils) -> tuple[jax.Array, jax.Array]:
        run = SoilColumn(column.grid, soil, roots=column.roots, policy=_EXACT).run(season)
        return jnp.mean(layer_mean(run, 0.0, 500.0)), forced(run)

    # Also for the differences, which need the value alone: compiling twice would cost more.
    with_slopes = jax.jit(jax.value_and_grad(mean_moisture, has_aux=True))
    (_, count), slopes = with_slopes(soils)
    table: list[tuple[str, ...]] = [
        ("parameter", "value", "gradient", "differences", "rel. difference")
    ]
    names = ("theta_r", "theta_s", "alpha", "n", "k_sat")
    worst = 0.0
    for horizon in range(2):
        for number, name in enumerate(names):
            value = float(getattr(soils[horizon], name))
            slope = float(getattr(slopes[horizon], name))
            nudge = _NUDGE * value
            ends = [
                float(with_slopes(with_value(soils, horizon, name, value + x))[0][0])
                for x in (nudge, -nudge)
            ]
            about = (ends[0] - ends[1]) / (2 * nudge)
            off = abs(slope - about) / max(abs(about), 1e-30)
            worst = max(worst, off)
            row = (f"{value:.4g}", f"{slope:+.6e}", f"{about:+.6e}", f"{off:.0e}")
            table.append((f"soil.{horizon}.{name}", *row))
            report(horizon * len(names) + number + 1, 2 * len(names))
    table.append(("not converged", f"{int(count)}", "", "", ""))
    checks = {
        "gradients equal central differences": worst <= _GRADIENT,
        "gradients: every step converged": int(count) == 0,
    }
    words = (
        f"Derivative of mean soil moisture above 50 cm over {season.length} days with respect to "
        "each soil parameter: one backward pass for all of them, against central differences, two "
        "runs for each."
    )
    return Section("Gradients against finite differences", [words], [], [table], checks)
