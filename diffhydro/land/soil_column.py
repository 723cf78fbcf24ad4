"""A soil column under the weather: rain, evaporation, ponding, roots, Richards flow, drainage.

    ∂(θ + S_s ψ⁺)/∂t = −∂q/∂z − S(ψ),      q = −K(ψ) ∂ψ/∂z + K(ψ),      z downward

    evaporation = precipitation − runoff − infiltration − d(pond)/dt

Potential evaporation and transpiration are given by the forcing, or by a canopy and snow when the
column is the ground of a `Land`. How the equation is solved is told in `soil/richards`.
"""

from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.bijections import LOG
from diffhydro.core.grids import Column, as_jax
from diffhydro.core.parameters import parameter
from diffhydro.core.precision import astype
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.ground import GROUND_NEEDS, AbstractGround, AbstractGroundStep
from diffhydro.land.initial import AbstractInitial, UniformHead
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.soil.boundary import (
    AbstractBottom,
    AbstractTop,
    Atmosphere,
    Drive,
    FreeDrainage,
    HeadTop,
)
from diffhydro.soil.hydraulics import AbstractHydraulics, Horizons, at
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.problem import Mesh, Problem, prepare
from diffhydro.soil.richards.solver import Policy, advance
from diffhydro.soil.richards.state import SoilWater
from diffhydro.soil.uptake import Uptake
from diffhydro.typing import Array, Float

_FIRST_PACE = 0.125  # days: the first sub-step tried; a wrong guess costs a few retries, once


class SoilColumn(AbstractGround):
    """Richards' equation between the atmosphere and the ground below.

    Example:
        >>> from diffhydro.soil import VanGenuchten
        >>> soil = VanGenuchten(theta_r=0.07, theta_s=0.43, alpha=0.002, n=1.4, k_sat=150.0)
        >>> model = SoilColumn(grid=Column.geometric(depth=1000.0, layers=6), soil=soil)
        >>> run = model.run(Forcing([0.0, 20.0, 0.0], [4.0, 1.0, 4.0]))
        >>> run.theta.shape, float(run.effort.forced.sum())
        ((3, 6), 0.0)

    Args:
        grid: Layers and horizons.
        soil: One soil whose parameters are scalars or `[horizon]`, or a tuple of one soil for
            each horizon, which may be of different kinds.
        top: The surface. `FluxTop` makes the net rain of the forcing enter whatever happens.
        bottom: The foot; what it needs from outside is the forcing's `base`.
        roots: Where roots are and how they suffer; None for bare soil.
        initial: The water in the column before the first step.
        policy: How time is divided. `Adaptive()` chooses sub-steps by error, for every column and
            interval. For training in large batches `Fixed(substeps=8, iterations=12)` costs the
            same for every column and less memory in a gradient; look at `run.effort.forced`, which
            counts what did not converge, before trusting it.
    """

    grid: Column = eqx.field(converter=as_jax)
    soil: AbstractHydraulics | tuple[AbstractHydraulics, ...]
    top: AbstractTop = eqx.field(default_factory=Atmosphere)
    bottom: AbstractBottom = eqx.field(default_factory=FreeDrainage)
    roots: Uptake | None = None
    initial: AbstractInitial = eqx.field(default_factory=UniformHead)
    # Water and pores give a little. Small enough to leave the water balance of a soil alone (2 m
    # of saturated soil under 2 m of head hold 0.02 mm by it), and not zero, because a full column
    # between two prescribed fluxes would have no solution.
    specific_storage: Float[Array, ""] = parameter(
        unit="1/mm",
        bounds=(1e-10, 1e-4),
        scale=LOG,
        default=1e-8,
        fixed=True,
        description="water released per volume and head under saturation",
        source="dense sand and clay, lower end",
    )
    policy: Policy = eqx.field(static=True, default=Adaptive())

    def __check_init__(self) -> None:
        if not isinstance(self.policy, Adaptive | Fixed):
            raise InputError(f"policy is {self.policy!r}; give Adaptive(...) or Fixed(...)")
        if isinstance(self.top, HeadTop):
            raise InputError(
                "a SoilColumn is driven by rain and evaporation, which HeadTop would take for a "
                "head; use Atmosphere or FluxTop, or the solver in diffhydro.soil directly"
            )
        _check_soil(self.grid, self.soil)

    @property
    def needs(self) -> tuple[str, ...]:
        return GROUND_NEEDS

    def init_state(self) -> SoilWater:
        """Return the column as `initial` fills it, without a pond."""
        mesh, problem = self._laid_out()
        psi = _at_nodes(self.grid, self.initial.heads(self.grid, self._soil_of_layers()))
        curves = problem.medium.curves(mesh.split(psi))
        pressed = self.specific_storage * jnp.where(psi > 0, psi, 0.0)
        stored = mesh.volume * (mesh.joined(curves.theta) + pressed)
        none = jnp.zeros((), psi.dtype)
        return SoilWater(psi, stored, none, none + _FIRST_PACE)

    def prepare(self) -> "ColumnStep":
        """Lay the column out for the solver."""
        _check_soil(self.grid, self.soil)
        return ColumnStep(*self._laid_out(), self.policy)

    def stores(self, state: SoilWater) -> dict[str, Array]:
        """Return the water in the soil, by node, and on it."""
        return {"soil": state.stored, "pond": state.pond}

    def profile(self, states: SoilWater) -> Profile:
        """Return water contents: what is stored, less what pressure adds."""
        mesh, problem = self._laid_out()

        def theta(state: SoilWater) -> Array:
            psi = mesh.at_layers(state.psi)
            pressed = self.specific_storage * jnp.where(psi > 0, psi, 0.0)
            return mesh.at_layers(state.stored) / self.grid.thickness - pressed

        share = None if problem.share is None else mesh.at_layers(problem.share)
        return Profile(self.grid, lax.map(theta, states), share)

    def _laid_out(self) -> tuple[Mesh, Problem]:
        return prepare(
            self.grid, self.soil, self.top, self.bottom, self.roots, self.specific_storage
        )

    def _soil_of_layers(self) -> AbstractHydraulics:
        horizon = self.grid.horizon
        if isinstance(self.soil, tuple):
            soils = tuple(jax.tree.map(jnp.atleast_1d, soil) for soil in self.soil)
            return Horizons(soils, tuple(horizon.count(h) for h in range(len(soils))))
        return at(self.soil, horizon)


