"""Wetland soil of the water-balance model: one store, parted by a water table.

Profile and water table are those of Granberg et al. 1999 (`soil/peat.py`). Evaporation falls as
the table sinks, f = 1/(1 + exp((z_wt − 98.7)/22.6)) (shape of Wania et al. 2009); drainage is Q_max
times the share of coarse pores; when together they would take more than lies above the lowest
storage, all are reduced alike.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.bijections import LOG
from diffhydro.core.grids import Column, as_jax
from diffhydro.core.parameters import parameter
from diffhydro.core.precision import astype
from diffhydro.land.forcing import Forcing
from diffhydro.land.ground import GROUND_NEEDS, AbstractGround, AbstractGroundStep, soil_warmth
from diffhydro.land.threshold import AbstractThreshold
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.land.upland import tem_layers
from diffhydro.soil.peat import Peat
from diffhydro.typing import Array, Float

HALF_EVAPORATION, EVAPORATION_FADES = 98.7, 22.6  # mm of water-table depth


class WetlandState(NamedTuple):
    """Water above z_b, standing water included, and the warmth of the soil."""

    stored: Float[Array, ""]  # mm
    warmth: Any  # °C; None without frost


class Wetland(AbstractGround):
    """A store of water with a water table near the surface.

    Example:
        >>> run = Wetland().run(Forcing([12.0, 0.0], [2.0, 4.0], transpiration=[2.0, 4.0]))
        >>> bool(run.theta[-1, 0] < run.theta[-1, 2])
        True

    Args:
        coarse: Share of pores that drain; `coarse_pores` gives it from texture.
        freeze: Stops drainage and evaporation while the mean of about ten days is below zero, by a
            threshold in °C; None for never.
        standing: Most water that stands on the ground; more runs off.
        grid: Layers in which soil moisture is told. What lies below z_b is saturated.
    """

    porosity: Float[Array, ""] = parameter(
        unit="m³/m³",
        bounds=(0.50, 0.95),
        default=0.90,
        description="porosity of peat",
        source="Frolking 1996",
    )
    driest: Float[Array, ""] = parameter(
        unit="m³/m³",
        bounds=(0.15, 0.45),
        default=0.25,
        description="least water content of the surface",
        source="Granberg et al. 1999",
    )
    influence: Float[Array, ""] = parameter(
        unit="mm",
        bounds=(30.0, 150.0),
        default=100.0,
        description="depth to which evaporation dries the surface",
        source="Granberg et al. 1999",
    )
    depth: Float[Array, ""] = parameter(
        unit="mm",
        bounds=(200.0, 500.0),
        default=300.0,
        fixed=True,
        description="deepest water table",
        source="Granberg et al. 1999",
    )
    drainage: Float[Array, ""] = parameter(
        unit="mm/day",
        bounds=(0.1, 30.0),
        scale=LOG,
        default=5.0,
        description="most drainage of coarse soil, Q_DRMAX",
        source="none published; wide",
    )
    coarse: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.14, 0.45),
        default=0.288,
        fixed=True,
        description="share of pores that drain",
        source="Walter et al. 2001, of loam",
    )
    standing: Float[Array, ""] = parameter(
        unit="mm",
        bounds=(0.0, 100.0),
        default=0.0,
        fixed=True,
        description="most water on the ground",
    )
    deficit: Float[Array, ""] = parameter(
        unit="mm",
        bounds=(0.0, 300.0),
        default=30.0,
        fixed=True,
        description="water that is missing at the start",
    )
    freeze: AbstractThreshold | None = None
    grid: Column = eqx.field(default_factory=tem_layers, converter=as_jax)

    @property
    def needs(self) -> tuple[str, ...]:
        return GROUND_NEEDS if self.freeze is None else (*GROUND_NEEDS, "temperature")

    @property
    def peat(self) -> Peat:
        """Give the profile's numbers."""
        return Peat(self.porosity, self.driest, self.influence, self.depth)

    def init_state(self) -> WetlandState:
        peat = self.peat
        stored = jnp.maximum(peat.full - self.deficit, peat.least)
        return WetlandState(stored, None if self.freeze is None else jnp.zeros_like(stored))

    def prepare(self) -> "WetlandStep":
        return WetlandStep(self)

    def stores(self, state: WetlandState) -> dict[str, Array]:
        """Return the water above the deepest water table."""
        return {"soil": state.stored}

    def profile(self, states: WetlandState) -> Profile:
        """Return exact means over layers."""
        peat, grid = self.peat, self.grid

        def theta(stored: Array) -> Array:
            missing = peat.missing(peat.water_table(stored), grid.faces)
            return self.porosity - jnp.diff(missing) / grid.thickness

        return Profile(grid, lax.map(theta, states.stored), None)


class WetlandStep(AbstractGroundStep):
    """One interval of a wetland."""

    wetland: Wetland

    def stress(self, state: WetlandState) -> Float[Array, ""]:
        """Return 1: plants of wetlands do not lack water."""
        return jnp.ones_like(state.stored)

    def __call__(self, state: WetlandState, forcing: Forcing) -> tuple[WetlandState, Fluxes]:
        """Advance by one interval of the forcing, in the model's floating type."""
        wetland, peat = self.wetland, self.wetland.peat
        now = astype(forcing, state.stored.dtype)
        days = now.step
        table = peat.water_table(state.stored)
        open_surface = jax.nn.sigmoid((HALF_EVAPORATION - table) / EVAPORATION_FADES)
        thawed, warmth = self._thawed(state, now)
        evaporation = days * thawed * open_surface * now.potential_evaporation
        drainage = days * thawed * wetland.drainage * wetland.coarse
        none = jnp.zeros_like(evaporation)
        transpiration = none if now.transpiration is None else days * now.transpiration

        water = days * now.precipitation
        there = state.stored + water
        wanted = evaporation + transpiration + drainage
        asks = wanted > 0
        free = jnp.maximum(there - peat.least, 0.0)
        share = jnp.where(asks, jnp.minimum(free / jnp.where(asks, wanted, 1.0), 1.0), 1.0)
        evaporation, transpiration, drainage = (
            share * x for x in (evaporation, transpiration, drainage)
        )
        left = there - evaporation - transpiration - drainage
        runoff = jnp.maximum(left - peat.full - wetland.standing, 0.0)
        after = left - runoff
        # What rounding took from the store leaves with the drainage; it has no derivative.
        crumbs = (state.stored - after) + (water - evaporation - transpiration - runoff - drainage)
        drainage = drainage + lax.stop_gradient(crumbs)
        return WetlandState(after, warmth), Fluxes(
            precipitation=water,
            infiltration=water - runoff - evaporation,
            runoff=runoff,
            evaporation=evaporation,
            transpiration=transpiration,
            drainage=drainage,
        )

    def _thawed(self, state: WetlandState, now: Forcing) -> tuple[Float[Array, ""], Any]:
        freeze = self.wetland.freeze
        if freeze is None:
            return jnp.ones_like(state.stored), None
        warmth = soil_warmth(state.warmth, now)
        return freeze.above(warmth), warmth
