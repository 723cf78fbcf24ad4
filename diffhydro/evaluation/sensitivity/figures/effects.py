"""Elementary effects: to the right what matters, high up what does so unevenly."""

from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.evaluation.sensitivity.screening import Screening
from diffhydro.picture import COLOURS, blank_figure, save

_NAMED = 0.05  # of the largest effect: names of smaller ones would lie on each other
_TINY = float(np.finfo(float).tiny)


def draw_morris(found: Screening, target: Path, *, unit: str = "") -> None:
    """Draw μ* against σ into a PNG.

    Args:
        unit: Of the output.
    """
    figure, context = blank_figure((8.6, 4.8))
    with context:
        axes = figure.subplots()
        wide = 1.25 * max(float(found.mu_star.max()), _TINY)
        high = 1.15 * max(float(found.sigma.max()), 0.3 * wide)
        _guide(axes, wide, high)
        for raises, label, colour in (
            (True, "raises the output", COLOURS[0]),
            (False, "lowers it", COLOURS[1]),
        ):
            those = (found.mu >= 0) == raises
            half = found.mu_star_error[those]
            style = {"fmt": "o", "ms": 6, "elinewidth": 0.8, "color": colour, "label": label}
            axes.errorbar(found.mu_star[those], found.sigma[those], xerr=half, **style)
        unnamed = _name(axes, found)
        words = f", {unit}" if unit else ""
        axes.set(xlim=(0.0, wide), ylim=(0.0, high))
        axes.set(xlabel=f"mean size of the effect μ*{words}", ylabel=f"its spread σ{words}")
        rest = f" ({unnamed} near zero not named)" if unnamed else ""
        axes.set_title(f"Effect of each parameter over its whole range{rest}")
        axes.legend(loc="lower left", bbox_to_anchor=(1.02, 0.0), borderaxespad=0.0)
        save(figure, target)


def _guide(axes: Any, wide: float, high: float) -> None:
    """Draw where the effect is as uneven as it is large."""
    end = min(wide, high)
    axes.plot([0.0, end], [0.0, end], color="0.7", lw=1.0, ls="--", zorder=1)
    place = {"textcoords": "offset points", "ha": "right", "va": "top"}
    at = (0.97 * end, 0.97 * end)
    axes.annotate("σ = μ*", at, xytext=(-8, 0), color="0.45", fontsize=8.5, **place)


def _name(axes: Any, found: Screening) -> int:
    """Number the points that matter and list their names; return how many are left out."""
    threshold = _NAMED * max(float(found.mu_star.max()), _TINY)
    named = [i for i in found.order if found.mu_star[i] >= threshold]
    for number, i in enumerate(named, start=1):
        point = (found.mu_star[i], found.sigma[i])
        place = {"textcoords": "offset points", "xytext": (4, 4), "fontsize": 9}
        axes.annotate(str(number), point, **place)
    lines = [f"{number}  {found.names[i]}" for number, i in enumerate(named, start=1)]
    style = {"transform": axes.transAxes, "va": "top", "fontsize": 9, "linespacing": 1.5}
    axes.text(1.03, 1.0, "\n".join(lines), **style)
    return len(found.names) - len(named)
