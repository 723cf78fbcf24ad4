"""Taylor's diagram (2001): correlation, spread and error of several models as one point each.

    E′² = σ² + 1 − 2 σ r,    σ = sd of the model/sd of what was observed

The angle is arccos r, the distance from the origin σ, that from the point "observed" the error
without the bias, in units of the observed standard deviation.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.picture import COLOURS, blank_figure, save
from diffhydro.typing import ArrayLike

_CORRELATIONS = (-0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
_MARKS = "osD^vP*X"


def draw_taylor(
    models: Mapping[str, tuple[ArrayLike, ArrayLike]], target: Path, *, title: str = ""
) -> None:
    """Draw models, each a point a place and a larger one for their medians.

    Args:
        models: By name, correlations and ratios of standard deviations (model over observed), of
            one place or of many.
    """
    given = {name: _checked(name, *pair) for name, pair in models.items()}
    if not given:
        raise InputError("a Taylor diagram needs a model")
    ratios = np.concatenate([ratio for _, ratio in given.values()])
    reach = 1.1 * max(1.25, float(np.quantile(ratios, 0.98)))
    is_half = min(float(r.min()) for r, _ in given.values()) < 0.0
    figure, context = blank_figure((7.6, 5.8) if is_half else (5.6, 6.0))
    with context:
        axes = figure.add_subplot(projection="polar")
        axes.set_title(title, loc="left", pad=16)
        _frame(axes, reach, is_half)
        axes.plot(0.0, 1.0, "*", ms=13, color="black", label="observed", clip_on=False, zorder=5)
        for place, (name, (r, ratio)) in enumerate(given.items()):
            _model(axes, name, r, ratio, place)
        figure.legend(loc="outside lower center", ncols=3)
        save(figure, target)


def _checked(name: str, r: Any, ratio: Any) -> tuple[np.ndarray, np.ndarray]:
    r, ratio = (np.atleast_1d(np.asarray(x, np.float64)).ravel() for x in (r, ratio))
    if r.shape != ratio.shape:
        raise InputError(f"{name} has {len(r)} correlations and {len(ratio)} ratios")
    known = np.isfinite(r) & np.isfinite(ratio)
    if not known.any():
        raise InputError(f"{name} has no place with a correlation; leave it out")
    r, ratio = r[known], ratio[known]
    if (np.abs(r) > 1.0 + 1e-9).any() or (ratio < 0).any():
        raise InputError(f"{name} has a correlation beyond ±1 or a negative ratio")
    return np.clip(r, -1.0, 1.0), ratio


def _model(axes: Any, name: str, r: np.ndarray, ratio: np.ndarray, place: int) -> None:
    colour, mark = COLOURS[place % len(COLOURS)], _MARKS[place % len(_MARKS)]
    if len(r) > 1:
        axes.plot(np.arccos(r), ratio, mark, ms=3.2, color=colour, alpha=0.45, mew=0)
    axes.plot(
        np.arccos(np.median(r)), np.median(ratio), mark, ms=9, color=colour, mec="white",
        label=name if len(r) == 1 else f"{name}, median of {len(r)}", zorder=4,
    )  # fmt: skip


def _frame(axes: Any, reach: float, is_half: bool) -> None:
    widest = np.pi if is_half else np.pi / 2
    axes.set(thetamin=0, thetamax=np.degrees(widest))
    ticks = [r for r in _CORRELATIONS if r >= 0 or is_half]
    axes.set_thetagrids(np.degrees(np.arccos(ticks)), [f"{r:g}" for r in ticks])
    axes.set_ylim(0.0, reach)
    axes.set_rgrids(np.arange(0.0, reach, 0.5))
    axes.annotate(
        "standard deviation / observed one", (0.0, 0.5 * reach), (0, -26),
        textcoords="offset points", ha="center", va="top",
    )  # fmt: skip
    axes.text(
        widest / 2, (1.18 if is_half else 1.13) * reach, "correlation", ha="center", va="center",
        rotation=0 if is_half else -45,
    )  # fmt: skip
    _errors(axes, reach, widest, 0.5 if is_half else 0.25)


def _errors(axes: Any, reach: float, widest: float, apart: float) -> None:
    """Draw circles of equal error about what was observed."""
    angle, far = np.meshgrid(np.linspace(0.0, widest, 181), np.linspace(0.0, reach, 90))
    error = np.sqrt(np.maximum(far**2 + 1.0 - 2.0 * far * np.cos(angle), 0.0))
    lines = axes.contour(
        angle, far, error, np.arange(apart, 3.0, apart), colors="0.6", linewidths=0.7
    )
    axes.clabel(lines, fmt=lambda x: f"error {x:g} sd", fontsize=7)
