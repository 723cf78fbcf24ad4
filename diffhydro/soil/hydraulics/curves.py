"""What every soil gives: θ(ψ), C(ψ), K(ψ), dK/dψ and ψ(θ).

ψ is the pressure head in mm, negative in unsaturated soil and positive under water; K is in mm
per day. A form is its `curves`, its inverse `psi` and its `air_entry`; the rest follows. `curves`
answers all four at once because they share their logarithms and exponentials, and because it is
the inner loop of the Richards solver. Whoever needs one of them asks for one: under `jit` the
rest is not computed.

Every form obeys the same rules:

- at and above air entry the answer is exactly θ_s, 0, k_sat, 0;
- C and dK/dψ are the derivatives of the returned θ and K, also where a limit holds;
- K stays above zero (see `conductivity_floor`), so that no mean of two conductivities is 0/0;
- values and first gradients are finite in float32 from ψ = −1e9 mm to any positive head.

ψ may have any shape. Parameters are scalars or arrays of the same rank as ψ that broadcast.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from diffhydro.typing import Array, Float

__all__ = ["AIR_DRY", "AbstractHydraulics", "Curves", "conductivity_floor", "is_unsaturated"]

AIR_DRY = 1e7  # mm of suction: the driest head that ψ(θ) returns, 10⁶ cm of SWIM
THINNEST_SUCTION = 1e-12  # mm; a smaller suction counts as saturated, or h⁻² overflows float32
LEAST_SATURATION = 1e-15  # −; at and below this ψ(θ) is air-dry


class Curves(eqx.Module):
    """Water content and conductivity at a head, with their derivatives, all of ψ's shape."""

    theta: Float[Array, "..."]
    capacity: Float[Array, "..."]
    conductivity: Float[Array, "..."]
    slope: Float[Array, "..."]


class AbstractHydraulics(eqx.Module):
    """A soil's retention and conductivity curves."""

    theta_r: eqx.AbstractVar[Float[Array, "..."]]
    theta_s: eqx.AbstractVar[Float[Array, "..."]]
    k_sat: eqx.AbstractVar[Float[Array, "..."]]

    @property
    @abstractmethod
    def air_entry(self) -> Float[Array, "..."] | float:
        """Give the head at and above which the soil is saturated, ≤ 0, in mm."""

    @property
    def rim(self) -> Float[Array, "..."] | float:
        """Give the width in mm of the strip below air entry in which slopes hardly change."""
        return 0.1

    @abstractmethod
    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""

    @abstractmethod
    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`: `air_entry` at θ_s and above.

        At θ_r and below, and wherever the suction would exceed `AIR_DRY`, it is −`AIR_DRY` with
        zero gradient.
        """

    def theta(self, psi: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the volumetric water content at `psi`."""
        return self.curves(psi).theta

    def capacity(self, psi: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give dθ/dψ at `psi`, in 1/mm."""
        return self.curves(psi).capacity

    def conductivity(self, psi: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the hydraulic conductivity at `psi`, in mm/day."""
        return self.curves(psi).conductivity


def conductivity_floor(*values: Any) -> float:
    """Give the relative conductivity added to K/k_sat so that it never underflows.

    8e-35 in float32 and 1e-277 in float64: with any k_sat above 1e-3 mm/day K is then a normal
    number of its type. Added rather than clipped, it leaves dK/dψ alone.
    """
    return float(jnp.finfo(jnp.result_type(*values)).tiny) ** 0.9


def is_unsaturated(
    psi: Float[Array, "..."], air_entry: Float[Array, "..."] | float
) -> Float[Array, "..."]:
    """Tell where `psi` lies below air entry by more than an atom's width."""
    return psi < air_entry - THINNEST_SUCTION


def saturated_or(
    unsaturated: Float[Array, "..."],
    soil: AbstractHydraulics,
    theta: Float[Array, "..."],
    capacity: Float[Array, "..."],
    conductivity: Float[Array, "..."],
    slope: Float[Array, "..."],
) -> Curves:
    """Keep the given values where the soil is unsaturated, and put the saturated ones elsewhere."""
    return Curves(
        theta=jnp.where(unsaturated, theta, soil.theta_s),
        capacity=jnp.where(unsaturated, capacity, 0.0),
        conductivity=jnp.where(unsaturated, conductivity, soil.k_sat),
        slope=jnp.where(unsaturated, slope, 0.0),
    )


class Dryness(eqx.Module):
    """Where θ lies between its limits, as y = (θ_s − θ)/(θ − θ_r) = 1/S_e − 1.

    y keeps its digits at both ends, where S_e and 1 − S_e each lose theirs at one.
    """

    ratio: Float[Array, "..."]
    is_dry: Float[Array, "..."]
    is_wet: Float[Array, "..."]

    def head(
        self,
        log_suction: Float[Array, "..."],
        air_entry: Float[Array, "..."] | float,
        driest: float = AIR_DRY,
    ) -> Float[Array, "..."]:
        """Turn ln(suction) into a head, with both ends in place."""
        # The cap is on the logarithm: clipping after an overflow would make the gradient NaN.
        inside = -jnp.exp(jnp.minimum(log_suction, jnp.log(jnp.asarray(driest, log_suction.dtype))))
        return jnp.where(self.is_wet, air_entry, jnp.where(self.is_dry, -driest, inside))


def dryness(
    theta: Float[Array, "..."], theta_r: Float[Array, "..."], theta_s: Float[Array, "..."]
) -> Dryness:
    """Measure how far `theta` is from its limits, with 1 in place of y where it is at one."""
    is_wet = theta >= theta_s
    is_dry = theta - theta_r <= LEAST_SATURATION * (theta_s - theta_r)
    inside = ~(is_wet | is_dry)
    above = jnp.where(inside, theta - theta_r, 1.0)
    below = jnp.where(inside, theta_s - theta, 1.0)
    return Dryness(ratio=below / above, is_dry=is_dry, is_wet=is_wet)
