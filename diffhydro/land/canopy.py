"""Leaves between sky and ground: they catch rain and light, dry, and transpire.

Over the daylight share N of the day, with I the rain held and the wet potential E_wet:

    E_i = min(I, E_wet),    f_wet = E_i/E_wet,    E_V = N E (1 − f_wet),    P_thr = P_r − E_i

Rain that leaves hold and do not evaporate reaches the ground the same day, so no water is carried
over (BIOME-BGC). Longwave radiation is not used, as in TEM.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.bijections import LINEAR, LOG
from diffhydro.core.parameters import parameter
from diffhydro.land.air import Air, evaporated
from diffhydro.land.conductance import AbstractConductance, Jarvis
from diffhydro.land.interception import AbstractInterception, SmoothInterception
from diffhydro.land.penman_monteith import from_wet_surface, through_leaves
from diffhydro.land.radiation import intercepted
from diffhydro.typing import Array, Float


class UnderLeaves(NamedTuple):
    """What a canopy lets through and takes, mm/day and W/m²."""

    throughfall: Array
    interception: Array  # evaporated from wet leaves
    transpiration: Array
    sun: Array  # on the ground


class Canopy(eqx.Module):
    """One big leaf, as thick as its leaf area."""

    extinction: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.3, 0.8),
        scale=LINEAR,
        default=0.5,
        description="extinction of light per unit of leaf area, E_R",
        source="DOS-TEM; BIOME-BGC 0.5 to 0.7",
    )
    albedo: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.05, 0.35),
        scale=LINEAR,
        default=0.10,
        description="albedo of leaves",
        source="DOS-TEM",
    )
    aerodynamic: Float[Array, "..."] = parameter(
        unit="m/s",
        bounds=(0.005, 0.2),
        scale=LOG,
        default=0.02,
        description="aerodynamic conductance of the canopy, g_a",
        source="TEM",
    )
    interception: AbstractInterception = eqx.field(default_factory=SmoothInterception)
    conductance: AbstractConductance = eqx.field(default_factory=Jarvis)

    def __call__(
        self,
        rain: Float[Array, "..."],
        temperature: Float[Array, "..."],
        air: Air,
        shortwave: Float[Array, "..."],
        leaf_area: Float[Array, "..."],
        daylight: Float[Array, "..."],
        stress: Float[Array, "..."],
    ) -> UnderLeaves:
        """Let a day pass."""
        cover = intercepted(leaf_area, self.extinction)
        light = (1.0 - self.albedo) * shortwave
        available = light * cover / daylight
        wet_power = from_wet_surface(air, available, self.aerodynamic)
        potential = daylight * evaporated(wet_power, air.latent_heat)
        caught = jnp.minimum(self.interception(rain, leaf_area), potential)
        dries = potential > 0
        wet_share = jnp.where(dries, caught / jnp.where(dries, potential, 1.0), 0.0)
        leaves = self.conductance(temperature, air.deficit, light, cover, stress)
        power = through_leaves(air, available, self.aerodynamic, leaves)
        transpiration = daylight * evaporated(power, air.latent_heat) * (1.0 - wet_share)
        return UnderLeaves(rain - caught, caught, transpiration, shortwave * (1.0 - cover))
