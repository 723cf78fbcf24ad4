"""How far a simulated series is from an observed one, where there is one.

Every loss comes in two parts, L = Σ r² + rest. The residuals r are what Levenberg–Marquardt and the
Gauss–Newton curvature live on; `rest` is what has no residuals. Missing observations are NaN: they
count for nothing, and no gradient comes from them.

    mean square      r = √w (s − o)/√Σw
    Nash–Sutcliffe   r = √w (s − o)/√Σw(o − ō)²,                 L = 1 − NSE
    Kling–Gupta      L = √((ρ − 1)² + (σ_s/σ_o − 1)² + (μ_s/μ_o − 1)²) = 1 − KGE
    Huber            r² = w e²/Σw within δ, w(2δ|e| − δ²)/Σw beyond

(Nash & Sutcliffe 1970; Gupta et al. 2009; Huber 1964.)
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.parameters import parameter
from diffhydro.typing import Array, Float

Series = Float[Array, " time"]


class Parts(NamedTuple):
    """A loss, L = Σ r² + rest; `residuals` is None where there is no such form."""

    residuals: Series | None
    rest: Float[Array, ""]


class AbstractLoss(eqx.Module):
    """How far two series are apart."""

    @abstractmethod
    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        """Return the two parts.

        Args:
            observed: NaN where there is nothing.
            weight: Of every time, 0 or more.
        """

    def __call__(
        self, simulated: Series, observed: Series, weight: Series | None = None
    ) -> Float[Array, ""]:
        """Return the loss; all times weigh alike when no weights are given."""
        weight = jnp.ones_like(simulated) if weight is None else weight
        return total(self.parts(simulated, observed, weight))


class MeanSquare(AbstractLoss):
    """The mean square of the differences.

    >>> float(MeanSquare()(jnp.array([0.5, 0.3]), jnp.array([0.25, jnp.nan])))
    0.0625
    """

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        error, weight = compared(simulated, observed, weight)
        return Parts(error * _root(weight / _at_least(jnp.sum(weight))), jnp.zeros_like(error[0]))


class NashSutcliffe(AbstractLoss):
    """One minus the Nash–Sutcliffe efficiency: the mean square over the observed variance."""

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        error, weight = compared(simulated, observed, weight)
        truth = jnp.where(weight > 0, observed, 0.0)
        mean = jnp.sum(weight * truth) / _at_least(jnp.sum(weight))
        spread = jnp.sum(weight * (truth - mean) ** 2)
        return Parts(error * _root(weight / _at_least(spread)), jnp.zeros_like(error[0]))


class KlingGupta(AbstractLoss):
    """One minus the Kling–Gupta efficiency.

    Has no residuals. At a perfect fit, and where the simulation does not vary, the gradient is
    finite but says nothing.
    """

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        _, weight = compared(simulated, observed, weight)
        share = weight / _at_least(jnp.sum(weight))
        seen = weight > 0
        mean_s, spread_s, unit_s = _standard(simulated, seen, share)
        mean_o, spread_o, unit_o = _standard(observed, seen, share)
        likeness = jnp.sum(share * unit_s * unit_o)
        least = jnp.finfo(mean_o.dtype).tiny ** 0.25
        mean_o = jnp.where(jnp.abs(mean_o) < least, least, mean_o)
        terms = (likeness - 1.0, spread_s / spread_o - 1.0, mean_s / mean_o - 1.0)
        off = jnp.sqrt(_at_least(jnp.asarray(sum(term**2 for term in terms))))
        return Parts(None, jnp.where(jnp.any(seen), off, 0.0))


class Huber(AbstractLoss):
    """Squares of small differences, and of large ones only their size."""

    limit: Float[Array, ""] = parameter(
        unit="-",
        bounds=(1e-6, 1e6),
        default=0.03,
        fixed=True,
        description="difference beyond which residuals grow like a root, in units of the series",
    )

    def parts(self, simulated: Series, observed: Series, weight: Series) -> Parts:
        error, weight = compared(simulated, observed, weight)
        size, limit = jnp.abs(error), self.limit.astype(error.dtype)
        beyond = size > limit
        # Guarded twice: the root has no slope at 0, where it does not act.
        tail = jnp.where(beyond, 2.0 * limit * size - limit**2, 1.0)
        residual = jnp.where(beyond, jnp.sign(error) * jnp.sqrt(tail), error)
        share = _root(weight / _at_least(jnp.sum(weight)))
        return Parts(residual * share, jnp.zeros_like(error[0]))


def compared(simulated: Series, observed: Series, weight: Series) -> tuple[Series, Series]:
    """Return differences, 0 where nothing was observed, and weights that are 0 there."""
    there = jnp.isfinite(observed)
    error = jnp.where(there, simulated - jnp.where(there, observed, 0.0), 0.0)
    return error, jnp.where(there, weight, 0.0)


def total(parts: Parts) -> Float[Array, ""]:
    """Return the loss that two parts make."""
    return parts.rest + (0.0 if parts.residuals is None else jnp.sum(parts.residuals**2))


def _standard(series: Series, seen: Array, share: Series) -> tuple[Array, Array, Series]:
    """Return mean and standard deviation of what counts, and the series without both."""
    series = jnp.where(seen, series, 0.0)
    mean = jnp.sum(share * series)
    off = jnp.where(seen, series - mean, 0.0)
    spread = jnp.sqrt(_at_least(jnp.sum(share * off**2)))
    # Divided one by one: the square of the product of two spreads is less than a float can hold.
    return mean, spread, off / spread


def _root(weight: Array) -> Array:
    # The slope of a root at 0 is infinite, and weights may be free numbers one day.
    return jnp.where(weight > 0, jnp.sqrt(jnp.where(weight > 0, weight, 1.0)), 0.0)


def _at_least(x: Array) -> Array:
    # A series that does not vary has no efficiency: large, and not infinite.
    return jnp.maximum(x, jnp.finfo(x.dtype).tiny ** 0.5)
