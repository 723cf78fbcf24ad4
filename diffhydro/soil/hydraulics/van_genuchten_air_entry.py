"""van Genuchten soil with a small air-entry suction, which ends the slope's singularity."""

from diffhydro.core.bijections import LINEAR, LOG, log_above
from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics.curves import Curves
from diffhydro.soil.hydraulics.domain import check_range
from diffhydro.soil.hydraulics.mualem import (
    ROSETTA_RANGE,
    AbstractMualem,
    check_shape,
    mualem_curves,
    mualem_psi,
    pores_at,
)
from diffhydro.typing import Array, Float

__all__ = ["VanGenuchtenAirEntry"]


class VanGenuchtenAirEntry(AbstractMualem):
    """The form with a small air-entry suction h_e (Vogel et al. 2000; Ippisch et al. 2006).

    S_e is rescaled to reach 1 at h_e instead of 0, and the Mualem integral with it:
    S_e = [1 + (αh)ⁿ]^(−m) / S_c and K = k_sat S_e^l [F(h)/F(h_e)]² with F the bracket of the
    classic form and S_c its S_e at h_e. C and dK/dψ then stop at a finite value.
    """

    theta_r: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.02, 0.20),
        scale=LINEAR,
        description="residual water content",
        source=ROSETTA_RANGE,
    )
    theta_s: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.30, 0.60),
        scale=LINEAR,
        description="saturated water content",
        source=ROSETTA_RANGE,
    )
    alpha: Float[Array, "..."] = parameter(
        unit="1/mm",
        bounds=(1e-4, 0.02),
        scale=LOG,
        description="inverse of the suction at which large pores empty",
        source=ROSETTA_RANGE,
    )
    n: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(1.05, 5.0),
        scale=log_above(1.0),
        description="evenness of pore sizes",
        source=ROSETTA_RANGE,
    )
    k_sat: Float[Array, "..."] = parameter(
        unit="mm/day",
        bounds=(5.0, 20000.0),
        scale=LOG,
        description="saturated conductivity",
        source=ROSETTA_RANGE,
    )
    l: Float[Array, "..."] = parameter(  # noqa: E741 — Mualem's own letter
        unit="-",
        bounds=(-2.0, 2.0),
        scale=LINEAR,
        description="connectivity of pores",
        source="Mualem 1976",
        default=0.5,
        fixed=True,
    )
    h_e: Float[Array, "..."] = parameter(
        unit="mm",
        bounds=(1.0, 200.0),
        scale=LOG,
        description="suction at which air enters",
        source="Vogel et al. 2000",
        default=20.0,
        fixed=True,
    )

    def __check_init__(self) -> None:
        check_shape(self)
        check_range(self, "h_e", above=0.0, advice="without an air entry use VanGenuchten")

    @property
    def air_entry(self) -> Float[Array, "..."]:
        """Give the head at and above which the soil is saturated: −h_e."""
        return -self.h_e

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        entry = pores_at(self.h_e, self.alpha, self.n)
        return mualem_curves(
            self, psi, entry_log_se=entry.log_se, entry_conducting=entry.conducting
        )

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`."""
        return mualem_psi(self, theta, entry_log_se=pores_at(self.h_e, self.alpha, self.n).log_se)
