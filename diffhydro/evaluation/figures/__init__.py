"""Figures of an evaluation: each writes a PNG that is whole or absent."""

from diffhydro.evaluation.figures.boxes import draw_boxes
from diffhydro.evaluation.figures.calibration import coverage, draw_calibration, transform_members
from diffhydro.evaluation.figures.maps import draw_map
from diffhydro.evaluation.figures.scatter import draw_scatter
from diffhydro.evaluation.figures.series import draw_series
from diffhydro.evaluation.figures.taylor import draw_taylor

__all__ = [
    "draw_map",
    "draw_boxes",
    "draw_series",
    "draw_taylor",
    "draw_scatter",
    "draw_calibration",
    "coverage",
    "transform_members",
]
