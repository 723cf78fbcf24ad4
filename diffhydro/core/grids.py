"""The vertical grid: layer thicknesses from the surface down, and the horizon of each layer.

A horizon is a stretch of one soil; layers never straddle a horizon boundary, so a change of
soil always falls on a face between two layers.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float


class Column(eqx.Module):
    """Layers of a soil column.

    >>> Column.uniform(depth=1000.0, layers=4).centres.tolist()
    [125.0, 375.0, 625.0, 875.0]
    """

    thickness: Float[Array, " layer"]
    horizon: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, thickness, horizon: Sequence[int] | None = None):
        self.thickness = thickness if hasattr(thickness, "dtype") else jnp.asarray(thickness)
        count = self.thickness.shape[0] if self.thickness.ndim else 0
        self.horizon = tuple(int(h) for h in (horizon if horizon is not None else [0] * count))
        _check(self.thickness, self.horizon)

    @classmethod
    def uniform(cls, depth: float, layers: int) -> "Column":
        """Make layers of equal thickness."""
        return cls(np.full(_positive("layers", layers), depth / layers))

    @classmethod
    def geometric(cls, depth: float, layers: int, top: float | None = None) -> "Column":
        """Make layers that thicken downward by one ratio; `top` is the first thickness.

        Without `top` the first layer has a fifth of the mean thickness.
        """
        mean = depth / _positive("layers", layers)
        if top is not None and layers > 1 and not 0 < top < depth:
            raise InputError(f"top must lie between 0 and the depth {depth}, got {top}")
        ratio = _ratio(depth / (top if top is not None else 0.2 * mean), layers)
        powers = ratio ** np.arange(layers)
        return cls(depth * powers / powers.sum())

    @classmethod
    def graded(
        cls,
        horizons: Sequence[float],
        *,
        finest: float,
        ratio: float = 1.1,
        coarsest: float = 60.0,
        refine_at: Sequence[float] = (0.0,),
    ) -> "Column":
        """Make layers that are `finest` at each depth of `refine_at` and grow away from it.

        Args:
            horizons: Depth of the foot of each horizon, increasing.
            finest: Thickness at the refined depths.
            ratio: Growth from one layer to the next.
            coarsest: Largest thickness.
            refine_at: Depths to refine at: the surface, a change of soil, a water table.
        """
        feet = [0.0, *(float(h) for h in horizons)]
        if len(feet) == 1 or not all(b > a for a, b in itertools.pairwise(feet)):
            raise InputError(f"horizon depths must increase from 0, got {feet[1:]}")
        if not (finest > 0 and coarsest > 0):
            raise InputError(f"finest and coarsest must be positive, got {finest} and {coarsest}")
        thickness: list[float] = []
        index: list[int] = []
        for number, (top, foot) in enumerate(itertools.pairwise(feet)):
            layers = _fill(top, foot, finest, ratio - 1.0, coarsest, refine_at)
            thickness += layers
            index += [number] * len(layers)
        return cls(np.asarray(thickness), index)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.horizon)

    @property
    def faces(self) -> Float[Array, " face"]:
        """Depths of the faces, from 0 to the foot of the column."""
        below = jnp.cumsum(jnp.asarray(self.thickness))
        return jnp.concatenate([jnp.zeros_like(below[:1]), below])

    @property
    def centres(self) -> Float[Array, " layer"]:
        """Depths of the layer centres."""
        return self.faces[1:] - 0.5 * jnp.asarray(self.thickness)

    @property
    def depth(self) -> Float[Array, ""]:
        """Depth of the foot of the column."""
        return jnp.sum(jnp.asarray(self.thickness))


def as_jax(grid: Any) -> Any:
    """Make a column's arrays jax's, as models hold them; leave what is no column alone.

    NumPy arrays would be constants to Equinox's maps, and a stack of columns would lack one.
    """
    return jax.tree.map(jnp.asarray, grid) if isinstance(grid, Column) else grid


def _fill(top, foot, finest, growth, coarsest, refine_at) -> list[float]:
    """Walk from top to foot with the wanted size at each place, then rescale to fit exactly."""

    def wanted(depth: float) -> float:
        distance = min((abs(depth - place) for place in refine_at), default=np.inf)
        return min(finest + growth * distance, coarsest)

    sizes = []
    depth = top
    while depth < foot:
        size = wanted(depth + 0.5 * wanted(depth))
        sizes.append(size)
        depth += size
    if len(sizes) > 1 and depth - foot > 0.5 * sizes[-1]:
        sizes.pop()
    return list(np.asarray(sizes) * ((foot - top) / sum(sizes)))


def _ratio(total: float, layers: int) -> float:
    """Ratio r with 1 + r + … + r^(layers−1) = total, by bisection."""
    low, high = 1e-3, 1e3
    for _ in range(200):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if (middle ** np.arange(layers)).sum() < total else (low, middle)
    return float(np.sqrt(low * high))


def _positive(name: str, count: int) -> int:
    if count < 1:
        raise InputError(f"{name} must be at least 1, got {count}")
    return count


def _check(thickness, horizon: tuple[int, ...]) -> None:
    if thickness.ndim != 1 or thickness.shape[0] == 0:
        raise InputError(f"thickness must list at least one layer, got shape {thickness.shape}")
    if len(horizon) != thickness.shape[0]:
        raise InputError(f"{len(horizon)} horizon numbers for {thickness.shape[0]} layers")
    steps = {b - a for a, b in itertools.pairwise(horizon)}
    if horizon[0] != 0 or not steps <= {0, 1}:
        raise InputError(f"horizon numbers must start at 0 and rise by 0 or 1, got {horizon}")
    if isinstance(thickness, Tracer):
        return
    sizes = np.asarray(thickness)
    if not (sizes > 0).all():
        worst = int(np.argmin(sizes > 0))
        raise InputError(f"layer {worst} has thickness {sizes[worst]} mm; it must be positive")
