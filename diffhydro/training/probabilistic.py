"""Losses of predictions that say how sure they are.

    likelihood   L = −Σw ln p(o)/Σw
    pinball      L = mean over levels τ of Σw max(τe, (τ − 1)e)/Σw,   e = o − q_τ

(Koenker & Bassett 1978.) A distribution is whatever has `log_prob(observed)` or `loss(observed)`
that give one value per observation. Its arrays that begin with the axes of the observations are
made harmless where nothing was seen; what is shared by all places is left as it is.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.training.batch_losses import AbstractBatchLoss, Reads
from diffhydro.training.counted import array_of, check_same, filled, mean, observed_of, part
from diffhydro.training.sample import Sample
from diffhydro.typing import Array, Float


class NegativeLogLikelihood(AbstractBatchLoss):
    """The mean of −ln p over what was seen, of a prediction with `log_prob`."""

    source: str = eqx.field(static=True)
    output: str | None = eqx.field(static=True, default=None)

    @property
    def reads(self) -> Reads:
        """Give the source."""
        return Reads((self.source,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        return -_mean_of("log_prob", part(prediction, self.output), sample, self.source)


class OwnLoss(AbstractBatchLoss):
    """The mean of what a prediction itself calls its `loss`, over what was seen."""

    source: str = eqx.field(static=True)
    output: str | None = eqx.field(static=True, default=None)

    @property
    def reads(self) -> Reads:
        """Give the source."""
        return Reads((self.source,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        return _mean_of("loss", part(prediction, self.output), sample, self.source)


class Pinball(AbstractBatchLoss):
    """The loss of quantiles, `[window, time, ..., quantile]`, whose levels are given.

    Args:
        levels: Between 0 and 1, one per quantile, in the order of the last axis.
    """

    source: str = eqx.field(static=True)
    levels: tuple[float, ...] = eqx.field(static=True)
    output: str | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        if not self.levels or not all(0.0 < level < 1.0 for level in self.levels):
            raise InputError(f"levels of quantiles lie between 0 and 1; these are {self.levels}")

    @property
    def reads(self) -> Reads:
        """Give the source."""
        return Reads((self.source,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        quantiles = array_of(prediction, self.output)
        observed, weight = observed_of(sample, self.source, quantiles.dtype)
        check_same(
            quantiles.shape, (*observed.shape, len(self.levels)), self.output, "a set of quantiles"
        )
        counts = weight > 0
        error = jnp.where(counts, observed, 0.0)[..., None] - jnp.where(
            counts[..., None], quantiles, 0.0
        )
        level = jnp.asarray(self.levels, error.dtype)[(None,) * observed.ndim]
        each = jnp.where(error > 0, level * error, (level - 1.0) * error)
        return mean(jnp.mean(each, axis=-1), weight)


def _mean_of(name: str, distribution: Any, sample: Sample, source: str) -> Array:
    """Give the weighted mean of a method's answer to what was observed."""
    ask: Callable | None = getattr(distribution, name, None)
    if ask is None:
        kind = type(distribution).__name__
        raise InputError(f"a prediction with {name}(observed) is asked for; there is a {kind}")
    leaves = [x for x in jax.tree.leaves(distribution) if hasattr(x, "dtype")]
    floats = [x for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)]
    dtype = floats[0].dtype if floats else jnp.result_type(float)
    observed, weight = observed_of(sample, source, dtype)
    counts = weight > 0
    # A half is in the domain of most laws, should nothing be seen at all.
    observed = jnp.where(jnp.any(counts), filled(observed, counts), 0.5)
    each = getattr(filled(distribution, counts), name)(observed)
    check_same(each.shape, observed.shape, f"{name}(observed)", source)
    return mean(each, weight)
