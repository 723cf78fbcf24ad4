"""Gaps in series, and how they are filled: every estimate is marked with its method."""

from diffhydro.data.gaps.chain import Chain
from diffhydro.data.gaps.climatology import Climatology, day_of_year
from diffhydro.data.gaps.filled import AbstractImputer, Filled, Method, fill
from diffhydro.data.gaps.linear import Linear
from diffhydro.data.gaps.neighbours import Neighbours
from diffhydro.data.gaps.runs import days_per_step, gap_lengths

__all__ = [
    "AbstractImputer",
    "Chain",
    "Climatology",
    "Filled",
    "Linear",
    "Method",
    "Neighbours",
    "day_of_year",
    "days_per_step",
    "fill",
    "gap_lengths",
]
