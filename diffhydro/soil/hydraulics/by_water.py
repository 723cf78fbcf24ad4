"""The curves as functions of water content: ψ(θ), K(θ) and their slopes.

What a solver asks whose unknown is θ. Where a limit holds the slope is zero.
"""

from functools import singledispatch

import equinox as eqx
import jax.numpy as jnp

from diffhydro.soil.hydraulics.clapp_hornberger import DRIEST, ClappHornberger
from diffhydro.soil.hydraulics.curves import AbstractHydraulics
from diffhydro.typing import Array, Float

__all__ = ["ByWater", "by_water"]

LEAST_SATURATION = 1e-3
LEAST_CONDUCTIVITY = 8.64e-8  # mm/day; 1e-12 mm/s
_LARGEST_EXPONENT = 80.0  # exp of it fits float32


class ByWater(eqx.Module):
    """Head and conductivity at a water content, with their derivatives in θ."""

    psi: Float[Array, "..."]
    conductivity: Float[Array, "..."]
    psi_slope: Float[Array, "..."]
    conductivity_slope: Float[Array, "..."]


@singledispatch
def by_water(soil: AbstractHydraulics, theta: Float[Array, "..."]) -> ByWater:
    """Evaluate all four at `theta`: for any soil by way of the head."""
    psi = soil.psi(theta)
    curves = soil.curves(psi)
    gives = curves.capacity > 0
    per_head = jnp.where(gives, 1.0 / jnp.where(gives, curves.capacity, 1.0), 0.0)
    return ByWater(psi, curves.conductivity, per_head, curves.slope * per_head)


@by_water.register
def _(soil: ClappHornberger, theta: Float[Array, "..."]) -> ByWater:
    """Evaluate with one logarithm and two exponentials; exponents are limited before them."""
    log_s = jnp.log(jnp.clip(theta / soil.theta_s, LEAST_SATURATION, 1.0))
    psi = soil.psi_sat * jnp.exp(jnp.minimum(-soil.b * log_s, _LARGEST_EXPONENT))
    power = 2.0 * soil.b + 3.0
    k = soil.k_sat * jnp.exp(power * log_s)
    dry, tight = psi < -DRIEST, k < LEAST_CONDUCTIVITY
    per_theta = 1.0 / theta
    psi = jnp.maximum(psi, -DRIEST)
    k = jnp.maximum(k, LEAST_CONDUCTIVITY)
    return ByWater(
        psi=psi,
        conductivity=k,
        psi_slope=jnp.where(dry, 0.0, -soil.b * psi * per_theta),
        conductivity_slope=jnp.where(tight, 0.0, power * k * per_theta),
    )
