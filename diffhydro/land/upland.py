"""Upland soil of the water-balance model: a few thick layers, roots and free drainage.

    dW/dt = I_F − E_V − E_S − D_R                                      (Xi & Zhuang 2026, eq. 5)

A day: part of the water runs off; the surface evaporates by its dryness; roots draw from every
layer by its share of the unstressed roots, as far as there is water; then the layers exchange water
in 24 sub-steps (`soil/redistribution`).
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.core.grids import Column, as_jax
from diffhydro.core.parameters import parameter
from diffhydro.core.precision import astype
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.from_below import AbstractFromBelow, AsItFlows
from diffhydro.land.ground import GROUND_NEEDS, AbstractGround, AbstractGroundStep, soil_warmth
from diffhydro.land.runoff import AbstractRunoff, Ground, SaturationPower
from diffhydro.land.soil_evaporation import FIELD_CAPACITY, AbstractDryness, LeePielke
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.soil.frost import Impedance, Impeded
from diffhydro.soil.hydraulics import AbstractHydraulics, at
from diffhydro.soil.redistribution import THETA_MIN, Layers, Push, redistribute
from diffhydro.soil.uptake import AbstractRoots, AbstractStress, JacksonRoots, LinearStress
from diffhydro.typing import Array, Float

TEM_LAYERS = (50.0, 50.0, 100.0, 300.0, 500.0, 1000.0)  # mm: bottoms where TEM reports


def tem_layers() -> Column:
    """Give the six layers of the water-balance model, 2 m."""
    return Column(list(TEM_LAYERS))


class UplandState(NamedTuple):
    """Water contents, what the soil's surface remembers, and the warmth of the soil."""

    theta: Float[Array, " layer"]
    memory: Any
    warmth: Any  # °C; None without frost


class Upland(AbstractGround):
    """Layers of soil that exchange water in linearised implicit steps.

    Example:
        >>> from diffhydro.soil.pedotransfer import cosby
        >>> upland = Upland(soil=cosby(sand=43.0, clay=18.0))
        >>> run = upland.run(Forcing([12.0, 0.0], [2.0, 4.0], transpiration=[2.0, 4.0]))
        >>> run.theta.shape
        (2, 6)

    Args:
        soil: Parameters are scalars or `[horizon]` of the grid.
        grid: Layers; those of TEM by default.
        roots: Where they are.
        stress: How a root suffers from the head beside it.
        dryness: How the surface holds its water.
        runoff: What does not enter.
        from_below: What the top keeps of the water that comes up.
        frost: How ice slows the water; None for soil that does not freeze.
        base: Share of the free drainage that the foot lets through; 0 is an impervious base.
        saturation: Of all layers at the start.
        steps_per_day: Sub-steps.
    """

    soil: AbstractHydraulics
    grid: Column = eqx.field(default_factory=tem_layers, converter=as_jax)
    roots: AbstractRoots = eqx.field(default_factory=JacksonRoots)
    stress: AbstractStress = eqx.field(default_factory=LinearStress)
    dryness: AbstractDryness = eqx.field(default_factory=LeePielke)
    runoff: AbstractRunoff = eqx.field(default_factory=SaturationPower)
    from_below: AbstractFromBelow = eqx.field(default_factory=AsItFlows)
    frost: Impedance | None = None
    base: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.0, 1.0),
        default=1.0,
        fixed=True,
        description="share of the free drainage that the foot lets through",
    )
    saturation: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.05, 1.0),
        default=0.6,
        fixed=True,
        description="saturation at the start",
    )
    steps_per_day: int = eqx.field(static=True, default=24)

    def __check_init__(self) -> None:
        if self.steps_per_day < 1:
            raise InputError(f"steps_per_day is {self.steps_per_day}; a day needs at least one")

    @property
    def needs(self) -> tuple[str, ...]:
        return GROUND_NEEDS if self.frost is None else (*GROUND_NEEDS, "temperature")

    def init_state(self) -> UplandState:
        theta_s = self._soil_of_layers().theta_s
        theta = jnp.maximum(self.saturation * theta_s, THETA_MIN)
        none = jnp.zeros_like(theta[0])
        return UplandState(theta, self.dryness.init(none), None if self.frost is None else none)

    def prepare(self) -> "UplandStep":
        soil = self._soil_of_layers()
        share = self.roots.share(self.grid.faces)
        first = jax.tree.map(lambda x: x[:1], soil)
        capacity = first.theta(jnp.full((1,), FIELD_CAPACITY, first.theta_s.dtype))[0]
        return UplandStep(self, soil, share, capacity)

    def stores(self, state: UplandState) -> dict[str, Array]:
        """Return the water of every layer."""
        return {"soil": state.theta * self.grid.thickness}

    def profile(self, states: UplandState) -> Profile:
        return Profile(self.grid, states.theta, self.roots.share(self.grid.faces))

    def _soil_of_layers(self) -> AbstractHydraulics:
        soil = at(self.soil, self.grid.horizon)
        layers = self.grid.layers
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (layers,)), soil)


