"""Errors that grow with the simulated value and last: their likelihood.

    e = o − s,  σ = σ_0 + g |s|,  a = e/σ,  η_t = (a_t − φ^Δ a_{t−Δ})/√(1 − φ^{2Δ})

    −ln p = Σ ½η² + ln σ + ½ ln(1 − φ^{2Δ}) + ½ ln 2π

with Δ the time since the observation before: a gap of n days is an AR(1) step of φⁿ, so that
missing observations need no filling. The first observation is drawn from the stationary law.
(Sorooshian & Dracup 1980; Schoups & Vrugt 2010 without skew and kurtosis.)
"""

import math

import jax
import jax.numpy as jnp

from diffhydro.core.bijections import LOG
from diffhydro.core.parameters import parameter
from diffhydro.training.losses import AbstractLoss, Parts, Series, compared
from diffhydro.typing import Array, Float


class Gaussian(AbstractLoss):
    """The negative logarithm of the likelihood of the observations.

    All three numbers may be calibrated with the model.

    Args:
        sigma: Standard deviation at a simulated value of 0.
        growth: Of the standard deviation with the simulated value.
        memory: Correlation of an error with that of the time before.
    """

    sigma: Float[Array, ""] = parameter(
        unit="-",
        bounds=(1e-4, 100.0),
        scale=LOG,
        default=0.03,
        description="standard deviation of errors, in the units of the series",
    )
    growth: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.0, 1.0),
        default=0.0,
        fixed=True,
        description="growth of the standard deviation of errors with the simulated value",
    )
    memory: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.0, 0.995),
        default=0.0,
        fixed=True,
        description="correlation of errors from one time to the next",
    )

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        """Return whitened residuals, ½η² each, and the logarithms.

        A weight is a power of the likelihood.
        """
        error, weight = compared(simulated, observed, weight)
        seen = weight > 0
        sigma, growth, memory = (
            x.astype(error.dtype) for x in (self.sigma, self.growth, self.memory)
        )
        spread = jnp.where(seen, sigma + growth * jnp.abs(simulated), 1.0)
        scaled = error / spread
        kept, share = _kept(scaled, seen, memory)
        white = (scaled - kept) / jnp.sqrt(share)
        logs = jnp.log(spread) + 0.5 * jnp.log(share) + 0.5 * math.log(2.0 * math.pi)
        root = jnp.sqrt(jnp.where(seen, 0.5 * weight, 1.0))
        residuals = jnp.where(seen, white * root, 0.0)
        return Parts(residuals, jnp.sum(jnp.where(seen, weight * logs, 0.0)))


def _kept(scaled: Series, seen: Array, memory: Array) -> tuple[Series, Series]:
    """Return what the error before says of every error, and the share of variance it leaves."""

    def step(carry, now):
        last, power = carry  # the last error seen, and φ to the power of the time since
        power = power * memory
        value, is_seen = now
        out = power * last, 1.0 - power**2
        last = jnp.where(is_seen, value, last)
        return (last, jnp.where(is_seen, jnp.ones_like(power), power)), out

    none = jnp.zeros_like(scaled[0])
    _, (kept, share) = jax.lax.scan(step, (none, none), (scaled, seen))
    return kept, share
