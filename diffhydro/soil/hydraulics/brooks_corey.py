"""Brooks & Corey (1964): power laws below a sharp air entry.

With h = −ψ > h_b:  S_e = (h/h_b)^(−λ),  K = k_sat S_e^(2/λ + l + 2).

C and dK/dψ jump at air entry. With θ_r = 0, l = 1, λ = 1/b and h_b = |ψ_sat| it is the soil of
Clapp & Hornberger without that form's limits.
"""

import jax.numpy as jnp

from diffhydro.core.bijections import LINEAR, LOG
from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics.curves import (
    AbstractHydraulics,
    Curves,
    conductivity_floor,
    dryness,
    is_unsaturated,
    saturated_or,
)
from diffhydro.soil.hydraulics.domain import check_range, check_water_contents
from diffhydro.typing import Array, Float

__all__ = ["BrooksCorey"]

RAWLS_RANGE = "range of Rawls et al. 1982 class means, widened"


class BrooksCorey(AbstractHydraulics):
    """Power-law retention and conductivity, saturated at suctions up to h_b."""

    theta_r: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.0, 0.25),
        scale=LINEAR,
        description="residual water content",
        source=RAWLS_RANGE,
    )
    theta_s: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.26, 0.65),
        scale=LINEAR,
        description="saturated water content",
        source=RAWLS_RANGE,
    )
    h_b: Float[Array, "..."] = parameter(
        unit="mm",
        bounds=(10.0, 1000.0),
        scale=LOG,
        description="suction at which air enters",
        source=RAWLS_RANGE,
    )
    pore_index: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.05, 5.0),
        scale=LOG,
        description="pore-size distribution index λ",
        source=RAWLS_RANGE,
    )
    k_sat: Float[Array, "..."] = parameter(
        unit="mm/day",
        bounds=(0.8, 50000.0),
        scale=LOG,
        description="saturated conductivity",
        source=RAWLS_RANGE,
    )
    l: Float[Array, "..."] = parameter(  # noqa: E741 — Mualem's own letter
        unit="-",
        bounds=(-2.0, 2.0),
        scale=LINEAR,
        description="connectivity of pores",
        source="0.5 Mualem 1976; 1 Burdine 1953",
        default=1.0,
        fixed=True,
    )

    def __check_init__(self) -> None:
        check_water_contents(self)
        check_range(self, "h_b", above=0.0, advice="h_b is a suction in mm, positive")
        check_range(self, "pore_index", above=0.0, advice="sands have about 0.7, clays 0.1")
        check_range(self, "l", advice="1 is Burdine's value, 0.5 Mualem's")

    @property
    def air_entry(self) -> Float[Array, "..."]:
        """Give the head at and above which the soil is saturated: −h_b."""
        return -self.h_b

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        unsaturated = is_unsaturated(psi, self.air_entry)
        h = jnp.where(unsaturated, -psi, 2.0 * self.h_b)
        # This select also keeps the compiler from turning e^(−λ ln x) back into a slow power.
        log_ratio = jnp.where(unsaturated, jnp.log(h / self.h_b), 1.0)
        drained = (self.theta_s - self.theta_r) * jnp.exp(-self.pore_index * log_ratio)
        power = 2.0 + self.pore_index * (self.l + 2.0)
        relative = jnp.exp(-power * log_ratio)
        per_head = 1.0 / h
        return saturated_or(
            unsaturated,
            self,
            theta=self.theta_r + drained,
            capacity=drained * self.pore_index * per_head,
            conductivity=self.k_sat * (relative + conductivity_floor(psi, self.k_sat)),
            slope=self.k_sat * relative * power * per_head,
        )

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`."""
        dry = dryness(theta, self.theta_r, self.theta_s)
        log_suction = jnp.log(self.h_b) + jnp.log1p(dry.ratio) / self.pore_index
        return dry.head(log_suction, self.air_entry)
