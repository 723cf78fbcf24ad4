"""A part of a model's state that an analysis may move, in places where every step is physical.

States are trees; an array is named by its path in the tree, as in state files: `ground.theta`,
`snow`. `Amounts` are arrays between bounds. `Heads` are those of a Richards column, where water and
head belong together: the head is moved along

    z = arsinh(ψ/ψ₀),    ψ₀ = 100 mm,

straight near saturation and logarithmic in suction, and the stored water follows from it,
W = Δz [θ(ψ) + S_s max(ψ, 0)]. Every z is physical, with a water table or without.
"""

from abc import abstractmethod
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.calibration.assimilation.soft_bounds import SoftBounds
from diffhydro.errors import InputError
from diffhydro.land.model import State
from diffhydro.land.soil_column import SoilColumn
from diffhydro.typing import Array, Float

STRAIGHT = 100.0  # mm: heads nearer to zero move in mm, others in powers


class AbstractPart(eqx.Module):
    """A part of the state."""

    path: eqx.AbstractVar[str]

    @abstractmethod
    def depth(self, state: State) -> Float[Array, " entry"] | None:
        """Return the depth of every entry, mm; None where depth means nothing."""

    @abstractmethod
    def places(self, state: State) -> Float[Array, " entry"]:
        """Return where the entries are."""

    @abstractmethod
    def moved(self, state: State, step: Float[Array, " entry"]) -> State:
        """Return the state with its entries a step away."""


class Amounts(AbstractPart):
    """An array of the state, between bounds. Steps are in its own unit, but near the bounds.

    Args:
        path: Of the array in the state.
        lower: Least amount.
        upper: Most.
        width: How near a bound a step begins to shrink, in the unit of the array.
        centres: Depth of the entries, mm.
    """

    path: str = eqx.field(static=True)
    lower: Float[Array, "..."] | float | None = None
    upper: Float[Array, "..."] | float | None = None
    width: Float[Array, "..."] | float = 1.0
    centres: Float[Array, " entry"] | None = None

    def depth(self, state: State) -> Float[Array, " entry"] | None:
        return self.centres

    def places(self, state: State) -> Float[Array, " entry"]:
        return self._line.place(reach(state, self.path)).ravel()

    def moved(self, state: State, step: Float[Array, " entry"]) -> State:
        x = reach(state, self.path)
        return put(state, {self.path: self._line.moved(x, step.reshape(x.shape))})

    @property
    def _line(self) -> SoftBounds:
        return SoftBounds(self.lower, self.upper, self.width)


class Heads(AbstractPart):
    """The heads of a Richards column at its layers, and the water that they hold.

    Args:
        path: Of the heads in the state.
        column: The model whose state, or whose ground's state, it is.
    """

    path: str = eqx.field(static=True)
    column: SoilColumn

    def depth(self, state: State) -> Float[Array, " entry"]:
        return self.column.grid.centres

    def places(self, state: State) -> Float[Array, " entry"]:
        mesh = self.column.prepare().mesh
        return jnp.arcsinh(mesh.at_layers(reach(state, self.path)) / STRAIGHT)

    def moved(self, state: State, step: Float[Array, " entry"]) -> State:
        laid_out = self.column.prepare()
        mesh, problem = laid_out.mesh, laid_out.problem
        gaps = jnp.cumsum(mesh.distance)
        depth = mesh.first_half + jnp.concatenate([jnp.zeros_like(gaps[:1]), gaps])
        # Nodes between two soils hold no water: they move as their neighbours do.
        step = jnp.interp(depth, self.column.grid.centres, step)
        psi = reach(state, self.path)
        psi = STRAIGHT * jnp.sinh(jnp.arcsinh(psi / STRAIGHT) + step)
        curves = problem.medium.curves(mesh.split(psi))
        pressed = problem.specific_storage * jnp.where(psi > 0, psi, 0.0)
        stored = mesh.volume * (mesh.joined(curves.theta) + pressed)
        return put(state, {self.path: psi, f"{self.path.removesuffix('psi')}stored": stored})


def settled(part: AbstractPart, state: State, step: Float[Array, " entry"]) -> State:
    """Move a part, and leave every bit of the state where the step is nothing at all."""
    still = jnp.all(step == 0)
    return jax.tree.map(lambda old, new: jnp.where(still, old, new), state, part.moved(state, step))


def reach(state: State, path: str) -> Array:
    """Return an array of a state."""
    arrays = {_named(keys): x for keys, x in jax.tree_util.tree_leaves_with_path(state)}
    if path not in arrays:
        raise InputError(f"the state has no array {nearest(path, arrays)}")
    return arrays[path]


def put(state: State, arrays: Mapping[str, Array]) -> State:
    """Return the state with other arrays at some paths."""
    return jax.tree_util.tree_map_with_path(lambda keys, x: arrays.get(_named(keys), x), state)


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """Say what a name could have meant."""
    close = get_close_matches(name, known, n=3, cutoff=0.4)
    last = [k for k in known if k.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1]]
    meant = list(dict.fromkeys([*last, *close]))[:3]
    rest = f"it has {', '.join(known) or 'none'}"
    return f"{name!r}; did you mean {' or '.join(meant)}?" if meant else f"{name!r}; {rest}"


def _named(keys: tuple) -> str:
    return jax.tree_util.keystr(keys, simple=True, separator=".")
