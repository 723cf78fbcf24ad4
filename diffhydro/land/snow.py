"""Snow on the ground: what falls, sublimates and melts (TEM; Brubaker et al. 1996).

With S_g the sun below the canopy, a its absorbed share, W the pack and P_s the snow of the day:

    sublimation = min(W + P_s, a S_g/L_sub)                          below −1 °C
    melt = min(what is left, m_q a S_g + a_r (T − T_m))              above T_m = 0 °C

The second condition is not TEM's, which melts on radiation at any temperature.
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax import lax

from diffhydro.core.bijections import LINEAR, LOG
from diffhydro.core.parameters import parameter
from diffhydro.land.air import MEGAJOULES, SECONDS_PER_DAY
from diffhydro.land.threshold import AbstractThreshold, Smooth
from diffhydro.typing import Array, Float

LATENT_HEAT_OF_SUBLIMATION = 2.845e6  # J/kg
COLD = -1.0  # °C: sublimation below
BIOME_BGC_FUSION = 3.35e5  # J/kg, as written there


class AbstractMelt(eqx.Module):
    """How much snow would melt, were there enough."""

    @abstractmethod
    def __call__(
        self, temperature: Float[Array, "..."], absorbed: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Give the melt (mm/day) at a temperature above melting; the absorbed sun is in W/m²."""


class RadiationMelt(AbstractMelt):
    """Sun and warm air (Brubaker, Rango & Kustas 1996)."""

    per_radiation: Float[Array, "..."] = parameter(
        unit="mm m²/MJ",
        bounds=(1.0, 3.0),
        scale=LINEAR,
        default=2.99,
        description="melt by absorbed radiation",
        source="Brubaker et al. 1996",
    )
    per_degree: Float[Array, "..."] = parameter(
        unit="mm/°C/day",
        bounds=(0.5, 8.0),
        scale=LOG,
        default=2.0,
        description="melt by warm air",
        source="Brubaker et al. 1996",
    )

    def __call__(
        self, temperature: Float[Array, "..."], absorbed: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return self.per_radiation * MEGAJOULES * absorbed + self.per_degree * temperature


class BiomeBgcMelt(AbstractMelt):
    """Thornton 1998: 0.65 T and all absorbed energy."""

    def __call__(
        self, temperature: Float[Array, "..."], absorbed: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return 0.65 * temperature + SECONDS_PER_DAY * absorbed / BIOME_BGC_FUSION


class DegreeDayMelt(AbstractMelt):
    """HBV: by temperature alone."""

    per_degree: Float[Array, "..."] = parameter(
        unit="mm/°C/day",
        bounds=(0.5, 10.0),
        scale=LINEAR,
        default=3.0,
        description="degree-day factor",
        source="Feng et al. 2022",
    )

    def __call__(
        self, temperature: Float[Array, "..."], absorbed: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return self.per_degree * temperature


class AbstractAbsorption(eqx.Module):
    """The share of the sun that snow takes in."""

    @abstractmethod
    def __call__(self, temperature: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the share at an air temperature."""


class ConstantAbsorption(AbstractAbsorption):
    """One number (Coughlan 1991)."""

    share: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.2, 0.8),
        scale=LINEAR,
        default=0.6,
        description="absorptivity of snow",
        source="Coughlan 1991",
    )

    def __call__(self, temperature: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.broadcast_to(self.share, jnp.shape(temperature))


class AgeingAbsorption(AbstractAbsorption):
    """Fresh cold snow is bright, warm snow dark (DOS-TEM): albedo 0.8 at −10 °C, 0.4 at 0 °C."""

    def __call__(self, temperature: Float[Array, "..."]) -> Float[Array, "..."]:
        return 1.0 - jnp.clip(0.8 - 0.04 * (temperature + 10.0), 0.4, 0.8)


class Thawed(NamedTuple):
    """What a day does to the pack, mm."""

    pack: Array
    melt: Array
    sublimation: Array


class Snowpack(eqx.Module):
    """Rain or snow, and what becomes of snow."""

    rain_above: Float[Array, "..."] = parameter(
        unit="°C",
        bounds=(-3.0, 3.0),
        scale=LINEAR,
        default=-1.0,
        description="temperature between snow and rain",
        source="TEM",
    )
    melting: AbstractMelt = eqx.field(default_factory=RadiationMelt)
    absorption: AbstractAbsorption = eqx.field(default_factory=ConstantAbsorption)
    threshold: AbstractThreshold = eqx.field(default_factory=Smooth)

    def rain(self, temperature: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the share of precipitation that is rain."""
        return self.threshold.above(temperature - self.rain_above)

    def __call__(
        self,
        pack: Float[Array, "..."],
        snowfall: Float[Array, "..."],
        temperature: Float[Array, "..."],
        sun: Float[Array, "..."],
    ) -> Thawed:
        """Let a day pass; the sun is that on the snow, W/m²."""
        absorbed = self.absorption(temperature) * sun
        there = pack + snowfall
        energy = SECONDS_PER_DAY * absorbed / LATENT_HEAT_OF_SUBLIMATION
        cold = 1.0 - self.threshold.above(temperature - COLD)
        sublimation = jnp.minimum(there, cold * energy)
        left = there - sublimation
        warm = 1.0 - self.threshold.above(-temperature)
        melt = jnp.minimum(left, warm * jnp.maximum(self.melting(temperature, absorbed), 0.0))
        after = left - melt
        # What rounding took from a deep pack leaves with the sublimation; it has no derivative.
        crumbs = (pack - after) + (snowfall - melt - sublimation)
        return Thawed(after, melt, sublimation + lax.stop_gradient(crumbs))

    def cover(self, pack: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the share of the ground that snow hides from evaporation."""
        return self.threshold.filled(pack)
