"""Thresholds of weather, rain or snow and melt or frost: sharp as in the books, or smooth.

A sharp threshold in temperature has no gradient in its parameter and makes the day's water jump;
the smooth one is 1/(1 + exp(−x/width)).
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.typing import Array, Float


class AbstractThreshold(eqx.Module):
    """How 0 below a threshold becomes 1 above it."""

    @abstractmethod
    def above(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the share of the day above the threshold, x from it."""

    @abstractmethod
    def filled(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the share of the ground that a layer of x mm covers."""


class Sharp(AbstractThreshold):
    """All or nothing. For comparing with published numbers; gradients miss the threshold."""

    def above(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.where(x >= 0, 1.0, 0.0).astype(x.dtype)

    def filled(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.where(x > 0, 1.0, 0.0).astype(x.dtype)


class Smooth(AbstractThreshold):
    """A transition over some degrees, and over some millimetres of snow.

    Args:
        width: Scale of the sigmoid, °C.
        depth: Snow water that hides the ground, mm.
    """

    width: float = eqx.field(static=True, default=0.5)
    depth: float = eqx.field(static=True, default=5.0)

    def above(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        return jax.nn.sigmoid(x / self.width)

    def filled(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        return -jnp.expm1(-x / self.depth)
