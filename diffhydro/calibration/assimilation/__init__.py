"""Data assimilation: a model and observations of it, brought together window by window.

`Variational` (4D-Var) fits a window as a whole; `EnsembleKalman` follows observations day by day.
`cycle` takes either through a record and leaves a file from which another process goes on.
"""

from diffhydro.calibration.assimilation.cycling import cycle
from diffhydro.calibration.assimilation.ensemble_kalman import EnsembleKalman
from diffhydro.calibration.assimilation.figures import draw_cost, draw_reports, draw_water
from diffhydro.calibration.assimilation.filtered import Filtered, Members, joined
from diffhydro.calibration.assimilation.innovations import Innovations, Quality
from diffhydro.calibration.assimilation.kalman import (
    AbstractKalman,
    PerturbedObservations,
    SquareRoot,
)
from diffhydro.calibration.assimilation.minimise import Stop
from diffhydro.calibration.assimilation.observation import Observation
from diffhydro.calibration.assimilation.offers import offers
from diffhydro.calibration.assimilation.part import AbstractPart, Amounts, Heads
from diffhydro.calibration.assimilation.perturbation import (
    AbstractPerturbation,
    Factor,
    Perturbations,
    Shift,
)
from diffhydro.calibration.assimilation.posterior import Normal, posterior, prior
from diffhydro.calibration.assimilation.scheme import AbstractScheme
from diffhydro.calibration.assimilation.soft_bounds import SoftBounds
from diffhydro.calibration.assimilation.spreading import (
    AbstractSpreading,
    AsItIs,
    Inflation,
    RelaxToPrior,
)
from diffhydro.calibration.assimilation.uncertainty import (
    AbstractUncertain,
    UncertainParameters,
    UncertainRain,
    UncertainState,
)
from diffhydro.calibration.assimilation.variational import Analysis, Course, Variational
from diffhydro.calibration.assimilation.water import Books
from diffhydro.calibration.assimilation.window import Window

__all__ = [
    # schemes, and what they leave
    "AbstractScheme",
    "Variational",
    "Analysis",
    "Course",
    "EnsembleKalman",
    "Filtered",
    "Members",
    "cycle",
    "joined",
    # what was observed
    "Observation",
    "Innovations",
    "Quality",
    # what is uncertain
    "AbstractUncertain",
    "UncertainState",
    "UncertainParameters",
    "UncertainRain",
    "AbstractPerturbation",
    "Perturbations",
    "Factor",
    "Shift",
    # what of a state can move
    "AbstractPart",
    "Amounts",
    "Heads",
    "SoftBounds",
    "offers",
    # laws of an ensemble
    "AbstractKalman",
    "PerturbedObservations",
    "SquareRoot",
    "AbstractSpreading",
    "AsItIs",
    "Inflation",
    "RelaxToPrior",
    # the cost of a window, and how sure its minimum is
    "Window",
    "Stop",
    "Normal",
    "prior",
    "posterior",
    # books and pictures
    "Books",
    "draw_cost",
    "draw_reports",
    "draw_water",
]
