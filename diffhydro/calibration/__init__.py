"""Parameters from observations, when there are few of them.

`Calibration` says what is fitted to what, `calibrate` fits every site for itself and
`calibrate_together` sites that share parameters.
"""

from diffhydro.calibration.calibrate import calibrate, calibrate_together
from diffhydro.calibration.descent import Adam, Lbfgs
from diffhydro.calibration.fitted import Fitted
from diffhydro.calibration.levenberg_marquardt import LevenbergMarquardt
from diffhydro.calibration.minimise import Minimum, minimise
from diffhydro.calibration.prior import Near, Uniform
from diffhydro.calibration.problem import Calibration, Target

__all__ = [
    "Adam",
    "Calibration",
    "Fitted",
    "LevenbergMarquardt",
    "Lbfgs",
    "Minimum",
    "Near",
    "Target",
    "Uniform",
    "calibrate",
    "calibrate_together",
    "minimise",
]
