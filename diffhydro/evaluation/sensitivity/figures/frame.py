"""What the figures of sensitivities share: rows of names, whiskers, an axis of times."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.picture import blank_figure

ROW = 0.3  # inch, of a parameter
_MARGIN = 1.3  # inch, of what stands above and below the rows


def tall_figure(rows: int) -> tuple[Any, Any]:
    """Return an empty figure with room for some rows, and the looks."""
    return blank_figure((7.6, _MARGIN + ROW * max(rows, 3)))


def rows_of(figure: Any, names: Sequence[str]) -> Any:
    """Return axes with a row for every name, the first on top."""
    axes = figure.subplots()
    axes.set_yticks(np.arange(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    return axes


def whiskers(
    axes: Any, rows: np.ndarray, values: np.ndarray, half: np.ndarray, label: str | None = None
) -> Any:
    """Draw an interval of half-width `half` about each value, and return its entry of a legend."""
    style = {"color": "0.25", "elinewidth": 1.0, "capsize": 2.0, "capthick": 1.0}
    return axes.errorbar(values, rows, xerr=half, fmt="none", label=label, **style)


def without(left: int) -> str:
    """Say in a title how many parameters are not shown."""
    return f", without {left} smaller ones" if left else ""


def times_of(times: Sequence[Any] | None, length: int) -> np.ndarray:
    """Return the times of a series: those given, or its steps, counted from one."""
    found = np.arange(1, length + 1) if times is None else np.asarray(times)
    if found.shape != (length,):
        raise InputError(f"the series has {length} steps, but times has the shape {found.shape}")
    return found


def time_axis(axes: Any, times: np.ndarray) -> None:
    """Write dates short, and say what counted steps are."""
    axes.set_xlim(times[0], times[-1])
    if np.issubdtype(times.dtype, np.datetime64):
        from matplotlib.dates import MONTHLY, AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(maxticks=7)
        locator.intervald[MONTHLY] = [1, 2, 3, 4, 6, 12]  # records of four years need the last
        axes.xaxis.set_major_locator(locator)
        # What the ticks leave out: the year, of months and days.
        left_out = ["", "%Y", "%Y", "%Y-%b-%d", "%Y-%b-%d", "%Y-%b-%d %H:%M"]
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, offset_formats=left_out))
    else:
        axes.set_xlabel("time step")
