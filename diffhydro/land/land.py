"""Land: a ground under canopy and snow."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.precision import astype
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.ground import AbstractGround, AbstractGroundStep
from diffhydro.land.model import AbstractModel
from diffhydro.land.surface import Surface
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.typing import Array, Float

INSULATING = 50.0  # mm of snow water that keeps the cold from the ground


class LandState(NamedTuple):
    """Snow, and the state of the ground below it."""

    snow: Float[Array, ""]  # mm
    ground: Any


class Land(AbstractModel):
    """A ground under the weather. Any ground: six layers, a wetland or a fine Richards column.

    Example:
        >>> from diffhydro.land.upland import Upland
        >>> from diffhydro.soil.pedotransfer import cosby
        >>> land = Land(ground=Upland(soil=cosby(sand=43.0, clay=18.0)))
        >>> run = land.run(
        ...     Forcing(
        ...         [12.0, 0.0],
        ...         temperature=[18.0, 22.0],
        ...         shortwave=[220.0, 280.0],
        ...         vapour_pressure=[1300.0, 1200.0],
        ...         leaf_area=[3.0, 3.0],
        ...     )
        ... )
        >>> run.theta.shape
        (2, 6)
    """

    ground: AbstractGround
    surface: Surface = eqx.field(default_factory=Surface)

    @property
    def needs(self) -> tuple[str, ...]:
        passed = ("precipitation", "potential_evaporation", "transpiration", "melt", "temperature")
        others = tuple(name for name in self.ground.needs if name not in passed)
        return ("precipitation", *self.surface.needs, *others)

    def init_state(self) -> LandState:
        ground = self.ground.init_state()
        soil = next(iter(self.ground.stores(ground).values()))
        return LandState(jnp.zeros((), soil.dtype), ground)

    def prepare(self) -> "LandStep":
        return LandStep(self.surface, self.ground.prepare())

    def stores(self, state: LandState) -> dict[str, Array]:
        """Return the water of the ground and the snow on it."""
        return {**self.ground.stores(state.ground), "snow": state.snow}

    def profile(self, states: LandState) -> Profile | None:
        return self.ground.profile(states.ground)


class LandStep(eqx.Module):
    """One interval of land."""

    surface: Surface
    ground: AbstractGroundStep

    def __call__(self, state: LandState, forcing: Forcing) -> tuple[LandState, Fluxes]:
        """Advance by one interval of the forcing, in the model's floating type."""
        weather = astype(forcing, state.snow.dtype)
        days = weather.step
        if days != 1.0:
            raise InputError(f"a canopy works in days, by their daylight; the step is {days} days")
        stress = self.ground.stress(state.ground)
        passed = self.surface(state.snow, weather, stress)
        bare = 1.0 - jnp.minimum(passed.pack / INSULATING, 1.0)
        below = Forcing(
            precipitation=passed.throughfall + passed.melt,
            potential_evaporation=passed.evaporation,
            transpiration=passed.transpiration,
            base=weather.base,
            melt=passed.melt,
            temperature=weather.temperature * bare,
            step=days,
        )
        ground, moved = self.ground(state.ground, below)
        return LandState(passed.pack, ground), Fluxes(
            precipitation=days * weather.precipitation,
            infiltration=moved.infiltration,
            runoff=moved.runoff,
            evaporation=moved.evaporation,
            transpiration=moved.transpiration,
            drainage=moved.drainage,
            interception=days * passed.interception,
            sublimation=days * passed.sublimation,
            melt=days * passed.melt,
            effort=moved.effort,
        )
