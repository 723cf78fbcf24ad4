"""Between the parameters that are calibrated and a vector of free numbers z."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.bijections import interval
from diffhydro.core.parameters import ParameterSpec, children, specs
from diffhydro.core.trainable import split
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, PyTree

EDGE = 9.0  # |z| that no search goes beyond: a ten-thousandth of the range from a bound
ON_BOUND = 0.005  # of the range


@dataclass(frozen=True)
class Coordinates:
    """What every free number is: a parameter, or one entry of a parameter that is an array.

    Attributes:
        paths: Of the parameters, in the order in which they were asked for.
        shapes: Of each, without a site axis.
        declared: What is declared about each.
    """

    paths: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    declared: tuple[ParameterSpec, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the free numbers."""
        pairs = zip(self.paths, self.shapes, strict=True)
        return tuple(name for path, shape in pairs for name in _entries(path, shape))

    def __len__(self) -> int:
        """Give the number of free numbers."""
        return sum(self._sizes)

    @property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(math.prod(shape) for shape in self.shapes)

    @property
    def specs(self) -> tuple[ParameterSpec, ...]:
        """What is declared about the parameter of every free number."""
        pairs = zip(self.declared, self._sizes, strict=True)
        return tuple(spec for spec, size in pairs for _ in range(size))

    @property
    def is_bounded(self) -> np.ndarray:
        """Tell which free numbers stand for a parameter with two bounds `[entry]`."""
        return np.array([bool(np.isfinite(interval(spec.bounds)).all()) for spec in self.specs])

    def values(self, z: Float[Array, " entry"]) -> dict[str, Array]:
        """Give the parameters, by path, of a vector."""
        found, start = {}, 0
        for path, shape, spec in zip(self.paths, self.shapes, self.declared, strict=True):
            size = math.prod(shape)
            found[path] = spec.constrain(z[start : start + size].reshape(shape))
            start += size
        return found

    def free(self, values: Mapping[str, Any]) -> Float[Array, " entry"]:
        """Give the vector of parameters, within the edge of a search."""
        pairs = zip(self.paths, self.declared, strict=True)
        parts = [spec.free(jnp.asarray(values[path])).ravel() for path, spec in pairs]
        return jnp.clip(jnp.concatenate(parts), -EDGE, EDGE)

    def table(self, z: np.ndarray) -> np.ndarray:
        """Give values `[..., entry]` of vectors `[..., entry]`."""
        out = np.empty(z.shape)
        for i, spec in enumerate(self.specs):
            out[..., i] = spec.constrain(jnp.asarray(z[..., i]))
        return out

    def slope(self, z: np.ndarray) -> np.ndarray:
        """Give dp/dz of vectors `[..., entry]`."""
        out = np.empty(z.shape)
        for i, spec in enumerate(self.specs):
            one = jnp.asarray(z[..., i])
            out[..., i] = jax.jvp(spec.constrain, (one,), (jnp.ones_like(one),))[1]
        return out


def position(z: np.ndarray) -> np.ndarray:
    """Give where between its bounds, 0 to 1 in its scale, a free number lies."""
    return 1.0 / (1.0 + np.exp(-np.asarray(z, np.float64)))


def on_bound(z: np.ndarray) -> np.ndarray:
    """Tell −1 where a free number sits on its lower bound, 1 on its upper, and 0 elsewhere."""
    where = position(z)
    return np.where(where < ON_BOUND, -1, np.where(where > 1.0 - ON_BOUND, 1, 0))


def choose(trees: Sequence[PyTree], train: str | Sequence[str]) -> Coordinates:
    """Choose parameters.

    Args:
        trees: Of the shapes of one site; a path belongs to the tree that declares it.
        train: Paths, parts and patterns, as `split` takes them.
    """
    wanted = [train] if isinstance(train, str) else list(train)
    if not wanted:
        raise InputError("nothing to calibrate: name at least one parameter")
    declared = {path: spec for tree in trees for path, spec in specs(tree).items()}
    shapes: dict[str, tuple[int, ...]] = {}
    for pattern in wanted:
        shapes |= {path: x for path, x in _chosen(trees, pattern).items() if path not in shapes}
    return Coordinates(tuple(shapes), tuple(shapes.values()), tuple(declared[p] for p in shapes))


def _chosen(trees: Sequence[PyTree], pattern: str) -> dict[str, tuple[int, ...]]:
    """Give the shapes of what a pattern selects in the tree that knows it, or in the first one."""
    first = pattern.split(".")[0]
    tree = next((t for t in trees if first in dict(children(t))), trees[0])
    free, _ = split(tree, pattern)
    if free.networks:
        raise InputError(
            f"{', '.join(free.networks)} are weights of a network; calibration is for parameters, "
            "a network is trained"
        )
    return {path: x.shape for path, x in free.parameters.items()}


def _entries(path: str, shape: tuple[int, ...]) -> list[str]:
    return [f"{path}{list(i) if i else ''}" for i in np.ndindex(shape)]
