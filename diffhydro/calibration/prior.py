"""What was believed of parameters before: a pull towards it, as a penalty on free numbers.

    Near:     ½ Σ ((z − z₀)/s)²                      Tikhonov; a normal law of z
    Uniform:  −Σ ln σ(z) σ(−z) − ln 4                all places within the bounds alike

A penalty counts as −ln p beside a likelihood. Beside a mean square its `strength` is a choice.
"""

import math
from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.typing import Array, Float, Int

Vector = Float[Array, " entry"]


class AbstractPrior(eqx.Module):
    """A penalty with its slope and curvature, entry by entry."""

    @abstractmethod
    def penalty(self, z: Vector, centre: Vector) -> Float[Array, ""]:
        """Return the penalty of free numbers; `centre` is where the parameters were before."""

    @abstractmethod
    def curvature(self, z: Vector, centre: Vector) -> Vector:
        """Return the diagonal of the second derivative, nowhere negative."""

    @abstractmethod
    def moments(self, centre: Vector) -> tuple[Vector, Vector]:
        """Return mean and standard deviation of the free numbers, with the penalty as −ln p."""

    @abstractmethod
    def draw(self, key: Array, centre: Vector) -> Vector:
        """Draw from it."""

    @abstractmethod
    def of(self, entries: Int[Array, " number"]) -> "AbstractPrior":
        """Return the prior of some entries, in this order, the same ones more than once too."""


class Near(AbstractPrior):
    """Parameters are near what they were.

    Args:
        spread: Standard deviation of free numbers: 1 is about a quarter of the range in the middle
            of the bounds. One number, or one for each entry.
        strength: The penalty is multiplied by it.
    """

    spread: Float[Array, "..."] = eqx.field(default=1.0, converter=jnp.asarray)
    strength: float = eqx.field(default=1.0, static=True)

    def penalty(self, z: Vector, centre: Vector) -> Float[Array, ""]:
        spread = self.spread.astype(z.dtype)
        return 0.5 * self.strength * jnp.sum(((z - centre) / spread) ** 2)

    def curvature(self, z: Vector, centre: Vector) -> Vector:
        return jnp.broadcast_to(self.strength / self.spread.astype(z.dtype) ** 2, z.shape)

    def moments(self, centre: Vector) -> tuple[Vector, Vector]:
        deviation = self.spread.astype(centre.dtype) / self.strength**0.5
        return centre, jnp.broadcast_to(deviation, centre.shape)

    def draw(self, key: Array, centre: Vector) -> Vector:
        mean, deviation = self.moments(centre)
        return mean + deviation * jax.random.normal(key, centre.shape, centre.dtype)

    def of(self, entries: Int[Array, " number"]) -> "Near":
        return self if self.spread.ndim == 0 else Near(self.spread[entries], self.strength)


class Uniform(AbstractPrior):
    """All places within the bounds are alike, in the declared scale of each parameter."""

    def penalty(self, z: Vector, centre: Vector) -> Float[Array, ""]:
        return jnp.sum(
            jax.nn.softplus(z) + jax.nn.softplus(-z) - jnp.log(jnp.asarray(4.0, z.dtype))
        )

    def curvature(self, z: Vector, centre: Vector) -> Vector:
        return 2.0 * jax.nn.sigmoid(z) * jax.nn.sigmoid(-z)

    def moments(self, centre: Vector) -> tuple[Vector, Vector]:
        # z of a uniform law between bounds is logistic.
        return jnp.zeros_like(centre), jnp.full_like(centre, math.pi / 3.0**0.5)

    def draw(self, key: Array, centre: Vector) -> Vector:
        return jax.random.logistic(key, centre.shape, centre.dtype)

    def of(self, entries: Int[Array, " number"]) -> "Uniform":
        return self
