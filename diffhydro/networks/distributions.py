"""Predictions that say how sure they are.

    normal       p(x) = φ((x − μ)/s)/s
    mixture      p(x) = Σ_k w_k φ((x − μ_k)/s_k)/s_k
    quantiles    Q(q), straight between levels and level beyond;
                 L(x) = mean over levels q of max(q e, (q − 1) e),  e = x − Q(q)

(Bishop 1994; Koenker & Bassett 1978.) In float32 all have finite values and gradients up to 1e12
standard deviations out.
"""

import math
from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr, ndtri

from diffhydro.core.roots import root
from diffhydro.typing import Array, ArrayLike, Float

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_SWEEPS = 60  # of Newton in a bracket, for quantiles of mixtures
_WIDER = 0.01  # standard deviations: so that rounding leaves a root inside its bracket


class AbstractDistribution(eqx.Module):
    """What a number may be, for every place and time `[...]`."""

    @property
    @abstractmethod
    def mean(self) -> Float[Array, "..."]:
        """Give the mean."""

    @abstractmethod
    def quantile(self, q: Float[ArrayLike, ""]) -> Float[Array, "..."]:
        """Return what is not exceeded with probability q, in (0, 1)."""

    @abstractmethod
    def loss(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return how badly what came was predicted; least on average for what is true."""


class AbstractDensity(AbstractDistribution):
    """A distribution with a density."""

    @abstractmethod
    def log_prob(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return the logarithm of the density."""


class Normal(AbstractDensity):
    """One bell.

    >>> Normal(jnp.float32(0.3), jnp.float32(0.1)).quantile(0.5).item() == jnp.float32(0.3).item()
    True
    """

    location: Float[Array, "..."]
    scale: Float[Array, "..."]

    @property
    def mean(self) -> Float[Array, "..."]:
        return self.location

    def log_prob(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        return _log_normal(x, self.location, self.scale)

    def quantile(self, q: Float[ArrayLike, ""]) -> Float[Array, "..."]:
        return self.location + self.scale * ndtri(jnp.asarray(q, self.location.dtype))

    def loss(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        return -self.log_prob(x)


class Mixture(AbstractDensity):
    """Several bells: `[..., part]` of logarithms of weights, of means and standard deviations."""

    log_weights: Float[Array, "... part"]
    locations: Float[Array, "... part"]
    scales: Float[Array, "... part"]

    @property
    def mean(self) -> Float[Array, "..."]:
        return jnp.sum(jnp.exp(self.log_weights) * self.locations, axis=-1)

    def log_prob(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        each = _log_normal(x[..., None], self.locations, self.scales)
        return jax.nn.logsumexp(self.log_weights + each, axis=-1)

    def quantile(self, q: Float[ArrayLike, ""]) -> Float[Array, "..."]:
        """Return what is not exceeded with probability q.

        It lies between those of the parts. Where hardly anything lies between two parts, a
        quantile that falls there has a gradient as large as the gap is deep.
        """
        q = jnp.asarray(q, self.locations.dtype)
        z = ndtri(q)
        low = jnp.min(self.locations + self.scales * (z - _WIDER), axis=-1)
        high = jnp.max(self.locations + self.scales * (z + _WIDER), axis=-1)
        middle = 0.5 * (low + high)
        parts = self.log_weights, self.locations, self.scales
        found = root(_missing, middle, q, *parts, lower=low, upper=high, iterations=_SWEEPS)
        return found.value

    def loss(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        return -self.log_prob(x)


class Quantiles(AbstractDistribution):
    """Values at some levels, none below the one before.

    Args:
        values: `[..., level]`.
        levels: Between 0 and 1, rising.
    """

    values: Float[Array, "... level"]
    levels: tuple[float, ...] = eqx.field(static=True)

    @property
    def mean(self) -> Float[Array, "..."]:
        """Give the mean of what the levels describe: no tails beyond the first and the last."""
        edges = (-self.levels[0], *self.levels, 2.0 - self.levels[-1])
        share = [0.5 * (after - before) for before, after in zip(edges, edges[2:], strict=False)]
        return jnp.sum(self.values * self._row(share), axis=-1)

    def quantile(self, q: Float[ArrayLike, ""]) -> Float[Array, "..."]:
        dtype = self.values.dtype
        levels = jnp.asarray(self.levels, dtype)
        one = jnp.eye(len(self.levels), dtype=dtype)
        share = jax.vmap(lambda hat: jnp.interp(jnp.asarray(q, dtype), levels, hat))(one)
        return jnp.sum(self.values * self._row(share), axis=-1)

    def loss(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        error = x[..., None] - self.values
        levels = self._row(self.levels)
        return jnp.mean(jnp.maximum(levels * error, (levels - 1.0) * error), axis=-1)

    def _row(self, numbers: ArrayLike | list[float] | tuple[float, ...]) -> Array:
        row = jnp.asarray(numbers, self.values.dtype)
        return row.reshape((1,) * (self.values.ndim - 1) + (-1,))


def _log_normal(x: Array, location: Array, scale: Array) -> Array:
    return -0.5 * ((x - location) / scale) ** 2 - jnp.log(scale) - _HALF_LOG_TWO_PI


def _missing(x: Array, q: Array, log_weights: Array, locations: Array, scales: Array) -> Array:
    """Return the probability below x beyond q."""
    each = ndtr((x[..., None] - locations) / scales)
    return jnp.sum(jnp.exp(log_weights) * each, axis=-1) - q
