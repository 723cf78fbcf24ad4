"""Frozen soil: ice in the pores lets less water through (CLM5; Lundin 1990).

    K ← K · 10^(−e F),    F = 1 − min(1, θ_liq/θ),
    θ_liq = θ(ψ_f),       ψ_f = L_f T/(g (T + 273.15))

θ_liq is what stays liquid at a temperature T below zero: what the soil holds at the head ψ_f, by
Clapp & Hornberger θ_s (ψ_f/ψ_sat)^(−1/b).
"""

from typing import TYPE_CHECKING

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics.by_water import ByWater, by_water
from diffhydro.soil.hydraulics.curves import AbstractHydraulics, Curves
from diffhydro.typing import Array, Float

LATENT_HEAT_OF_FUSION = 3.337e5  # J/kg
GRAVITY = 9.80665  # m/s²
MM_PER_M = 1000.0
KELVIN = 273.15
LN_10 = float(np.log(10.0))


class Impedance(eqx.Module):
    """How ice stops water."""

    strength: Float[Array, ""] = parameter(
        unit="-",
        bounds=(1.4, 8.0),
        default=6.0,
        description="orders of magnitude that full ice takes off the conductivity, e_ice",
        source="CLM5; Lundin 1990",
    )

    def share(
        self,
        soil: AbstractHydraulics,
        theta: Float[Array, " layer"],
        temperature: Float[Array, ""],
    ) -> Float[Array, " layer"]:
        """Give the share of its conductivity that soil keeps at a temperature (°C)."""
        frozen = temperature < 0
        cold = jnp.where(frozen, temperature, -1.0)
        head = MM_PER_M * LATENT_HEAT_OF_FUSION * cold / (GRAVITY * (cold + KELVIN))
        liquid = soil.theta(jnp.broadcast_to(head, theta.shape))
        ice = 1.0 - jnp.minimum(liquid / theta, 1.0)
        return jnp.where(frozen, jnp.exp(-LN_10 * self.strength * ice), 1.0)


class Impeded(AbstractHydraulics):
    """A soil that conducts a share of what it would."""

    soil: AbstractHydraulics
    share: Float[Array, "..."]

    if TYPE_CHECKING:
        theta_r: Float[Array, "..."] = eqx.field(init=False)
        theta_s: Float[Array, "..."] = eqx.field(init=False)
        k_sat: Float[Array, "..."] = eqx.field(init=False)
    else:

        @property
        def theta_r(self) -> Float[Array, "..."]:
            """Give the residual water content of the soil."""
            return self.soil.theta_r

        @property
        def theta_s(self) -> Float[Array, "..."]:
            """Give the saturated water content of the soil."""
            return self.soil.theta_s

        @property
        def k_sat(self) -> Float[Array, "..."]:
            """Give the saturated conductivity that is left."""
            return self.share * self.soil.k_sat

    @property
    def air_entry(self) -> Float[Array, "..."] | float:
        return self.soil.air_entry

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        free = self.soil.curves(psi)
        conductivity, slope = self.share * free.conductivity, self.share * free.slope
        return Curves(free.theta, free.capacity, conductivity, slope)

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.soil.psi(theta)


@by_water.register
def _(soil: Impeded, theta: Float[Array, "..."]) -> ByWater:
    free = by_water(soil.soil, theta)
    conductivity, slope = soil.share * free.conductivity, soil.share * free.conductivity_slope
    return ByWater(free.psi, conductivity, free.psi_slope, slope)
