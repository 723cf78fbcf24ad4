"""What all searches have in common: many at once, each in a lane, each with an end of its own."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.calibration.objective import AbstractObjective
from diffhydro.typing import Array, Float, Int

RUNNING, CONVERGED, STUCK, CAPPED, FAILED = range(5)
ENDINGS = ("running", "converged", "stuck", "capped", "failed")


class Search(eqx.Module):
    """Where the search of every lane is.

    Attributes:
        z: The best place so far.
        loss: There; infinite before the first evaluation.
        status: One of the numbers that `ENDINGS` has words for.
        evaluations: Of loss with derivatives.
        inner: What the method remembers.
    """

    z: Float[Array, "lane entry"]
    loss: Float[Array, " lane"]
    status: Int[Array, " lane"]
    evaluations: Int[Array, " lane"]
    inner: Any

    @property
    def running(self) -> Array:
        """Which lanes go on."""
        return self.status == RUNNING


class AbstractMethod(eqx.Module):
    """A way to go downhill.

    Attributes:
        most: Rounds that a search may take.
    """

    most: eqx.AbstractVar[int]

    @abstractmethod
    def remember(self, z: Float[Array, "lane entry"]) -> Any:
        """Return what the method remembers before it has seen anything."""

    @abstractmethod
    def advance(self, problem: AbstractObjective, site: Int[Array, " lane"], now: Search) -> Search:
        """Evaluate once, or a few times, and move; lanes that have ended may be changed freely."""

    def begin(self, z: Float[Array, "lane entry"]) -> Search:
        """Return searches that start from z."""
        lanes = z.shape[:1]
        none = jnp.zeros(lanes, jnp.int32)
        return Search(z, jnp.full(lanes, jnp.inf, z.dtype), none, none, self.remember(z))


def choose(which: Array, yes: Any, no: Any) -> Any:
    """Take arrays with leading lanes from one of two trees."""

    def one(a: Array, b: Array) -> Array:
        return jnp.where(which.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return jax.tree.map(one, yes, no)
