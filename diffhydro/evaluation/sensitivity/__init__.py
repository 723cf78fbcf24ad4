"""Sensitivity: what parameters, weather and start do to a run, near its values and over ranges."""

from diffhydro.evaluation.sensitivity.adjoint import Adjoint, adjoint
from diffhydro.evaluation.sensitivity.design import latin_hypercube, scrambled_sobol
from diffhydro.evaluation.sensitivity.dgsm import DerivativeMeasures, Estimate, dgsm
from diffhydro.evaluation.sensitivity.elasticities import Elasticities, elasticities
from diffhydro.evaluation.sensitivity.response import Response
from diffhydro.evaluation.sensitivity.screening import Screening, morris
from diffhydro.evaluation.sensitivity.study import Study
from diffhydro.evaluation.sensitivity.variance import VarianceShares, sobol

__all__ = [
    # what is asked
    "Study",
    "Response",
    # near the values of a model
    "Elasticities",
    "elasticities",
    "Adjoint",
    "adjoint",
    # over the ranges of its parameters
    "DerivativeMeasures",
    "Estimate",
    "dgsm",
    "Screening",
    "morris",
    "VarianceShares",
    "sobol",
    "scrambled_sobol",
    "latin_hypercube",
]
