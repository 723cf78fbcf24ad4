"""The discrete problem: cells, faces, soils and boundaries of one column, ready for the solver.

The unknowns are heads at *nodes*: one in the centre of every layer, and one more, without any
volume, on every face where the soil changes. The balance of such an interface node says that the
two half-cell fluxes agree, which keeps the scheme second order across layers (a mean of the two
conductivities is first order), and it needs no iteration of its own.

Everything here has the node axis first. Inside the solver a last axis `column` follows.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.core.grids import Column
from diffhydro.soil.boundary import AbstractBottom, AbstractTop
from diffhydro.soil.hydraulics import AbstractHydraulics, Curves
from diffhydro.soil.uptake import AbstractStress, Uptake
from diffhydro.typing import Array, Float


class Mesh(eqx.Module):
    """Volumes of the nodes, distances between them, and where soils meet."""

    volume: Float[Array, " node"]  # 0 at interface nodes
    scale: Float[Array, " node"]  # volume a residual is judged against; never 0
    distance: Float[Array, " gap"]
    first_half: Float[Array, ""]
    last_half: Float[Array, ""]
    joints: tuple[int, ...] = eqx.field(static=True)
    layers: tuple[int, ...] = eqx.field(static=True)

    @classmethod
    def of(cls, column: Column) -> "Mesh":
        """Lay the nodes of a column."""
        joints, layers = _places(column.horizon)
        thickness = jnp.asarray(column.thickness)
        zero = jnp.zeros_like(thickness[:1])
        pieces, start = [], 0
        for cell in _last_cells(column.horizon):
            pieces += [thickness[start : cell + 1], zero]
            start = cell + 1
        volume = jnp.concatenate([*pieces, thickness[start:]])
        half = 0.5 * volume
        beside = jnp.concatenate([zero, volume[:-1]]) + jnp.concatenate([volume[1:], zero])
        return cls(
            volume=volume,
            scale=jnp.where(volume > 0, volume, 0.5 * beside),
            distance=half[1:] + half[:-1],
            first_half=half[0],
            last_half=half[-1],
            joints=joints,
            layers=layers,
        )

    @property
    def nodes(self) -> int:
        """Number of unknowns."""
        return self.volume.shape[0]

    def split(self, x: Array) -> Array:
        """Repeat every interface node: once for the soil above, once for the soil below."""
        if not self.joints:
            return x
        cuts = [0, *self.joints, self.nodes]
        return jnp.concatenate([x[a : b + 1] for a, b in itertools.pairwise(cuts)])

    def _without(self, x: Array, rows: tuple[int, ...]) -> Array:
        if not rows:
            return x
        edges = [-1, *rows, x.shape[0]]
        return jnp.concatenate([x[a + 1 : b] for a, b in itertools.pairwise(edges) if b > a + 1])

    def joined(self, x: Array) -> Array:
        """Undo `split`, keeping the entry of the soil above."""
        return self._without(x, tuple(j + i + 1 for i, j in enumerate(self.joints)))

    def upper(self, x: Array) -> Array:
        """Values at the upper end of every gap, from values after `split`."""
        return self._without(x, tuple(j + i for i, j in enumerate(self.joints)))[:-1]

    def lower(self, x: Array) -> Array:
        """Values at the lower end of every gap, from values after `split`."""
        return self._without(x, tuple(j + i + 1 for i, j in enumerate(self.joints)))[1:]

    def at_layers(self, x: Array) -> Array:
        """Values at the layer centres, without the interface nodes."""
        return self._without(x, self.joints)


class Medium(eqx.Module):
    """The soils of the nodes after `split`, as runs of rows that share one soil object."""

    soils: tuple[AbstractHydraulics, ...]
    rows: tuple[tuple[int, int], ...] = eqx.field(static=True)

    def curves(self, psi: Array) -> Curves:
        """Evaluate all hydraulic functions at all rows."""
        parts = [soil.curves(psi[a:b]) for soil, (a, b) in zip(self.soils, self.rows, strict=True)]
        return jax.tree.map(_stacked, *parts)

    def spread(self, psi: Array, value: Callable[[AbstractHydraulics], Any]) -> Array:
        """Give every row `value` of its soil."""
        parts = [
            jnp.broadcast_to(value(soil), psi[a:b].shape)
            for soil, (a, b) in zip(self.soils, self.rows, strict=True)
        ]
        return _stacked(*parts)

    def first(self) -> AbstractHydraulics:
        """Return the soil at the surface, one value per column."""
        return jax.tree.map(lambda p: p[0], self.soils[0])

    def last(self) -> AbstractHydraulics:
        """Return the soil at the foot, one value per column."""
        return jax.tree.map(lambda p: p[-1], self.soils[-1])


class Ends(NamedTuple):
    """The ends of the curves at every node: where iterations need care."""

    edge: Array  # air-entry head
    rim: Array  # width of the strip below it in which slopes hardly change
    least: Array  # water, mm, that cannot leave; −∞ at interface nodes
    most: Array  # water, mm, that fits without pressure


def ends(mesh: Mesh, medium: Medium, psi: Array) -> Ends:
    """Give the ends of the curves at every node of `psi`."""
    rows = mesh.split(psi)

    def spread(value: Callable[[AbstractHydraulics], Any]) -> Array:
        return mesh.joined(medium.spread(rows, value))

    least = mesh.volume * spread(lambda soil: soil.theta_r)
    return Ends(
        spread(lambda soil: soil.air_entry),
        spread(lambda soil: soil.rim),
        jnp.where(mesh.volume > 0, least, -jnp.inf),
        mesh.volume * spread(lambda soil: soil.theta_s),
    )


def _stacked(first: Array, *rest: Array) -> Array:
    return jnp.concatenate([first, *rest]) if rest else first


class Problem(eqx.Module):
    """Everything about a column that does not change from one interval to the next."""

    medium: Medium
    top: AbstractTop
    bottom: AbstractBottom
    specific_storage: Float[Array, ""]
    share: Float[Array, " node"] | None
    stress: AbstractStress | None


def prepare(
    column: Column,
    soil: AbstractHydraulics | tuple[AbstractHydraulics, ...],
    top: AbstractTop,
    bottom: AbstractBottom,
    uptake: Uptake | None,
    specific_storage: Array,
) -> tuple[Mesh, Problem]:
    """Lay a column out for the solver.

    Args:
        soil: One soil whose parameters are scalars or `[horizon]`, or one soil per horizon.
    """
    mesh = Mesh.of(column)
    share, stress = None, None
    if uptake is not None:
        share = _with_joints(mesh, uptake.roots.share(column.faces))
        stress = uptake.stress
    medium = _medium(mesh, column.horizon, soil)
    return mesh, Problem(medium, top, bottom, specific_storage, share, stress)


def _medium(mesh: Mesh, horizon: tuple[int, ...], soil) -> Medium:
    counts = [horizon.count(h) + 2 for h in range(max(horizon) + 1)]  # layers and joints at ends
    counts[0] -= 1
    counts[-1] -= 1
    if isinstance(soil, tuple):
        edges = [sum(counts[:i]) for i in range(len(counts) + 1)]
        rows = tuple(itertools.pairwise(edges))
        return Medium(tuple(jax.tree.map(jnp.atleast_1d, s) for s in soil), rows)
    index = jnp.asarray([h for h, count in enumerate(counts) for _ in range(count)])
    spread = jax.tree.map(lambda p: p[index] if p.ndim else p[None], soil)
    return Medium((spread,), ((0, sum(counts)),))


def _last_cells(horizon: tuple[int, ...]) -> list[int]:
    return [i for i, (a, b) in enumerate(itertools.pairwise(horizon)) if a != b]


def _places(horizon: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Node numbers of the interface nodes and of the layers."""
    joints = tuple(cell + 1 + i for i, cell in enumerate(_last_cells(horizon)))
    layers = tuple(n for n in range(len(horizon) + len(joints)) if n not in joints)
    return joints, layers


def _with_joints(mesh: Mesh, x: Array) -> Array:
    """Values at layers, with zeros put in at the interface nodes."""
    return jnp.zeros(mesh.nodes, x.dtype).at[jnp.asarray(mesh.layers)].set(x)
