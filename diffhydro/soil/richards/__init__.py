"""The Richards equation: laid out, stepped, and differentiated. `solver.advance` is the door."""

from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.problem import Mesh, Problem, prepare
from diffhydro.soil.richards.solver import advance
from diffhydro.soil.richards.stage import BACKWARD_EULER, SDIRK2
from diffhydro.soil.richards.state import Effort, Exchange, SoilWater

__all__ = [
    "BACKWARD_EULER",
    "SDIRK2",
    "Adaptive",
    "Effort",
    "Exchange",
    "Fixed",
    "Mesh",
    "Problem",
    "SoilWater",
    "advance",
    "prepare",
]