class ColumnStep(AbstractGroundStep):
    """One interval of a column that is laid out."""

    mesh: Mesh
    problem: Problem
    policy: Policy = eqx.field(static=True)

    def stress(self, state: SoilWater) -> Float[Array, ""]:
        """Return 1: the roots of the column suffer while the water moves, not before."""
        return jnp.ones_like(state.pond)

    def __call__(self, state: SoilWater, forcing: Forcing) -> tuple[SoilWater, Fluxes]:
        """Advance by one interval of the forcing, in the model's floating type."""
        now = astype(forcing, state.stored.dtype)
        none = jnp.zeros_like(now.precipitation)
        days = jnp.full_like(none, now.step)
        drive = Drive(
            surface=now.precipitation - now.potential_evaporation,
            base=none if now.base is None else now.base,
            transpiration=none if now.transpiration is None else now.transpiration,
        )
        after, moved, effort = advance(self.mesh, self.problem, state, drive, days, self.policy)
        rain = now.precipitation * days
        deeper = after.pond - state.pond
        return after, Fluxes(
            precipitation=rain,
            infiltration=moved.infiltration,
            runoff=moved.runoff,
            evaporation=rain - moved.infiltration - moved.runoff - deeper,
            transpiration=moved.uptake,
            drainage=moved.drainage,
            effort=effort,
        )


def _at_nodes(grid: Column, psi: Float[Array, " layer"]) -> Float[Array, " node"]:
    """Put a head between the layers wherever the soil changes, linear between their centres."""
    changes = [i for i, (a, b) in enumerate(pairwise(grid.horizon)) if a != b]
    pieces, start = [], 0
    for above in changes:
        near, far = grid.thickness[above], grid.thickness[above + 1]
        face = (psi[above] * far + psi[above + 1] * near) / (near + far)
        pieces += [psi[start : above + 1], face[None]]
        start = above + 1
    return jnp.concatenate([*pieces, psi[start:]])


def _check_soil(grid: Column, soil: Any) -> None:
    horizons = grid.horizon[-1] + 1
    if isinstance(soil, tuple):
        if len(soil) != horizons:
            raise InputError(f"{len(soil)} soils are given for the {horizons} horizons of the grid")
        allowed, rule = {()}, "a soil in a tuple is that of one horizon, so give scalars"
    else:
        allowed = {(), (horizons,)}
        rule = f"the grid has {horizons} horizon(s), so give a scalar or {horizons} value(s)"
    for path, x in jax.tree_util.tree_leaves_with_path(soil):
        if hasattr(x, "shape") and x.shape not in allowed:
            name = jax.tree_util.keystr(path, simple=True, separator=".")
            raise InputError(
                f"soil.{name} has shape {x.shape}; {rule}. For many sites make one model per soil "
                "with eqx.filter_vmap(lambda soil: SoilColumn(grid, soil))(soils), then simulate"
            )
