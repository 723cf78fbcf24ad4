"""How an ensemble keeps its spread, which every analysis takes from it, and sampling too much.

Inflation           X′ ← √λ X′                    before the analysis (Anderson & Anderson 1999)
RelaxToPrior        X′ ← X′ (1 + α (σ_f − σ_a)/σ_a)     after it (Whitaker & Hamill 2012)
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float

Ensemble = Float[Array, "member entry"]


class AbstractSpreading(eqx.Module):
    """A way to keep members apart."""

    @abstractmethod
    def before(self, prior: Ensemble) -> Ensemble:
        """Return the ensemble that meets the observations."""

    @abstractmethod
    def after(self, prior: Ensemble, posterior: Ensemble) -> Ensemble:
        """Return the ensemble that goes on, given the one before the analysis."""


class AsItIs(AbstractSpreading):
    """Nothing is done."""

    def before(self, prior: Ensemble) -> Ensemble:
        return prior

    def after(self, prior: Ensemble, posterior: Ensemble) -> Ensemble:
        return posterior


class Inflation(AbstractSpreading):
    """Deviations grow by a factor before every analysis.

    Args:
        variance: Factor on the variance, λ.
    """

    variance: float = 1.05

    def __check_init__(self) -> None:
        if not self.variance >= 1:
            raise InputError(
                f"the variance is inflated by {self.variance}; the factor is 1 or more"
            )

    def before(self, prior: Ensemble) -> Ensemble:
        mean = jnp.mean(prior, axis=0, keepdims=True)
        return mean + self.variance**0.5 * (prior - mean)

    def after(self, prior: Ensemble, posterior: Ensemble) -> Ensemble:
        return posterior


class RelaxToPrior(AbstractSpreading):
    """The spread goes back towards that before the analysis.

    Args:
        share: Of the way back, α: 0 is none of it, 1 all.
    """

    share: float = 0.5

    def __check_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InputError(f"share is {self.share}; it lies between 0 and 1")

    def before(self, prior: Ensemble) -> Ensemble:
        return prior

    def after(self, prior: Ensemble, posterior: Ensemble) -> Ensemble:
        mean = jnp.mean(posterior, axis=0, keepdims=True)
        then, now = (jnp.std(x, axis=0, keepdims=True, ddof=1) for x in (prior, posterior))
        some = now > 0
        growth = jnp.where(some, (then - now) / jnp.where(some, now, 1.0), 0.0)
        return mean + (posterior - mean) * (1.0 + self.share * growth)
