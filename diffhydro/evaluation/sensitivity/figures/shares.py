"""Sobol's indices as bars: what each parameter does by itself, and with its interactions."""

from pathlib import Path

import numpy as np

from diffhydro.evaluation.sensitivity.figures.frame import (
    rows_of,
    tall_figure,
    whiskers,
    without,
)
from diffhydro.evaluation.sensitivity.variance import VarianceShares
from diffhydro.picture import COLOURS, save


def draw_sobol(found: VarianceShares, target: Path, *, most: int = 20) -> None:
    """Draw first and total indices, with their 95 % intervals, into a PNG."""
    rank = found.order[:most]
    rows = np.arange(len(rank))
    figure, context = tall_figure(len(rank))
    with context:
        axes = rows_of(figure, [found.names[i] for i in rank])
        total, first = found.total[rank], found.first[rank]
        axes.barh(rows - 0.2, first, 0.36, color=COLOURS[0], label="by itself, $S$")
        axes.barh(rows + 0.2, total, 0.36, color=COLOURS[4], label="with interactions, $S_T$")
        whiskers(axes, rows - 0.2, first, found.first_error[rank], "95 % interval")
        whiskers(axes, rows + 0.2, total, found.total_error[rank])
        axes.axvline(0.0, color="0.5", lw=0.8)
        axes.set_xlabel("share of the output's variance")
        left = without(len(found.names) - len(rank))
        axes.set_title(f"Sobol's indices from {found.runs} runs{left}")
        axes.legend(loc="lower right")
        save(figure, target)
