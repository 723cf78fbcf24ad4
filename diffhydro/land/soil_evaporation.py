"""Evaporation from bare ground: what the air would take, and what a dry surface lets go.

E_S = β E_pot
LeePielke       β = ¼ [1 − cos(π min(1, θ₁/θ_fc))]², θ_fc at −33 kPa     (Lee & Pielke 1992)
DaysSinceRain   β = 0.6 on a wet day, else max(0.3/d², 0.08)     (BIOME-BGC; floor of DOS-TEM)
Unlimited       β = 1                                                                  (TEM)
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.bijections import LINEAR, LOG
from diffhydro.core.parameters import parameter
from diffhydro.land.air import Air, evaporated
from diffhydro.land.penman_monteith import from_wet_surface
from diffhydro.land.threshold import AbstractThreshold, Smooth
from diffhydro.typing import Array, Float

FIELD_CAPACITY = -3366.0  # mm: −33 kPa


class BareSoil(eqx.Module):
    """What wet bare ground would lose."""

    albedo: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.05, 0.35),
        scale=LINEAR,
        default=0.15,
        description="albedo of soil",
        source="DOS-TEM, between dry and wet",
    )
    conductance: Float[Array, "..."] = parameter(
        unit="m/s",
        bounds=(0.002, 0.03),
        scale=LOG,
        default=0.01,
        description="conductance of the air over soil, g_soil",
        source="TEM",
    )

    def potential(
        self, air: Air, sun: Float[Array, "..."], daylight: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Give the potential evaporation (mm/day) under a sun of W/m² on the ground."""
        available = (1.0 - self.albedo) * sun / daylight
        power = from_wet_surface(air, available, self.conductance)
        return daylight * evaporated(power, air.latent_heat)


class AbstractDryness(eqx.Module):
    """How a drying surface holds its water; may remember something."""

    @abstractmethod
    def init(self, like: Float[Array, ""]) -> Any:
        """Give what is remembered before the first day."""

    @abstractmethod
    def __call__(
        self,
        memory: Any,
        theta: Float[Array, ""],
        field_capacity: Float[Array, ""],
        water: Float[Array, ""],
        potential: Float[Array, ""],
    ) -> tuple[Float[Array, ""], Any]:
        """Give the share of the potential that evaporates, and what to remember.

        Args:
            memory: From the day before.
            theta: Water content of the top layer.
            field_capacity: Its water content at −33 kPa.
            water: What reaches the ground today, mm/day.
            potential: Potential evaporation, mm/day.
        """


class Unlimited(AbstractDryness):
    """Soil evaporates like water."""

    def init(self, like: Float[Array, ""]) -> None:
        return None

    def __call__(self, memory, theta, field_capacity, water, potential):
        return jnp.ones_like(theta), memory


class LeePielke(AbstractDryness):
    """By the water content of the top layer."""

    def init(self, like: Float[Array, ""]) -> None:
        return None

    def __call__(self, memory, theta, field_capacity, water, potential):
        return lee_pielke(theta, field_capacity), memory


class DaysSinceRain(AbstractDryness):
    """By the days since water reached the ground.

    A wet day is one whose water exceeds what the air would take; with a smooth threshold (its width
    in mm/day) a day can be wet in part, and then forgets as much of the drought.
    """

    floor: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.0, 0.3),
        default=0.08,
        description="least share of the potential",
        source="DOS-TEM",
    )
    threshold: AbstractThreshold = eqx.field(default_factory=Smooth)

    def init(self, like: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.zeros_like(like)

    def __call__(self, memory, theta, field_capacity, water, potential):
        wet = self.threshold.above(water - potential)
        days = (1.0 - wet) * (memory + 1.0)
        return wet * 0.6 + (1.0 - wet) * days_since_rain_ratio(days, self.floor), days


def lee_pielke(
    theta: Float[Array, "..."], field_capacity: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Give the share of the potential that soil of water content `theta` lets evaporate."""
    filled = jnp.minimum(theta / field_capacity, 1.0)
    return 0.25 * (1.0 - jnp.cos(jnp.pi * filled)) ** 2


def days_since_rain_ratio(
    days: Float[Array, "..."], floor: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Give the share of the potential on a dry day."""
    return jnp.maximum(0.3 / jnp.maximum(days, 1.0) ** 2, floor)
