"""A small calibration: three parameters of a horizon found again from noisy readings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax

from diffhydro.app.demo.column import SEASON, forced, model, soils_of, weather, with_value
from diffhydro.app.page import Picture, Section
from diffhydro.core.trainable import Free, merge, split
from diffhydro.land.observe import probe
from diffhydro.land.soil_column import SoilColumn
from diffhydro.picture import COLOURS, blank_figure, save
from diffhydro.soil.richards.fixed import Fixed

_NOISE = 0.005  # m³/m³, of the observations that the calibration sees
_ITERATIONS = 100
_RATE = 0.15
_TRAINING = Fixed(substeps=4, iterations=12)
_TRAINED = ("soil.0.k_sat", "soil.0.alpha", "soil.0.n")


def calibration(out: Path, report: Callable[[int, int], None]) -> Section:
    """Recover three parameters of the upper horizon from noisy soil moisture at 5 cm."""
    season = weather(365)[SEASON]
    truth = model(policy=_TRAINING)
    rng = np.random.default_rng(11)
    seen = jnp.asarray(
        np.asarray(probe(truth.run(season), 50.0)) + _NOISE * rng.standard_normal(season.length)
    )
    wrong = {"k_sat": 4.0, "alpha": 2.0, "n": 0.9}
    soils = soils_of(truth)
    for name, factor in wrong.items():
        soils = with_value(soils, 0, name, factor * float(getattr(soils[0], name)))
    start = SoilColumn(truth.grid, soils, roots=truth.roots, policy=_TRAINING)
    free, frozen = split(start, train=_TRAINED)

    def misfit(free: Free) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        run = merge(free, frozen).run(season)
        series = probe(run, 50.0)
        return jnp.mean((series - seen) ** 2), (series, forced(run))

    with_slope = jax.jit(jax.value_and_grad(misfit, has_aux=True))
    optimizer = optax.adam(optax.cosine_decay_schedule(_RATE, _ITERATIONS))
    memory = optimizer.init(cast(Any, free))
    misfits, shown, most_forced = [], [], 0
    for number in range(_ITERATIONS + 1):
        (value, (series, count)), slope = with_slope(free)
        misfits.append(float(value) ** 0.5)
        most_forced = max(most_forced, int(count))
        shown = [shown[0] if shown else series, series]
        if number < _ITERATIONS:
            moves, memory = optimizer.update(slope, memory)
            free = cast(Free, optax.apply_updates(cast(Any, free), moves))
        report(number, _ITERATIONS)
    fitted = merge(free, frozen)
    table = [("parameter", "truth", "before", "after", "after / truth")]
    closer = True
    for path in _TRAINED:
        name = path.split(".")[-1]
        a, b, c = (float(getattr(soils_of(m)[0], name)) for m in (truth, start, fitted))
        closer &= abs(c - a) < abs(b - a)
        table.append((path, f"{a:.4g}", f"{b:.4g}", f"{c:.4g}", f"{c / a:.2f}"))
    row = (f"{_NOISE:.4f} (noise)", f"{misfits[0]:.4f}", f"{misfits[-1]:.4f}", "")
    table.append(("RMS misfit, m³/m³", *row))
    table.append(("steps not converged", "", "", f"{most_forced}", ""))
    checks = {
        "calibration: every step converged": most_forced == 0,
        "calibration: misfit reaches the noise": misfits[-1] <= 1.2 * _NOISE,
        "calibration: every parameter comes closer": closer,
    }
    figure = out / "calibration.png"
    _draw_calibration(np.asarray(seen), shown, misfits, figure)
    words = (
        f"{season.length} daily readings of soil moisture at 5 cm, made by the model and given "
        f"noise of {_NOISE} m³/m³. From wrong values of three parameters of the upper horizon, "
        f"{_ITERATIONS} steps of Adam on the free numbers of split."
    )
    told = "Soil moisture at 5 cm before and after, with the observations; the misfit by iteration."
    return Section("A small calibration", [words], [Picture(figure, told)], [table], checks)


def _draw_calibration(seen: np.ndarray, shown: list, misfits: list[float], target: Path) -> None:
    figure, context = blank_figure((9.0, 3.6))
    with context:
        left, right = figure.subplots(1, 2, width_ratios=[1.8, 1.0])
        days = np.arange(SEASON.start + 1, SEASON.stop + 1)
        left.plot(days, seen, "o", ms=3, mfc="none", mec="0.45", label="observed")
        left.plot(days, shown[0], color=COLOURS[1], ls="--", lw=1.5, label="before")
        left.plot(days, shown[-1], color=COLOURS[0], lw=1.5, label="after")
        left.set(xlabel="day of the year", ylabel="θ at 5 cm, m³/m³")
        left.legend(ncols=3, loc="upper right")
        left.margins(y=0.18)
        right.plot(misfits, color=COLOURS[0], lw=1.5)
        right.axhline(_NOISE, color="0.3", ls=":", label="noise")
        right.set(xlabel="iteration", ylabel="RMS misfit, m³/m³", ylim=(0.0, None))
        right.legend()
        save(figure, target)
