"""An adjoint: which rain, and which water at the start, made one number of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.evaluation.sensitivity.adjoint import Adjoint
from diffhydro.evaluation.sensitivity.figures.frame import time_axis, times_of
from diffhydro.picture import COLOURS, blank_figure, save
from diffhydro.typing import Float

_BLUE, _GREEN, _ORANGE = COLOURS[0], COLOURS[2], COLOURS[1]


def draw_adjoint(
    found: Adjoint,
    target: Path,
    *,
    course: Float[np.ndarray, " time"],
    when: int = -1,
    times: Sequence[Any] | None = None,
    quantity: str = "the output",
) -> None:
    """Draw the influence of every day's rain, and of every store at the start, into a PNG.

    Args:
        course: The series that the number was taken from.
        when: Which step of it the number is; the last by default.
        times: Of the series; by default its steps, counted.
        quantity: What the series is, with its unit.
    """
    course = np.asarray(course)
    at = times_of(times, course.size)
    figure, context = blank_figure((10.0, 6.4))
    with context:
        panels = figure.subplot_mosaic(
            [["course", "stores"], ["slope", "stores"], ["share", "stores"]],
            width_ratios=[3.4, 1.0],
            height_ratios=[1.2, 1.0, 1.0],
        )
        _draw_course(panels["course"], at, course, when, quantity)
        _draw_slope(panels["slope"], at, found)
        _draw_share(panels["share"], at, found)
        for name in ("course", "slope"):
            panels[name].sharex(panels["share"])
            panels[name].tick_params(labelbottom=False)
        time_axis(panels["share"], at)
        _draw_stores(panels["stores"], found)
        figure.align_ylabels([panels[name] for name in ("course", "slope", "share")])
        save(figure, target)


def _draw_course(axes: Any, at: np.ndarray, course: np.ndarray, when: int, quantity: str) -> None:
    axes.plot(at, course, color="black", lw=1.2)
    axes.plot(at[when], course[when], "o", color=_ORANGE, ms=8, clip_on=False, zorder=5)
    axes.set_ylabel(quantity)
    axes.set_title("What made the marked value?")


def _draw_slope(axes: Any, at: np.ndarray, found: Adjoint) -> None:
    slope = found.forcing["precipitation"]
    axes.fill_between(at, 0.0, slope, step="mid", color=_GREEN, alpha=0.35, lw=0)
    axes.step(at, slope, where="mid", color=_GREEN, lw=1.2)
    axes.set_title("What 1 mm/day more rain would have changed")
    axes.set_ylabel("change per mm/day")
    _plain_numbers(axes.yaxis)


def _draw_share(axes: Any, at: np.ndarray, found: Adjoint) -> None:
    share = found.share()
    axes.bar(at, share, width=at[1] - at[0] if at.size > 1 else 0.8, color=_BLUE)
    axes.axhline(0.0, color="0.5", lw=0.8)
    words = f"{share.sum():.3g} of {found.value:.3g}"
    axes.set_title(f"What the rain that fell gave to it (all together {words})")
    axes.set_ylabel("share of each day")
    _plain_numbers(axes.yaxis)


def _draw_stores(axes: Any, found: Adjoint) -> None:
    """Show the share of every store that held water, or would have mattered."""
    shares = {
        f"{name}{list(i) if i else ''}": slope[i] * found.water[name][i]
        for name, slope in found.stores.items()
        for i in np.ndindex(slope.shape)
        if found.water[name][i] != 0.0
    }
    rows = np.arange(len(shares))
    axes.barh(rows, list(shares.values()), height=0.6, color=_BLUE)
    axes.set_yticks(rows, list(shares))
    axes.set_ylim(max(len(shares), 1) - 0.5, -0.5)
    axes.axvline(0.0, color="0.5", lw=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_title("What the water at\nthe start gave to it")
    axes.set_xlabel("share of each store")
    _plain_numbers(axes.xaxis)


def _plain_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(4))
    axis.set_major_formatter("{x:.3g}")
