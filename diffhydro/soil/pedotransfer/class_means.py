"""Clapp–Hornberger parameters by texture class: the two published tables.

k_sat of Clapp & Hornberger is their cm/min. The copy of that table in the public TEM code is ten
times smaller under the heading mm/s; its numbers are cm/s. The two organic rows are TEM estimates
of unknown unit: take them as uncertain by a factor of ten.
"""

from typing import NamedTuple

from diffhydro.core.parameters import as_parameter
from diffhydro.soil.hydraulics import ClappHornberger
from diffhydro.soil.pedotransfer.texture import named

__all__ = ["CLAPP_HORNBERGER_1978", "COSBY_1984", "clapp_hornberger_1978", "cosby_1984"]

SECONDS_PER_DAY = 86400.0


class ClassMean(NamedTuple):
    """One row as published."""

    b: float
    k_sat_mm_per_s: float
    psi_sat_mm: float
    theta_s: float


CLAPP_HORNBERGER_1978 = {
    "sand": ClassMean(4.05, 0.176, -121.0, 0.395),
    "loamy sand": ClassMean(4.38, 0.156, -90.0, 0.410),
    "sandy loam": ClassMean(4.90, 0.0347, -218.0, 0.435),
    "silt loam": ClassMean(5.30, 0.0072, -786.0, 0.485),
    "loam": ClassMean(5.39, 0.00695, -478.0, 0.451),
    "sandy clay loam": ClassMean(7.12, 0.0063, -299.0, 0.420),
    "silty clay loam": ClassMean(7.75, 0.0017, -356.0, 0.477),
    "clay loam": ClassMean(8.52, 0.00245, -630.0, 0.476),
    "sandy clay": ClassMean(10.4, 0.00217, -153.0, 0.426),
    "silty clay": ClassMean(10.4, 0.00103, -490.0, 0.492),
    "clay": ClassMean(11.4, 0.00128, -405.0, 0.482),
    "peat": ClassMean(4.00, 0.02, -120.0, 0.650),
    "moss": ClassMean(1.00, 0.06, -120.0, 0.800),
}  # Clapp & Hornberger 1978, table 2; peat and moss from TEM

COSBY_1984 = {
    "sand": ClassMean(2.79, 0.0466, -69.0, 0.339),
    "loamy sand": ClassMean(4.26, 0.0141, -36.0, 0.421),
    "sandy loam": ClassMean(4.74, 0.00523, -141.0, 0.434),
    "loam": ClassMean(5.25, 0.00338, -355.0, 0.439),
    "silt loam": ClassMean(5.33, 0.00281, -759.0, 0.476),
    "sandy clay loam": ClassMean(6.77, 0.00445, -135.0, 0.404),
    "clay loam": ClassMean(8.17, 0.00245, -263.0, 0.465),
    "silty clay loam": ClassMean(8.72, 0.00203, -617.0, 0.464),
    "sandy clay": ClassMean(10.73, 0.00722, -98.0, 0.406),
    "silty clay": ClassMean(10.39, 0.00134, -324.0, 0.468),
    "clay": ClassMean(11.55, 0.000974, -468.0, 0.468),
}  # Cosby et al. 1984, table 5


def clapp_hornberger_1978(texture: str) -> ClappHornberger:
    """Give the class mean of Clapp & Hornberger by texture name, or peat, or moss."""
    return _soil(named(texture, CLAPP_HORNBERGER_1978))


def cosby_1984(texture: str) -> ClappHornberger:
    """Give the class mean of Cosby et al. by texture name; they have none for silt."""
    return _soil(named(texture, COSBY_1984))


def _soil(mean: ClassMean) -> ClappHornberger:
    return ClappHornberger(
        theta_s=as_parameter(mean.theta_s),
        k_sat=as_parameter(mean.k_sat_mm_per_s * SECONDS_PER_DAY),
        psi_sat=as_parameter(mean.psi_sat_mm),
        b=as_parameter(mean.b),
    )
