"""Haverkamp et al. (1977): two independent sigmoids in ln h, fitted to a sand and a clay.

With h = −ψ > 0:  θ = θ_r + (θ_s − θ_r)/[1 + (h/h_θ)^β],  K = k_sat/[1 + (h/h_K)^γ].

The original writes A in place of h_K^γ and α in place of h_θ^β.
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

__all__ = ["Haverkamp"]

SOURCE = "chosen to hold the sand and the clay of Haverkamp et al. 1977"


class Haverkamp(AbstractHydraulics):
    """Retention and conductivity, each with its own suction scale and exponent.

    C and dK/dψ are singular at saturation where β or γ is below 1.
    """

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
    h_theta: Float[Array, "..."] = parameter(
        unit="mm",
        bounds=(10.0, 10000.0),
        scale=LOG,
        description="suction at which half the drainable water has left",
        source=SOURCE,
    )
    beta: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(1.0, 10.0),
        scale=LINEAR,
        description="exponent of the retention curve",
        source=SOURCE,
    )
    h_k: Float[Array, "..."] = parameter(
        unit="mm",
        bounds=(10.0, 10000.0),
        scale=LOG,
        description="suction at which conductivity is halved",
        source=SOURCE,
    )
    gamma: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(1.0, 10.0),
        scale=LINEAR,
        description="exponent of the conductivity curve",
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
        for name in ("h_theta", "h_k"):
            check_range(self, name, above=0.0, advice=f"{name} is a suction in mm, positive")
        for name in ("beta", "gamma"):
            check_range(self, name, above=0.0, advice="the published sand has about 4 and 5")

    @property
    def air_entry(self) -> float:
        """Give the head at and above which the soil is saturated: 0."""
        return 0.0

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        unsaturated = is_unsaturated(psi, 0.0)
        h = jnp.where(unsaturated, -psi, 1.0)
        held, lost = _sigmoid(self.beta * jnp.log(h / self.h_theta))
        open_, shut = _sigmoid(self.gamma * jnp.log(h / self.h_k))
        width = self.theta_s - self.theta_r
        per_head = 1.0 / h
        return saturated_or(
            unsaturated,
            self,
            theta=self.theta_r + width * held,
            capacity=width * self.beta * held * lost * per_head,
            conductivity=self.k_sat * (open_ + conductivity_floor(psi, self.k_sat)),
            slope=self.k_sat * self.gamma * open_ * shut * per_head,
        )

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`."""
        dry = dryness(theta, self.theta_r, self.theta_s)
        return dry.head(jnp.log(self.h_theta) + jnp.log(dry.ratio) / self.beta, 0.0)


def _sigmoid(a: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Give 1/(1 + e^a) and its complement, neither by subtraction."""
    t = jnp.exp(-jnp.abs(a))
    share = 1.0 / (1.0 + t)
    is_dry = a > 0.0
    return jnp.where(is_dry, t * share, share), jnp.where(is_dry, share, t * share)
