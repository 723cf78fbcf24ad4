"""Bounds of total indices from derivatives, beside the indices themselves where they are known."""

from pathlib import Path

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.dgsm import DerivativeMeasures
from diffhydro.evaluation.sensitivity.figures.frame import (
    rows_of,
    tall_figure,
    whiskers,
    without,
)
from diffhydro.evaluation.sensitivity.variance import VarianceShares
from diffhydro.picture import COLOURS, save

_INTERVAL = 1.96  # standard errors on either side make 95 %
_ORANGE = COLOURS[1]
_PALE = COLOURS[4]


def draw_dgsm(
    found: DerivativeMeasures,
    target: Path,
    *,
    shares: VarianceShares | None = None,
    most: int = 20,
) -> None:
    """Draw bounds as bars, and Sobol's total indices as points, into a PNG.

    Args:
        shares: Of the same response.
        most: Parameters.
    """
    rank = found.order[:most]
    names = [found.names[i] for i in rank]
    rows = np.arange(len(rank))
    low, high = found.lower.value[rank], found.upper.value[rank]
    figure, context = tall_figure(len(names))
    with context:
        axes = rows_of(figure, names)
        label = "between the bounds by derivatives"
        bars = axes.barh(rows - 0.12, high - low, 0.36, left=low, color=_PALE, label=label)
        marks = axes.plot(high, rows - 0.12, "|", color=COLOURS[0], ms=10, mew=2.4)[0]
        marks.set_label("upper bound")
        error = _INTERVAL * found.upper.error[rank]
        key = [bars, marks, whiskers(axes, rows - 0.12, high, error, "its 95 % interval")]
        if shares is not None:
            total, half = _total(shares, names)
            style = {"color": _ORANGE, "ms": 5.0, "elinewidth": 1.2, "capsize": 2.0}
            label = "Sobol's $S_T$, 95 % interval"
            key += [axes.errorbar(total, rows + 0.24, xerr=half, fmt="o", label=label, **style)]
        axes.set_xlabel("share of the output's variance, with all interactions")
        axes.set_xlim(left=0.0)
        axes.legend(handles=key, loc="lower right")
        axes.set_title(f"Total indices{without(len(found.names) - len(rank))}")
        save(figure, target)


def _total(shares: VarianceShares, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    missing = set(names) - set(shares.names)
    if missing:
        raise InputError(f"the shares are of another response: they lack {', '.join(missing)}")
    at = [shares.names.index(name) for name in names]
    return shares.total[at], shares.total_error[at]
