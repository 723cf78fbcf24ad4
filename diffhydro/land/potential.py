"""Potential evaporation by different laws; each takes the weather of an instant and gives mm/day.

    PenmanMonteith   [0.408 Δ R_n + γ 900/(T + 273) u₂ (e_s − e_a)]/[Δ + γ (1 + 0.34 u₂)], in kPa
                     and MJ/m²/day, of short well-watered grass                   (FAO-56 eq. 6)
    PriestleyTaylor  1.26 Δ/(Δ + γ) R_n/λ
    Hargreaves       0.0023 (T + 17.8) √(T_max − T_min) R_a/λ                     (FAO-56 eq. 52)
    JensenHaise      (0.014 T_F − 0.37) 0.016742 S, T_F in °F and S in cal/cm²/day        (TEM)
    Given            what the forcing says

Net radiation is that of grass, and nothing flows into the ground. Where a forcing has the
extremes of day and night, FAO-56 takes the means of what depends on them (eqs 12 and 39).
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.parameters import parameter
from diffhydro.land.air import MEGAJOULES, SEA_LEVEL, Air, evaporated, saturation, saturation_slope
from diffhydro.land.forcing import Forcing
from diffhydro.land.radiation import black, clear_sky, net_longwave
from diffhydro.typing import Array, Float

MM_PER_MEGAJOULE = 0.408  # FAO-56's rounded 1/λ
CALORIES = 86400.0 / 41840.0  # cal/cm² in a day of 1 W/m²


class AbstractPotential(eqx.Module):
    """A law of potential evaporation."""

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Name the series of a forcing that the law reads."""

    @abstractmethod
    def __call__(self, weather: Forcing) -> Float[Array, "..."]:
        """Give the potential evaporation, mm/day; below zero is dew."""


class Given(AbstractPotential):
    """The forcing's own potential evaporation."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("potential_evaporation",)

    def __call__(self, weather: Forcing) -> Float[Array, "..."]:
        return weather.potential_evaporation


class Grass(eqx.Module):
    """The reference surface: what of the sun it keeps."""

    albedo: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.05, 0.35),
        default=0.23,
        fixed=True,
        description="albedo of the reference surface",
        source="FAO-56",
    )
    elevation: Float[Array, "..."] = parameter(
        unit="m", bounds=(-450.0, 9000.0), default=0.0, fixed=True, description="above the sea"
    )

    def net_radiation(self, weather: Forcing) -> Float[Array, "..."]:
        """Give the net radiation, W/m²."""
        clear = clear_sky(weather.extraterrestrial, self.elevation)
        lost = net_longwave(_emission(weather), weather.vapour_pressure, weather.shortwave, clear)
        return (1.0 - self.albedo) * weather.shortwave - lost


def _has_extremes(weather: Forcing) -> bool:
    return weather.temperature_max is not None and weather.temperature_min is not None


def _emission(weather: Forcing) -> Float[Array, "..."]:
    if _has_extremes(weather):
        return 0.5 * (black(weather.temperature_max) + black(weather.temperature_min))
    return black(weather.temperature)


_RADIATION = ("temperature", "vapour_pressure", "shortwave", "extraterrestrial")


class PenmanMonteith(AbstractPotential):
    """FAO-56: the reference evaporation of grass. Wind defaults to 2 m/s."""

    surface: Grass = eqx.field(default_factory=Grass)

    @property
    def needs(self) -> tuple[str, ...]:
        return _RADIATION

    def __call__(self, weather: Forcing) -> Float[Array, "..."]:
        t, vapour = weather.temperature, weather.vapour_pressure
        slope = saturation_slope(t)
        saturated = saturation(t)
        if _has_extremes(weather):
            warm, cold = weather.temperature_max, weather.temperature_min
            saturated = 0.5 * (saturation(warm) + saturation(cold))
        p = SEA_LEVEL if weather.pressure is None else weather.pressure
        gamma = 0.665e-3 * p
        wind = 2.0 if weather.wind is None else weather.wind
        radiation = MM_PER_MEGAJOULE * MEGAJOULES * self.surface.net_radiation(weather)
        drying = 0.001 * gamma * (900.0 / (t + 273.0)) * wind * (saturated - vapour)
        return (slope * radiation + drying) / (slope + gamma * (1.0 + 0.34 * wind))


class PriestleyTaylor(AbstractPotential):
    """Evaporation of a wide wet surface from radiation alone."""

    alpha: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.8, 1.8),
        default=1.26,
        description="evaporation over its equilibrium value",
        source="Priestley & Taylor 1972",
    )
    surface: Grass = eqx.field(default_factory=Grass)

    @property
    def needs(self) -> tuple[str, ...]:
        return _RADIATION

    def __call__(self, weather: Forcing) -> Float[Array, "..."]:
        air = Air.of(weather.temperature, weather.vapour_pressure, weather.pressure)
        share = air.slope / (air.slope + air.psychrometric)
        water = evaporated(self.surface.net_radiation(weather), air.latent_heat)
        return jnp.maximum(self.alpha * share * water, 0.0)


class Hargreaves(AbstractPotential):
    """Evaporation from the daily range of temperature."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("temperature", "temperature_max", "temperature_min", "extraterrestrial")

    def __call__(self, weather: Forcing) -> Float[Array, "..."]:
        span = weather.temperature_max - weather.temperature_min
        wide = span > 0
        root = jnp.where(wide, jnp.sqrt(jnp.where(wide, span, 1.0)), 0.0)
        sky = MM_PER_MEGAJOULE * MEGAJOULES * weather.extraterrestrial
        return jnp.maximum(0.0023 * (weather.temperature + 17.8) * root * sky, 0.0)


class JensenHaise(AbstractPotential):
    """Evaporation from temperature and sun, as in TEM."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("temperature", "shortwave")

    def __call__(self, weather: Forcing) -> Float[Array, "..."]:
        fahrenheit = 1.8 * weather.temperature + 32.0
        calories = CALORIES * weather.shortwave
        return jnp.maximum((0.014 * fahrenheit - 0.37) * 0.016742 * calories, 0.0)
