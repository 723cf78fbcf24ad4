"""The numbers that a study moves: parameters of a model, or the entries of those that are arrays.

A number has a value p, and a position u between its bounds, 0 to 1 in its declared scale: half way
between 1 and 100 is 50.5 on a linear scale and 10 on a logarithmic one. Studies sample positions
evenly.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from diffhydro.core.bijections import interval
from diffhydro.core.parameters import ParameterSpec, out_of_bounds, specs, values
from diffhydro.core.trainable import put, split, unknown
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, PyTree

Range = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Chosen:
    """Parameters with their bounds and shapes, in the order of the model's fields."""

    paths: tuple[str, ...]
    specs: tuple[ParameterSpec, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Name every number: a path, with an index where the parameter is an array."""
        pairs = zip(self.paths, self.shapes, strict=True)
        return tuple(f"{p}{list(i) if i else ''}" for p, shape in pairs for i in np.ndindex(shape))

    @property
    def entries(self) -> tuple[ParameterSpec, ...]:
        """Give what is declared about every number."""
        pairs = zip(self.specs, self.shapes, strict=True)
        return tuple(spec for spec, shape in pairs for _ in np.ndindex(shape))

    def values(self, model: PyTree) -> Float[Array, " entry"]:
        """Return the numbers as they are in a model."""
        held = values(model)
        parts = [jnp.ravel(held[path]) for path in self.paths]
        dtype = np.result_type(*(part.dtype for part in parts))
        return jnp.concatenate([part.astype(dtype) for part in parts])

    def put(self, model: PyTree, numbers: Float[Array, " entry"]) -> PyTree:
        """Return the model with other numbers."""
        return put(model, dict(zip(self.paths, self._cast(model, self._cut(numbers)), strict=True)))

    def place(self, model: PyTree, positions: Float[Array, " entry"]) -> PyTree:
        """Return the model with its numbers at some positions."""
        parts = zip(self.specs, self._cut(positions), strict=True)
        numbers = [number_at(spec, part) for spec, part in parts]
        return put(model, dict(zip(self.paths, self._cast(model, numbers), strict=True)))

    def _cut(self, flat: Array) -> list[Array]:
        ends = np.cumsum([int(np.prod(shape, dtype=int)) for shape in self.shapes])
        parts = jnp.split(flat, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def _cast(self, model: PyTree, parts: list[Array]) -> list[Array]:
        held = values(model)
        return [x.astype(held[path].dtype) for path, x in zip(self.paths, parts, strict=True)]


def number_at(spec: ParameterSpec, position: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return the parameter at a position between its bounds."""
    eps = float(jnp.finfo(position.dtype).eps)
    # The ends have no free number: they are held ε within, and keep the slope of what is beside.
    held = position + lax.stop_gradient(jnp.clip(position, eps, 1.0 - eps) - position)
    return spec.constrain(jnp.log(held) - jnp.log1p(-held))


def stride(spec: ParameterSpec, number: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return dp/du, by how much a number changes with its position; ∞ without two bounds."""
    if not np.all(np.isfinite(interval(spec.bounds))):
        return jnp.full_like(number, jnp.inf)
    position = jax.nn.sigmoid(spec.free(number))
    return jax.jvp(lambda u: number_at(spec, u), (position,), (jnp.ones_like(position),))[1]


def choose(
    model: PyTree, parameters: str | Sequence[str], within: Mapping[str, Range] | None = None
) -> Chosen:
    """Choose parameters of a model.

    Args:
        parameters: Paths, parts and patterns, by the rules of `split`: a `fixed` parameter is
            chosen when it is named in full.
        within: Narrower bounds, by path.
    """
    wanted = [parameters] if isinstance(parameters, str) else list(parameters)
    if not wanted:
        raise InputError("nothing to study: name at least one parameter, or '*' for all")
    free, _ = split(model, wanted)
    if free.networks:
        raise InputError(
            f"{', '.join(free.networks)} are weights of a network; a study moves parameters, which "
            "have bounds. Name the parameters one by one"
        )
    narrowed = _narrow(model, tuple(free.parameters), within or {})
    shapes = tuple(x.shape for x in free.parameters.values())
    return Chosen(tuple(free.parameters), narrowed, shapes)


def _narrow(
    model: PyTree, paths: tuple[str, ...], within: Mapping[str, Range]
) -> tuple[ParameterSpec, ...]:
    for path in within:
        if path not in paths:
            raise InputError(f"within gives bounds of what is not studied: {unknown(path, paths)}")
    declared, held = specs(model), values(model)
    return tuple(
        _narrowed(path, declared[path], within[path], held[path])
        if path in within
        else declared[path]
        for path in paths
    )


def _narrowed(path: str, spec: ParameterSpec, bounds: Range, value: Any) -> ParameterSpec:
    lo, hi = (float(bound) for bound in bounds)
    least, most = interval(spec.bounds)
    if not least <= lo < hi <= most:
        raise InputError(
            f"within gives {path} the bounds {lo:g} … {hi:g}; they must be in order, and in the "
            f"declared {spec.interval}"
        )
    narrowed = dataclasses.replace(spec, bounds=(lo, hi))
    if (problem := out_of_bounds(path, narrowed, value)) is not None:
        raise InputError(f"{problem}, the bounds that within gives; widen them or move the value")
    return narrowed
