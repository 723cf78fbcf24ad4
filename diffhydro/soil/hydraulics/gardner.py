"""Gardner (1958) exponential soil: the one that makes Richards' equation linear.

For ψ < 0:  K = k_sat e^(αψ),  θ = θ_r + (θ_s − θ_r) e^(αψ).
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

__all__ = ["Gardner"]

SOURCE = "chosen to hold Gardner 1958 and Srivastava & Yeh 1991"


class Gardner(AbstractHydraulics):
    """Exponential retention and conductivity with one α."""

    theta_r: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.0, 0.25),
        scale=LINEAR,
        description="residual water content",
        source=SOURCE,
    )
    theta_s: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.26, 0.65),
        scale=LINEAR,
        description="saturated water content",
        source=SOURCE,
    )
    alpha: Float[Array, "..."] = parameter(
        unit="1/mm",
        bounds=(1e-4, 0.1),
        scale=LOG,
        description="rate at which conductivity falls with suction",
        source=SOURCE,
    )
    k_sat: Float[Array, "..."] = parameter(
        unit="mm/day",
        bounds=(0.8, 50000.0),
        scale=LOG,
        description="saturated conductivity",
        source=SOURCE,
    )

    def __check_init__(self) -> None:
        check_water_contents(self)
        check_range(self, "alpha", above=0.0, advice="give alpha in 1/mm (1/cm divided by 10)")

    @property
    def air_entry(self) -> float:
        """Give the head at and above which the soil is saturated: 0."""
        return 0.0

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        unsaturated = is_unsaturated(psi, 0.0)
        relative = jnp.exp(self.alpha * jnp.where(unsaturated, psi, -1.0))
        drained = (self.theta_s - self.theta_r) * relative
        return saturated_or(
            unsaturated,
            self,
            theta=self.theta_r + drained,
            capacity=self.alpha * drained,
            conductivity=self.k_sat * (relative + conductivity_floor(psi, self.k_sat)),
            slope=self.alpha * self.k_sat * relative,
        )

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`."""
        dry = dryness(theta, self.theta_r, self.theta_s)
        return dry.head(jnp.log(jnp.log1p(dry.ratio) / self.alpha), 0.0)