class UplandStep(AbstractGroundStep):
    """One interval of an upland that is laid out."""

    upland: Upland
    soil: AbstractHydraulics
    share: Float[Array, " layer"]
    capacity: Float[Array, ""]

    def stress(self, state: UplandState) -> Float[Array, ""]:
        """Give the root-weighted stress."""
        return jnp.sum(self._wanted(state.theta))

    def __call__(self, state: UplandState, forcing: Forcing) -> tuple[UplandState, Fluxes]:
        """Advance by one interval of the forcing, in the model's floating type."""
        upland, theta = self.upland, state.theta
        now = astype(forcing, theta.dtype)
        thickness = upland.grid.thickness
        days = now.step
        melt = jnp.zeros_like(now.precipitation) if now.melt is None else now.melt
        rain = now.precipitation - melt
        runoff = upland.runoff(rain, melt, Ground(theta, self.soil, thickness))

        # Never more than lies above θ_min now: a hard limit, continuous, as every sink needs.
        there = jnp.maximum(theta - THETA_MIN, 0.0) * thickness / days
        potential = now.potential_evaporation
        ratio, memory = upland.dryness(
            state.memory, theta[0], self.capacity, now.precipitation, potential
        )
        evaporation = jnp.minimum(ratio * potential, there[0])
        uptake = jnp.zeros_like(theta)
        if now.transpiration is not None:
            uptake = jnp.minimum(now.transpiration * self._drawn(theta), there)

        soil, warmth = self._frozen(state, now)
        entering = now.precipitation - runoff
        layers = Layers(soil, thickness, upland.base)
        push = Push(entering - evaporation, uptake)
        steps = max(1, round(upland.steps_per_day * days))
        after, moved = redistribute(theta, layers, push, days, steps)
        infiltration = days * (entering - evaporation) - moved.exfiltration
        inflow = infiltration + days * evaporation
        theta = upland.from_below.kept(theta, after, soil.theta_s, thickness, inflow)
        return UplandState(theta, memory, warmth), Fluxes(
            precipitation=days * now.precipitation,
            infiltration=infiltration,
            runoff=days * runoff + moved.exfiltration,
            evaporation=days * evaporation,
            transpiration=days * jnp.sum(uptake),
            drainage=moved.drainage,
        )

    def _wanted(self, theta: Array) -> Array:
        """Give every layer's share of the roots that find water."""
        return self.share * self.upland.stress(self.soil.psi(theta))

    def _drawn(self, theta: Array) -> Array:
        """Give every layer's share of the uptake; all zero where no root finds water."""
        wanted = self._wanted(theta)
        total = jnp.sum(wanted)
        some = total > 0
        return jnp.where(some, wanted, 0.0) / jnp.where(some, total, 1.0)

    def _frozen(self, state: UplandState, now: Forcing) -> tuple[AbstractHydraulics, Any]:
        frost = self.upland.frost
        if frost is None:
            return self.soil, None
        warmth = soil_warmth(state.warmth, now)
        return Impeded(self.soil, frost.share(self.soil, state.theta, warmth)), warmth
