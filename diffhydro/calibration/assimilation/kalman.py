"""How an ensemble meets what was observed: two laws, of which one draws noise and one does not.

X holds the members as rows, x̄ their mean, X′ = X − x̄, and N their number. With the predicted
observations Y likewise, errors σ, and everything seen through C = Y′/σ:

    K = X′ᵀ C [CᵀC + (N − 1) I]⁻¹                                             the gain, per error

    PerturbedObservations   x_m ← x_m + K [(y + e_m − Y_m)/σ],   e_m ~ N(0, σ²)
    SquareRoot              x̄ ← x̄ + K [(y − Ȳ)/σ],   X′ ← T X′,   T = [I + C Cᵀ/(N − 1)]^(−1/2)

The first is the stochastic filter (Evensen 1994, 2003; Burgers, van Leeuwen & Evensen 1998), the
second the ensemble transform filter with the symmetric root (Bishop, Etherton & Majumdar 2001;
Hunt, Kostelich & Szunyogh 2007), whose mean and covariance are those of a Kalman filter with the
sample's covariance, exactly. Observations of a day are used together; their errors are independent.
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.typing import Array, Float, Key

Ensemble = Float[Array, "member entry"]


class Seen(NamedTuple):
    """What was observed, NaN where nothing was, how surely, and what members predict."""

    values: Float[Array, " series"]
    errors: Float[Array, " series"]
    predicted: Float[Array, "member series"]

    @property
    def known(self) -> Array:
        """Where there is a value."""
        return ~jnp.isnan(self.values)

    @property
    def misses(self) -> Float[Array, "member series"]:
        """How far members are from what was observed, in errors; 0 where nothing was."""
        there = jnp.where(self.known, self.values, 0.0)
        return jnp.where(self.known[None], there[None] - self.predicted, 0.0) / self.errors[None]

    @property
    def scaled(self) -> Float[Array, "member series"]:
        """The predictions' deviations from their mean, C; 0 where nothing was observed."""
        apart = self.predicted - jnp.mean(self.predicted, axis=0, keepdims=True)
        return jnp.where(self.known[None], apart, 0.0) / self.errors[None]


class AbstractKalman(eqx.Module):
    """A law of analysis."""

    @abstractmethod
    def __call__(self, prior: Ensemble, seen: Seen, *, key: Key[Array, ""]) -> Ensemble:
        """Return the ensemble after the observations."""


class PerturbedObservations(AbstractKalman):
    """Every member meets observations with noise of their own."""

    def __call__(self, prior: Ensemble, seen: Seen, *, key: Key[Array, ""]) -> Ensemble:
        noise = jax.random.normal(key, seen.predicted.shape, prior.dtype)
        # Noise that does not average to nothing would move the mean of a small ensemble.
        noise = noise - jnp.mean(noise, axis=0, keepdims=True)
        misses = seen.misses + jnp.where(seen.known[None], noise, 0.0)
        return prior + _gained(misses, _modes(prior, seen))


class SquareRoot(AbstractKalman):
    """The mean moves as Kalman has it, and deviations shrink by a symmetric matrix."""

    def __call__(self, prior: Ensemble, seen: Seen, *, key: Key[Array, ""]) -> Ensemble:
        modes = _modes(prior, seen)
        miss = jnp.mean(seen.misses, axis=0, keepdims=True)
        root = jnp.sqrt(1.0 + modes.variance)
        # The root is I − C U f Uᵀ Cᵀ/(N − 1) with f = 1/[√(1 + λ) (1 + √(1 + λ))].
        shrunk = modes.along / (root * (1.0 + root))[:, None]
        turned = _product(seen.scaled, modes.axes)
        return prior + _gained(miss, modes) - _product(turned, shrunk)


class _Modes(NamedTuple):
    """What the ensemble knows of the observations: eigenvectors U of CᵀC/(N − 1)."""

    variance: Float[Array, " mode"]  # λ, in errors
    axes: Float[Array, "series mode"]
    along: Float[Array, "mode entry"]  # Uᵀ Cᵀ X′/(N − 1)


def _modes(prior: Ensemble, seen: Seen) -> _Modes:
    c, free = seen.scaled, prior.shape[0] - 1
    apart = prior - jnp.mean(prior, axis=0, keepdims=True)
    # The observations of a day are few: their space is the small one.
    variance, axes = jnp.linalg.eigh(_product(c.T, c) / free)
    along = _product(axes.T, _product(c.T, apart)) / free
    return _Modes(jnp.maximum(variance, 0.0), axes, along)


def _gained(misses: Float[Array, "member series"], modes: _Modes) -> Ensemble:
    """Return what Kalman's gain makes of misses: K = X′ᵀ C U [λ + 1]⁻¹ Uᵀ/(N − 1)."""
    return _product(_product(misses, modes.axes), modes.along / (1.0 + modes.variance)[:, None])


def _product(a: Array, b: Array) -> Array:
    # Members are few digits apart from their mean: TF32 would take those digits away.
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)
