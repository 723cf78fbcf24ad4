"""Pictures of what studies find, one for each method; what matters most stands first."""

from diffhydro.evaluation.sensitivity.figures.bounds import draw_dgsm
from diffhydro.evaluation.sensitivity.figures.effects import draw_morris
from diffhydro.evaluation.sensitivity.figures.influence import draw_adjoint
from diffhydro.evaluation.sensitivity.figures.shares import draw_sobol
from diffhydro.evaluation.sensitivity.figures.through_time import draw_elasticities

__all__ = ["draw_adjoint", "draw_dgsm", "draw_elasticities", "draw_morris", "draw_sobol"]
