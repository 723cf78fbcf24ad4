"""What lies between the sky and the ground: canopy, snow, and air over bare soil.

A day in the order of TEM: split the precipitation, let the canopy have its part, then the snow, and
give the rest to the ground. The ground answers with one number, how well its plants get water.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from diffhydro.land.air import Air
from diffhydro.land.canopy import Canopy
from diffhydro.land.forcing import Forcing
from diffhydro.land.snow import Snowpack
from diffhydro.land.soil_evaporation import BareSoil
from diffhydro.typing import Array, Float

LEAST_DAYLIGHT = 0.1 / 24.0  # of a day: the polar night has this much, so that nothing divides by 0
USUAL_DAYLIGHT = 0.5


class Passed(NamedTuple):
    """What passes the surface and what stays, mm/day; the pack in mm."""

    pack: Array
    throughfall: Array
    melt: Array
    interception: Array
    sublimation: Array
    transpiration: Array  # demand
    evaporation: Array  # demand of the soil's surface


class Surface(eqx.Module):
    """Canopy, snow and bare soil under one sky."""

    canopy: Canopy = eqx.field(default_factory=Canopy)
    snow: Snowpack = eqx.field(default_factory=Snowpack)
    soil: BareSoil = eqx.field(default_factory=BareSoil)

    @property
    def needs(self) -> tuple[str, ...]:
        """Name the series of a forcing that a surface reads."""
        return ("temperature", "shortwave", "vapour_pressure", "leaf_area")

    def __call__(
        self, pack: Float[Array, ""], weather: Forcing, stress: Float[Array, ""]
    ) -> Passed:
        """Let a day pass.

        Args:
            pack: Snow water on the ground, mm.
            weather: An instant.
            stress: 1 where roots find water, 0 where they find none.
        """
        temperature, sun = weather.temperature, jnp.maximum(weather.shortwave, 0.0)
        air = Air.of(temperature, weather.vapour_pressure, weather.pressure)
        none = jnp.zeros_like(temperature)
        daylight = none + USUAL_DAYLIGHT if weather.daylight is None else weather.daylight
        daylight = jnp.maximum(daylight, LEAST_DAYLIGHT)

        rain = weather.precipitation * self.snow.rain(temperature)
        snowfall = weather.precipitation - rain
        leaves = self.canopy(rain, temperature, air, sun, weather.leaf_area, daylight, stress)
        thawed = self.snow(pack / weather.step, snowfall, temperature, leaves.sun)
        bare = 1.0 - self.snow.cover(thawed.pack * weather.step)
        return Passed(
            pack=thawed.pack * weather.step,
            throughfall=leaves.throughfall,
            melt=thawed.melt,
            interception=leaves.interception,
            sublimation=thawed.sublimation,
            transpiration=leaves.transpiration,
            evaporation=bare * self.soil.potential(air, leaves.sun, daylight),
        )
