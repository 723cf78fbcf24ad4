"""Broadbridge & White (1988): the nonlinear soil with an exact solution for constant rain.

With T = (θ − θ_r)/(θ_s − θ_r) and h = −ψ > 0:

    h/λ_s = 1/T − 1 + (1/C) ln[(C − T)/((C − 1) T)],    K = k_sat (C − 1) T²/(C − T).

In y = 1/T − 1 and κ = C/(C − 1) the same reads h/λ_s = y + ln(1 + κy)/C and K = k_sat T/(1 + κy),
where nothing cancels at either end. θ(h) has no closed form: y is found by Newton's method on
an increasing concave function, from a start that is never above the root, so that every iterate
moves up and none can overshoot.
"""

import jax
import jax.numpy as jnp

from diffhydro.core.bijections import LINEAR, LOG, log_above
from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics.curves import (
    AbstractHydraulics,
    Curves,
    dryness,
    is_unsaturated,
    saturated_or,
)
from diffhydro.soil.hydraulics.domain import check_range, check_water_contents
from diffhydro.typing import Array, Float

__all__ = ["BroadbridgeWhite"]

SOURCE = "White & Broadbridge 1988, fitted soils"
NEWTON_STEPS = 8  # reach the last place in float64 for 1.0001 ≤ C ≤ 11, any head (measured)


class BroadbridgeWhite(AbstractHydraulics):
    """Retention and conductivity in closed form of θ; C near 1 is a soil with sharp fronts."""

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
    lambda_s: Float[Array, "..."] = parameter(
        unit="mm",
        bounds=(10.0, 1000.0),
        scale=LOG,
        description="macroscopic capillary length",
        source=SOURCE,
    )
    c: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(1.01, 2.0),
        scale=log_above(1.0),
        description="strength of the nonlinearity, C",
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
        check_range(self, "lambda_s", above=0.0, advice="lambda_s is a length in mm")
        check_range(self, "c", above=1.0, advice="field soils have 1.02 to 1.5")

    @property
    def air_entry(self) -> float:
        """Give the head at and above which the soil is saturated: 0."""
        return 0.0

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        unsaturated = is_unsaturated(psi, 0.0)
        scaled = jnp.where(unsaturated, -psi, 1.0) / self.lambda_s
        y = dryness_at(scaled, self.c)
        kappa = self.c / (self.c - 1.0)
        t = 1.0 / (1.0 + y)
        relative = 1.0 / (1.0 + kappa * y)
        # dy/dh, from the equation for y; the sign of ψ = −h cancels that of dT/dy = −T².
        steepness = (self.c - 1.0) / (relative * self.c) * t / self.lambda_s
        conductivity = self.k_sat * t * relative
        width = self.theta_s - self.theta_r
        return saturated_or(
            unsaturated,
            self,
            theta=self.theta_r + width * t,
            capacity=width * t * t * steepness,
            conductivity=conductivity,
            slope=conductivity * (t + kappa * relative) * steepness,
        )

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`."""
        dry = dryness(theta, self.theta_r, self.theta_s)
        scaled = dry.ratio + jnp.log1p(self.c / (self.c - 1.0) * dry.ratio) / self.c
        return dry.head(jnp.log(self.lambda_s * scaled), 0.0)


@jax.custom_jvp
def dryness_at(scaled: Float[Array, "..."], c: Float[Array, "..."]) -> Float[Array, "..."]:
    """Find y ≥ 0 with y + ln(1 + κy)/C = scaled."""
    kappa = c / (c - 1.0)
    # Both are below the root: from ln(1 + κy) ≤ κy, and from y ≤ scaled inside the logarithm.
    y = jnp.maximum(scaled * (c - 1.0) / c, scaled - jnp.log1p(kappa * scaled) / c)
    for _ in range(NEWTON_STEPS):
        excess = y + jnp.log1p(kappa * y) / c - scaled
        y = y - excess * (c - 1.0 + c * y) / (c + c * y)
    return y


@dryness_at.defjvp
def _(
    primals: tuple[Float[Array, "..."], ...], tangents: tuple[Float[Array, "..."], ...]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Differentiate the equation at its root, not the iteration."""
    scaled, c = primals
    d_scaled, d_c = tangents
    y = dryness_at(scaled, c)
    log_term = jnp.log1p(c / (c - 1.0) * y)
    by_c = -log_term / (c * c) - y / (c * (c - 1.0) * (c - 1.0 + c * y))
    return y, (d_scaled - by_c * d_c) * (c - 1.0 + c * y) / (c + c * y)
