"""The parameters that a head computes: which they are, and from its outputs into the physics.

A head gives one number for each parameter it learns. It moves the parameter's free number away from
that of the value the physics was given,

    p = constrain(free(p₀) + y),

so that p stays within its bounds whatever the head says, and y = 0 is the physics as it was. A
parameter of several horizons is moved as a whole: where p₀ differs between them, so does p.
"""

from collections.abc import Mapping, Sequence

import equinox as eqx

from diffhydro.core.parameters import ParameterSpec, as_parameter, declarations, out_of_bounds
from diffhydro.core.trainable import learnable, put, unknown
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, PyTree


class Learned(eqx.Module):
    """Parameters of a physics, by full path, in the order of a head's outputs."""

    specs: dict[str, ParameterSpec] = eqx.field(static=True)
    before: dict[str, Array]

    @property
    def count(self) -> int:
        """Count them."""
        return len(self.specs)

    def moved(
        self, moves: Float[Array, "... learned"], at: Mapping[str, Float[Array, "*site"]]
    ) -> dict[str, Array]:
        """Give the values after some moves of the free numbers, by path.

        Axes of the moves come first, those of a parameter last.

        Args:
            at: Values at the sites, of those parameters that are known there.
        """
        return {
            path: _moved_at(spec, at[path], moves[..., i])
            if path in at
            else _moved(spec, self.before[path], moves[..., i])
            for i, (path, spec) in enumerate(self.specs.items())
        }


def learned(physics: PyTree, names: Sequence[str], who: str) -> Learned:
    """Look up what a coupling learns of its physics.

    Args:
        names: Paths, parts and patterns, as for `split`; a fixed parameter by its full path.
        who: The coupling, for errors.
    """
    if isinstance(names, str):
        raise InputError(f"{who} learns a list of parameters; write [{names!r}]")
    declared = {d.path: d for d in declarations(physics) if d.value is not None}
    known = {path: d.spec for path, d in declared.items() if isinstance(d.spec, ParameterSpec)}
    if not names:
        raise InputError(
            f"{who} learns nothing; name parameters, such as {', '.join([*known][:3])}"
        )
    chosen: dict[str, ParameterSpec] = {}
    for name in names:
        found = learnable(declared, name)
        if not found:
            raise InputError(f"{who} learns {name!r}. {unknown(name, known)}")
        chosen |= {path: known[path] for path in found}
    before = {path: as_parameter(declared[path].value) for path in chosen}
    for path, spec in chosen.items():
        if (wrong := out_of_bounds(path, spec, before[path])) is not None:
            raise InputError(wrong)
    return Learned(chosen, before)


def written(physics: PyTree, values: dict[str, Array]) -> PyTree:
    """Put parameters into a physics, in the floating types that it has."""
    held = {d.path: as_parameter(d.value) for d in declarations(physics) if d.path in values}
    return put(physics, {path: values[path].astype(x.dtype) for path, x in held.items()})


def _moved(spec: ParameterSpec, before: Array, move: Float[Array, "..."]) -> Array:
    start = spec.free(before).astype(move.dtype)
    axes = (1,) * before.ndim
    wide = move.reshape(*move.shape, *axes)
    return spec.constrain(start.reshape((1,) * move.ndim + before.shape) + wide)


def _moved_at(
    spec: ParameterSpec, before: Float[Array, "*site"], move: Float[Array, "..."]
) -> Array:
    start = spec.free(before).astype(move.dtype)
    return spec.constrain(start.reshape(start.shape + (1,) * (move.ndim - start.ndim)) + move)
