"""Moist air, and what its energy can evaporate.

    e_s = 610.8 exp[17.27 T/(T + 237.3)]   Δ = 4098 e_s/(T + 237.3)²         (FAO-56 eqs 11, 13)
    p = 101300 [(293 − 0.0065 z)/293]^5.26                                    (FAO-56 eq. 7)
    λ = 2.5023·10⁶ − 2430.54 T             ρ = 1.292 − 0.00428 T              (TEM, BIOME-BGC)
    γ = c_p p/(0.6219 λ)

Energy is in W/m² and conductances of air in m/s, as everywhere in the literature; what evaporates
is in mm/day. `evaporated` is the one place where the two meet.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp

from diffhydro.typing import Array, Float

SECONDS_PER_DAY = 86400.0
MEGAJOULES = 0.0864  # MJ/m² in a day of 1 W/m²
HEAT_CAPACITY = 1004.64  # J/kg/K, of air at constant pressure
MOLAR_RATIO = 0.6219  # of water vapour to dry air
SEA_LEVEL = 101300.0  # Pa
KELVIN = 273.16  # at 0 °C, as in FAO-56


def saturation(temperature: Any) -> Any:
    """Give the saturation vapour pressure over water, Pa; NumPy's of NumPy's, jax's of jax's."""
    exp = temperature.__array_namespace__().exp
    return 610.8 * exp(17.27 * temperature / (temperature + 237.3))


def saturation_over_ice(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give the saturation vapour pressure over ice, Pa; meant for temperatures below 0 °C."""
    return 610.8 * jnp.exp(21.875 * temperature / (temperature + 265.5))


def saturation_slope(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give the slope of the saturation curve over water, Pa/K."""
    return 4098.0 * saturation(temperature) / (temperature + 237.3) ** 2


def latent_heat(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give the latent heat of vaporisation, J/kg."""
    return 2.5023e6 - 2430.54 * temperature


def density(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give the density of air near sea level, kg/m³."""
    return 1.292 - 0.00428 * temperature


def pressure(elevation: Any) -> Any:
    """Give the mean air pressure (Pa) at an elevation in metres; of either kind of array."""
    return SEA_LEVEL * ((293.0 - 0.0065 * elevation) / 293.0) ** 5.26


def evaporated(power: Float[Array, "..."], latent: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give the water (mm/day) that a power in W/m² evaporates."""
    return SECONDS_PER_DAY * power / latent


class Air(NamedTuple):
    """What evaporation asks of the air; Pa, J/kg, kg/m³."""

    saturation: Array
    slope: Array
    latent_heat: Array
    density: Array
    psychrometric: Array
    deficit: Array

    @classmethod
    def of(
        cls,
        temperature: Float[Array, "..."],
        vapour_pressure: Float[Array, "..."],
        pressure: Float[Array, "..."] | None = None,
    ) -> "Air":
        """Work them all out; at sea level where no pressure is given."""
        saturated = saturation(temperature)
        heat = latent_heat(temperature)
        p = SEA_LEVEL if pressure is None else pressure
        return cls(
            saturation=saturated,
            slope=4098.0 * saturated / (temperature + 237.3) ** 2,
            latent_heat=heat,
            density=density(temperature),
            psychrometric=HEAT_CAPACITY * p / (MOLAR_RATIO * heat),
            deficit=jnp.maximum(saturated - vapour_pressure, 0.0),
        )
