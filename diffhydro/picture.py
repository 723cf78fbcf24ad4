"""What all pictures share: colours, looks, an empty figure, and a file that is whole.

Colours can be told apart by colour-blind readers; matplotlib is imported when a figure is made.
"""

import os
from pathlib import Path
from typing import Any

from diffhydro.errors import InputError

__all__ = ["COLOURS", "DASHES", "STYLE", "blank_figure", "save"]

# Okabe and Ito (2008), with a grey for their yellow, which is faint on white.
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#8C8C8C",
)  # fmt: skip
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "figure.dpi": 110,
}


def blank_figure(size: tuple[float, float]) -> tuple[Any, Any]:
    """Return an empty figure, and the context that gives it this package's looks."""
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "drawing needs matplotlib, which is not installed: install the extra 'plot' "
            "(pip install 'diffhydro-jax[plot]'), or leave the figure out"
        ) from error
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, rc_context(STYLE)


def save(figure: Any, target: Path) -> None:
    """Write a figure as PNG so that the file is either whole or absent."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        # Without a date or version in it, the same figure is the same file.
        figure.savefig(part, format="png", metadata={"Software": None})
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
