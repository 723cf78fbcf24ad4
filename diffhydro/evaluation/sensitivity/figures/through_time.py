"""Elasticities through time: the series, the largest ones as lines, all of them as a map."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.evaluation.sensitivity.elasticities import Elasticities
from diffhydro.evaluation.sensitivity.figures.frame import ROW, time_axis, times_of, without
from diffhydro.picture import COLOURS, DASHES, blank_figure, save

_LINES = 5  # that can be told apart


def draw_elasticities(
    found: Elasticities,
    target: Path,
    *,
    times: Sequence[Any] | None = None,
    quantity: str = "the series",
    most: int = 14,
) -> None:
    """Draw elasticities into a PNG.

    Args:
        times: Of the series; by default its steps, counted.
        quantity: What the series is, with its unit.
        most: Parameters in the map.
    """
    rank = found.order[:most]
    at = times_of(times, found.series.size)
    figure, context = blank_figure((9.0, 4.6 + ROW * len(rank)))
    with context:
        heights = [1.3, 2.0, 0.3 + ROW * len(rank)]
        curve, lines, grid = figure.subplots(3, 1, sharex=True, height_ratios=heights)
        curve.plot(at, found.series, color="black", lw=1.2)
        curve.set(ylabel=quantity, title="The series")
        _draw_lines(lines, at, found, rank[:_LINES])
        _draw_map(figure, grid, at, found, rank)
        time_axis(grid, at)
        figure.align_ylabels([curve, lines])
        save(figure, target)


def _draw_lines(axes: Any, at: np.ndarray, found: Elasticities, rank: np.ndarray) -> None:
    axes.axhline(0.0, color="0.5", lw=0.8)
    pens = zip(rank, COLOURS, DASHES, strict=False)
    for i, colour, dash in pens:
        axes.plot(at, found.elasticity[i], color=colour, ls=dash, lw=1.5, label=found.names[i])
    axes.set(ylabel="per cent for\none per cent", title="The largest elasticities")
    # Beside the axis, where the names in the map below leave room anyway.
    axes.legend(loc="center right", bbox_to_anchor=(-0.14, 0.5))


def _draw_map(
    figure: Any, axes: Any, at: np.ndarray, found: Elasticities, rank: np.ndarray
) -> None:
    from matplotlib.colors import SymLogNorm

    values = found.elasticity[rank]
    reach = max(float(np.abs(values).max()), float(np.finfo(np.float32).tiny))
    decade = 10.0 ** np.floor(np.log10(reach))
    # Elasticities span decades: colours are even in them, down to a hundredth.
    norm = SymLogNorm(0.01 * decade, vmin=-reach, vmax=reach)
    rows = np.arange(len(rank))
    image = axes.pcolormesh(at, rows, values, cmap="RdBu", norm=norm, shading="nearest")
    axes.set_yticks(rows, [found.names[i] for i in rank])
    axes.set_ylim(len(rank) - 0.5, -0.5)
    axes.grid(visible=False)
    rest = without(len(found.names) - len(rank))
    axes.set_title(f"All elasticities{rest} (blue raises the series, red lowers it)")
    ticks = decade * np.asarray([-1.0, -0.1, -0.01, 0.0, 0.01, 0.1, 1.0])
    bar = figure.colorbar(image, ax=axes, pad=0.01, fraction=0.04, ticks=ticks, format="%.3g")
    bar.ax.minorticks_off()
