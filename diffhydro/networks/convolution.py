"""Pieces of networks for maps, `[..., y, x, channel]`.

Pooling is a reshape, and so is a transposed convolution of size and stride 2, after a product:
compilers for CPUs know nothing better.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from diffhydro.networks.norm import Normalise
from diffhydro.typing import Array, Float


class Stage(nn.Module):
    """Convolutions of 3 × 3, each with normalisation and what bends it."""

    width: int
    convolutions: int
    bend: Callable[[Array], Array] = nn.leaky_relu

    @nn.compact
    def __call__(self, x: Float[Array, "... y x channel"]) -> Float[Array, "... y x width"]:
        for _ in range(self.convolutions):
            x = nn.Conv(self.width, (3, 3), use_bias=False)(x)
            x = self.bend(Normalise()(x))
        return x


class Doubled(nn.Module):
    """A transposed convolution: every pixel becomes 2 × 2."""

    width: int

    @nn.compact
    def __call__(self, x: Float[Array, "... y x channel"]) -> Float[Array, "... y2 x2 width"]:
        *leading, y, x_, _ = x.shape
        four = nn.Dense(4 * self.width, use_bias=False)(x).reshape(*leading, y, x_, 2, 2, -1)
        large = jnp.swapaxes(four, -4, -3).reshape(*leading, 2 * y, 2 * x_, self.width)
        shift = self.param("shift", nn.initializers.zeros, (self.width,), jnp.float32)
        return large + shift.reshape((1,) * (large.ndim - 1) + (-1,))


class DropChannels(nn.Module):
    """Dropout of whole channels: what a pixel loses, its neighbours would give back."""

    share: float

    @nn.compact
    def __call__(self, x: Float[Array, "... y x channel"]) -> Float[Array, "... y x channel"]:
        still = not self.has_rng("dropout")
        axes = x.ndim - 3, x.ndim - 2
        return nn.Dropout(self.share, broadcast_dims=axes, deterministic=still)(x)


def halved(x: Float[Array, "... y x channel"]) -> Float[Array, "... y2 x2 channel"]:
    """Return the largest of every 2 × 2 pixels."""
    *leading, y, x_, channels = x.shape
    return jnp.max(x.reshape(*leading, y // 2, 2, x_ // 2, 2, channels), axis=(-4, -2))
