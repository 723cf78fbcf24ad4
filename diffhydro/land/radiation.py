"""Radiation that is left for evaporation: net radiation of a reference surface, and Beer's law.

Net radiation (FAO-56 eqs 37–40), where T_K⁴ is that of the mean temperature or the mean of those of
day and night:

    R_n = (1 − α) S − σ T_K⁴ (0.34 − 0.14 √e_a[kPa]) (1.35 clip(S/R_so, 0.25, 1) − 0.35)
    R_so = (0.75 + 2·10⁻⁵ z) R_a

Below a canopy of leaf area L with extinction E_R:

    f = 1 − exp(−E_R L),    A_c = (1 − α_c) S f,    S_g = S (1 − f),    A_s = (1 − α_s) S_g

The canopy reflects only what it intercepts, so bare ground keeps its own albedo.
"""

import jax.numpy as jnp

from diffhydro.land.air import KELVIN, MEGAJOULES
from diffhydro.typing import Array, Float

STEFAN_BOLTZMANN = 4.903e-9 / MEGAJOULES  # W/m²/K⁴; FAO-56 gives it per day in MJ
LEAST_CLEARNESS = 0.25  # a sky darker than this is taken as this; also where the sun does not rise
NO_SUN = 0.5  # clearness of the polar night


def clear_sky(
    extraterrestrial: Float[Array, "..."], elevation: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Give the shortwave radiation under a clear sky, W/m²; elevation in metres."""
    return (0.75 + 2e-5 * elevation) * extraterrestrial


def black(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give what a black body of a temperature in °C emits, W/m²."""
    return STEFAN_BOLTZMANN * (temperature + KELVIN) ** 4


def net_longwave(
    emission: Float[Array, "..."],
    vapour_pressure: Float[Array, "..."],
    shortwave: Float[Array, "..."],
    clear: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Give the longwave radiation (W/m²) that a surface with black emission (W/m²) loses."""
    has_sun = clear > 0
    ratio = jnp.where(has_sun, shortwave / jnp.where(has_sun, clear, 1.0), NO_SUN)
    cloudiness = 1.35 * jnp.clip(ratio, LEAST_CLEARNESS, 1.0) - 0.35
    damp = vapour_pressure > 0
    root = jnp.where(damp, jnp.sqrt(jnp.where(damp, vapour_pressure / 1000.0, 1.0)), 0.0)
    return emission * (0.34 - 0.14 * root) * cloudiness


def intercepted(
    leaf_area: Float[Array, "..."], extinction: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Give the share of the light that leaves intercept."""
    return -jnp.expm1(-extinction * leaf_area)
