"""From the outputs of a network to what a number may be.

A law reads the last axis of any network's outputs, `law.size` of them for one target. At outputs of
0 all laws are near the standard normal, so they suit targets that are standardised. Standard
deviations are s_min + softplus(z + ln(e − 1)); quantiles are sums of softplus from the middle
outward, so that they never cross.
"""

import abc
import dataclasses
import itertools
import math
from statistics import NormalDist

import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.networks.distributions import (
    AbstractDensity,
    AbstractDistribution,
    Mixture,
    Normal,
    Quantiles,
)
from diffhydro.typing import Array, Float

_ONE = math.log(math.e - 1.0)  # softplus of it is 1


class AbstractLaw(abc.ABC):
    """How outputs describe a distribution."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """Count the outputs that describe one number."""

    @abc.abstractmethod
    def __call__(self, outputs: Float[Array, "... size"]) -> AbstractDistribution:
        """Return what is described, over the axes before the last."""


@dataclasses.dataclass(frozen=True)
class NormalLaw(AbstractLaw):
    """Mean and standard deviation.

    >>> law = NormalLaw()
    >>> law(jnp.zeros((4, 30, law.size))).mean.shape
    (4, 30)

    Args:
        least: Standard deviation that no prediction goes below.
    """

    least: float = 1e-3

    @property
    def size(self) -> int:
        return 2

    def __call__(self, outputs: Float[Array, "... size"]) -> AbstractDensity:
        _check(self, outputs)
        return Normal(outputs[..., 0], _positive(outputs[..., 1], self.least))


@dataclasses.dataclass(frozen=True)
class MixtureLaw(AbstractLaw):
    """Several normal parts: for each a weight, a mean and a standard deviation."""

    parts: int = 3
    least: float = 1e-3

    @property
    def size(self) -> int:
        return 3 * self.parts

    def __call__(self, outputs: Float[Array, "... size"]) -> AbstractDensity:
        _check(self, outputs)
        weights, locations, scales = jnp.split(outputs, 3, axis=-1)
        return Mixture(jax.nn.log_softmax(weights), locations, _positive(scales, self.least))


@dataclasses.dataclass(frozen=True)
class QuantileLaw(AbstractLaw):
    """A value for each of some levels.

    Args:
        levels: Between 0 and 1, rising.
    """

    levels: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)

    def __post_init__(self) -> None:
        edges = (0.0, *self.levels, 1.0)
        if not self.levels or any(a >= b for a, b in itertools.pairwise(edges)):
            raise InputError(f"levels of quantiles rise between 0 and 1; they are {self.levels}")

    @property
    def size(self) -> int:
        return len(self.levels)

    def __call__(self, outputs: Float[Array, "... size"]) -> AbstractDistribution:
        _check(self, outputs)
        middle = len(self.levels) // 2
        normal = [NormalDist().inv_cdf(level) for level in self.levels]
        below = _outward(outputs[..., :middle][..., ::-1], normal[middle::-1])
        above = _outward(outputs[..., middle + 1 :], normal[middle:])
        centre = outputs[..., middle : middle + 1] + normal[middle]
        values = jnp.concatenate([centre - below[..., ::-1], centre, centre + above], axis=-1)
        return Quantiles(values, self.levels)


def _positive(z: Array, least: float) -> Array:
    return least + jax.nn.softplus(z + _ONE)


def _outward(z: Array, normal: list[float]) -> Array:
    """Return distances from the middle, which grow; at 0 those of the standard normal."""
    gaps = [abs(b - a) for a, b in itertools.pairwise(normal)]
    row = jnp.asarray(gaps, z.dtype).reshape((1,) * (z.ndim - 1) + (-1,))
    return jnp.cumsum(row * _positive(z, 0.0), axis=-1)


def _check(law: AbstractLaw, outputs: Array) -> None:
    if outputs.ndim == 0 or outputs.shape[-1] != law.size:
        raise InputError(
            f"{type(law).__name__} reads {law.size} outputs on the last axis; these are "
            f"{outputs.shape}. For several targets reshape to (..., target, {law.size})"
        )
