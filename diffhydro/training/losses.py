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
        weight = weight / _at_least(jnp.sum(weight))
        seen = weight > 0
        truth = jnp.where(seen, observed, 0.0)
        simulated = jnp.where(seen, simulated, 0.0)
        mean_s, mean_o = jnp.sum(weight * simulated), jnp.sum(weight * truth)
        off_s, off_o = jnp.where(seen, simulated - mean_s, 0.0), jnp.where(seen, truth - mean_o, 0)
        spread_s = jnp.sqrt(_at_least(jnp.sum(weight * off_s**2)))
        spread_o = jnp.sqrt(_at_least(jnp.sum(weight * off_o**2)))
        likeness = jnp.sum(weight * off_s * off_o) / (spread_s * spread_o)
        mean_o = jnp.where(mean_o == 0, jnp.finfo(mean_o.dtype).tiny, mean_o)
        terms = (likeness - 1.0, spread_s / spread_o - 1.0, mean_s / mean_o - 1.0)
        squares = sum(term**2 for term in terms)
        return Parts(None, jnp.sqrt(_at_least(jnp.asarray(squares))))


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
        size = jnp.abs(error)
        beyond = size > self.limit
        # Guarded twice: the root has no slope at 0, where it does not act.
        tail = jnp.where(beyond, 2.0 * self.limit * size - self.limit**2, 1.0)
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


def _root(weight: Array) -> Array:
    # The slope of a root at 0 is infinite, and weights may be free numbers one day.
    return jnp.where(weight > 0, jnp.sqrt(jnp.where(weight > 0, weight, 1.0)), 0.0)


def _at_least(x: Array) -> Array:
    # A series that does not vary has no efficiency: large, and not infinite.
    return jnp.maximum(x, jnp.finfo(x.dtype).tiny ** 0.5)
