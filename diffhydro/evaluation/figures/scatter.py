"""Scatter: every day of every place, simulated against observed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.figures.maps import pretty
from diffhydro.evaluation.metrics import scores
from diffhydro.evaluation.pairing import Paired
from diffhydro.picture import COLOURS, blank_figure, save

if TYPE_CHECKING:
    import xarray as xr

_DENSE = 2000  # points beyond which their density is drawn


def draw_scatter(
    observed: "xr.DataArray",
    models: Mapping[str, "xr.DataArray"],
    target: Path,
    *,
    over: str = "time",
    limits: tuple[float, float] | None = None,
    label: str = "soil moisture",
) -> None:
    """Draw a panel for each model, with the line of perfect agreement.

    The scores in a panel are of all its points together, not means over places.

    Args:
        limits: Of both axes; what holds 99.8 % of the values by default.
        label: What it is, without the unit, which comes from `observed`.
    """
    if not models:
        raise InputError("a scatter needs a model")
    pairs = {name: _flat(one, observed, over, name) for name, one in models.items()}
    every = np.concatenate([x for pair in pairs.values() for x in pair])
    low, high = limits or tuple(np.quantile(every, (0.001, 0.999)))
    unit = pretty(str(observed.attrs.get("units", "")))
    unit = f", {unit}" if unit else ""
    figure, context = blank_figure((3.4 * len(pairs) + 0.9, 4.1))
    with context:
        panels = figure.subplots(1, len(pairs), sharey=True, squeeze=False)[0]
        drawn = _cells(panels, list(pairs.values()), (float(low), float(high)))
        for axes, (name, (s, o)) in zip(panels, pairs.items(), strict=True):
            found = scores(s[None], o[None], least=2)
            said = f"RMSE {found.rmse[0]:.3g}{unit.replace(',', '')}, r {found.r[0]:.2f}"
            axes.set_title(f"{name}\n{said}, {len(s):,} days", fontsize=9.5)
            axes.set_xlabel(f"observed {label}{unit}")
        panels[0].set_ylabel(f"simulated {label}{unit}")
        if drawn is not None:
            figure.colorbar(drawn, ax=list(panels), label="days in a cell", shrink=0.85)
        save(figure, target)


def _flat(
    simulated: "xr.DataArray", observed: "xr.DataArray", over: str, name: str
) -> tuple[np.ndarray, np.ndarray]:
    pairs = Paired.of(simulated, observed, over)
    known = np.isfinite(pairs.observed)
    if known.sum() < 2:
        raise InputError(f"{name} has fewer than two days with an observation")
    return pairs.simulated[known], pairs.observed[known]


def _cells(
    panels: Any, pairs: list[tuple[np.ndarray, np.ndarray]], limits: tuple[float, float]
) -> Any:
    """Draw points, or where there are many how many lie in each cell, on one scale of colours."""
    from matplotlib.colors import LogNorm

    bins = np.linspace(*limits, 61)
    counts = [np.histogram2d(o, s, bins=bins)[0].T for s, o in pairs]
    norm = LogNorm(1.0, max(2.0, *(float(c.max()) for c in counts)))
    drawn = None
    for axes, (s, o), count in zip(panels, pairs, counts, strict=True):
        axes.plot(limits, limits, color="black", lw=0.9, ls="--", zorder=3)
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        if len(s) <= _DENSE:
            axes.plot(o, s, ".", ms=3, alpha=0.5, color=COLOURS[0])
            continue
        shown = np.where(count > 0, count, np.nan)
        drawn = axes.pcolormesh(bins, bins, shown, cmap="viridis", norm=norm, rasterized=True)
    return drawn
