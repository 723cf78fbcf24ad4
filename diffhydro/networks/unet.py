"""U-Nets: maps in, maps out, at any tile size that halves often enough.

On the way down every block is two convolutions, and the largest of 2 × 2 pixels goes on; on the way
up 1 pixel becomes 2 × 2, what the way down had at that size is laid beside it, and a convolution
follows (Ronneberger et al. 2015). Normalisation is by pixel, over channels: apart from what zeros
beyond the edges of a tile do, a pixel depends on its surroundings and not on the tile it lies in.

`surface_unet` and `root_zone_unet` are the two networks of Khandelwal et al. (2026), which used
batch normalisation, and do not say more of their structure than sizes and counts of weights.
"""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.networks.convolution import Doubled, DropChannels, Stage, halved
from diffhydro.typing import Array, Float


@dataclasses.dataclass(frozen=True)
class Between:
    """Bounds that outputs never leave: low + (high − low) σ(z)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError(f"bounds are low < high; they are {self.low} and {self.high}")

    def __call__(self, z: Array) -> Array:
        """Return z between the bounds."""
        return self.low + (self.high - self.low) * jax.nn.sigmoid(z)


def as_they_are(z: Array) -> Array:
    """Return outputs without a bound."""
    return z


class Unet(nn.Module):
    """`[..., y, x, feature]` to `[..., y, x, out]`; sides are multiples of 2 ** len(widths).

    >>> from diffhydro.networks.head import FlaxHead
    >>> head = FlaxHead.create(Unet(widths=(4, 8)), jnp.zeros((8, 8, 3)), key=jax.random.key(0))
    >>> head(jnp.ones((2, 16, 8, 3))).shape
    (2, 16, 8, 1)

    Args:
        widths: Channels of the blocks on the way down; the last is also the width of the latent
            map.
        out: Number of outputs of a pixel.
        finish: What outputs go through last.
        start: Standard deviation of the first outputs before `finish`, near enough.
        level: Their mean.
        dropout: Share of channels left out while training, after every block but the first and
            the last.
    """

    widths: tuple[int, ...]
    out: int = 1
    finish: Callable[[Array], Array] = as_they_are
    start: float = 1.0
    level: float = 0.0
    dropout: float = 0.0

    @nn.compact
    def __call__(
        self,
        maps: Float[Array, "... y x feature"],
        late: Float[Array, "... y x feature"] | None = None,
    ) -> Float[Array, "... y x out"]:
        """Return maps of outputs.

        Args:
            late: Features that only the last block sees, after a convolution of their own.
        """
        _check_sides(maps, late, 2 ** len(self.widths))
        x, beside = maps, []
        for depth, width in enumerate(self.widths):
            x = Stage(width, convolutions=2)(x)
            beside.append(x)
            x = DropChannels(self.dropout if depth else 0.0)(halved(x))
        for width, same_size in zip(self.widths[:0:-1], beside[:0:-1], strict=True):
            x = jnp.concatenate([same_size, Doubled(width)(x)], axis=-1)
            x = DropChannels(self.dropout)(Stage(width, convolutions=1)(x))
        width = self.widths[0]
        last = [beside[0], Doubled(width)(x)]
        if late is not None:
            last.append(Stage(width, convolutions=1)(late))
        x = Stage(width, convolutions=2)(jnp.concatenate(last, axis=-1))
        first = nn.initializers.variance_scaling(self.start**2, "fan_in", "truncated_normal")
        level = nn.initializers.constant(self.level)
        return self.finish(nn.Dense(self.out, kernel_init=first, bias_init=level)(x))


def surface_unet(out: int = 1, dropout: float = 0.1) -> Unet:
    """Return the network for the surface: four blocks down and up, 512 channels at 1/16.

    Targets are positive. NDVI, land cover and colours come late, as the second input.
    """
    return Unet((64, 128, 256, 512), out, finish=nn.relu, level=0.5, dropout=dropout)


def root_zone_unet(out: int = 1, dropout: float = 0.1, low: float = 0.0, high: float = 1.0) -> Unet:
    """Return the light network for the root zone: three blocks down and up, 256 channels at 1/8."""
    return Unet((64, 128, 256), out, finish=Between(low, high), dropout=dropout)


def _check_sides(maps: Array, late: Array | None, step: int) -> None:
    *_, y, x, _ = maps.shape
    if y % step or x % step or not y or not x:
        raise InputError(
            f"a tile is halved until one pixel stands for {step} × {step}, so its sides are "
            f"multiples of {step}; this one has {y} × {x}. Pad it, or cut it"
        )
    if late is not None and late.shape[:-1] != maps.shape[:-1]:
        raise InputError(
            f"features that come late lie on the same pixels as the others, "
            f"{maps.shape[:-1]}; these have {late.shape[:-1]}"
        )
