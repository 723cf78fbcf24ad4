"""How far the leaves of a canopy open (Jarvis 1976, with the factors of BIOME-BGC and TEM).

    G_c = g_max (1 − exp(−E_R L)) f_T f_V f_Q β

    f_T = clip(1 + T/8, 0, 1)                      cold
    f_V = clip((D_close − D)/(D_close − D_open), 0, 1)      dry air
    f_Q = Q/(Q + Q₅₀)                              light, µmol/m²/s

β is the water stress that the ground reports. The factor with the leaf area closes the canopy as
leaves vanish and keeps g_max a maximum of a closed canopy.
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.bijections import LINEAR, LOG
from diffhydro.core.parameters import parameter
from diffhydro.typing import Array, Float

PHOTONS = 4.55 * 0.45  # µmol/J of sunlight: of its visible part, which is 0.45


class AbstractConductance(eqx.Module):
    """A law of canopy conductance."""

    @abstractmethod
    def __call__(
        self,
        temperature: Float[Array, "..."],
        deficit: Float[Array, "..."],
        light: Float[Array, "..."],
        cover: Float[Array, "..."],
        stress: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Give the conductance to vapour, m/s, never negative.

        Args:
            temperature: Of the air, °C.
            deficit: Of vapour pressure, Pa.
            light: Sunlight that is not reflected, W/m².
            cover: Share of the light that leaves intercept.
            stress: 1 where water is at hand, 0 where there is none.
        """


class Jarvis(AbstractConductance):
    """Every factor closes the leaves independently of the others."""

    g_max: Float[Array, "..."] = parameter(
        unit="m/s",
        bounds=(0.001, 0.030),
        scale=LOG,
        default=0.010,
        description="conductance of a closed canopy",
        source="about three times the leaf values of BIOME-BGC and DOS-TEM",
    )
    vpd_open: Float[Array, "..."] = parameter(
        unit="Pa",
        bounds=(300.0, 1500.0),
        scale=LINEAR,
        default=930.0,
        description="vapour deficit at which leaves start to close",
        source="BIOME-BGC",
    )
    vpd_close: Float[Array, "..."] = parameter(
        unit="Pa",
        bounds=(2000.0, 6000.0),
        scale=LINEAR,
        default=4100.0,
        description="vapour deficit at which leaves are closed",
        source="BIOME-BGC",
    )
    half_light: Float[Array, "..."] = parameter(
        unit="µmol/m²/s",
        bounds=(30.0, 200.0),
        scale=LOG,
        default=75.0,
        description="light at half opening",
        source="BIOME-BGC",
    )

    def __call__(
        self,
        temperature: Float[Array, "..."],
        deficit: Float[Array, "..."],
        light: Float[Array, "..."],
        cover: Float[Array, "..."],
        stress: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        factors = cold(temperature) * self.dry_air(deficit) * self.dim(light)
        return self.g_max * cover * factors * stress

    def dry_air(self, deficit: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the factor of the vapour deficit."""
        return jnp.clip((self.vpd_close - deficit) / (self.vpd_close - self.vpd_open), 0.0, 1.0)

    def dim(self, light: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the factor of light."""
        photons = PHOTONS * light
        return photons / (photons + self.half_light)


def cold(temperature: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give the factor of cold: 1 at 0 °C, 0 at −8 °C."""
    return jnp.clip(1.0 + 0.125 * temperature, 0.0, 1.0)
