"""Losses of one series that networks are trained with, and that have no residuals.

    root mean square   L = √(Σw e²/Σw)
    mean absolute      L = Σw |e|/Σw
    uncorrelated       L = 1 − r,  r = cov(s, o)/√((var s + ε²)(var o + ε²))

ε keeps r of a series that hardly varies, and its slope, from being made of noise. Each series has
its own mean.
"""

import equinox as eqx
import jax.numpy as jnp

from diffhydro.training.counted import mean
from diffhydro.training.losses import AbstractLoss, Parts, Series, compared
from diffhydro.typing import Array


class RootMeanSquare(AbstractLoss):
    """The root of the mean square; of a perfect fit 0, with a slope of 0."""

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        error, weight = compared(simulated, observed, weight)
        square = mean(error**2, weight)
        # The slope of a root at 0 is infinite.
        is_off = square > 0
        return Parts(None, jnp.where(is_off, jnp.sqrt(jnp.where(is_off, square, 1.0)), 0.0))


class MeanAbsolute(AbstractLoss):
    """The mean of the sizes of the differences; the slope of a difference of 0 is 0."""

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        error, weight = compared(simulated, observed, weight)
        return Parts(None, mean(jnp.abs(error), weight))


class Uncorrelated(AbstractLoss):
    """One minus Pearson's correlation: between 0 and 2, and 1 where a series does not vary.

    Args:
        least: Standard deviation below which a series does not vary, in its units.
    """

    least: float = eqx.field(static=True, default=1e-4)

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        _, weight = compared(simulated, observed, weight)
        off_s, off_o = (_without_mean(x, weight) for x in (simulated, observed))
        spreads = (jnp.sqrt(mean(x**2, weight) + self.least**2) for x in (off_s, off_o))
        spread_s, spread_o = spreads
        # Divided one by one: the product of two spreads may be less than a float can hold.
        likeness = mean((off_s / spread_s) * (off_o / spread_o), weight)
        return Parts(None, jnp.where(jnp.any(weight > 0), 1.0 - likeness, 0.0))


def _without_mean(series: Array, weight: Array) -> Array:
    series = jnp.where(weight > 0, series, 0.0)
    return jnp.where(weight > 0, series - mean(series, weight), 0.0)
