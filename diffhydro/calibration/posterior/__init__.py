"""How sure a calibration is, and what that means for what the model says.

`laplace` turns a fit into a posterior of every site at once, `sample` draws from it by NUTS,
`bands` and `linear_bands` carry it into the series, and `coverage` tells whether bands hold what
they promise.
"""

from diffhydro.calibration.posterior.bands import CURVE, LEVELS, Bands, Interval
from diffhydro.calibration.posterior.chains import Chains
from diffhydro.calibration.posterior.coverage import (
    Coverage,
    coverage,
    parameter_coverage,
    unseen,
)
from diffhydro.calibration.posterior.ensemble import bands, simulate_members
from diffhydro.calibration.posterior.figures import (
    plot_bands,
    plot_correlation,
    plot_intervals,
    plot_reliability,
)
from diffhydro.calibration.posterior.laplace import laplace
from diffhydro.calibration.posterior.likelihood import with_likelihood
from diffhydro.calibration.posterior.linear import linear_bands
from diffhydro.calibration.posterior.posterior import Posterior
from diffhydro.calibration.posterior.sampling import sample

__all__ = [
    "CURVE",
    "LEVELS",
    "Bands",
    "Chains",
    "Coverage",
    "Interval",
    "Posterior",
    "bands",
    "coverage",
    "laplace",
    "linear_bands",
    "parameter_coverage",
    "plot_bands",
    "plot_correlation",
    "plot_intervals",
    "plot_reliability",
    "sample",
    "simulate_members",
    "unseen",
    "with_likelihood",
]
