"""Water that leaves over the surface before it can enter.

SaturationPower   Q = s̄ⁿ q_in, s̄ the saturation of the top 200 mm       (smooth part of CLM3)
SubGrid           rain and saturation exponential over a cell, melt uniform
                                            (Entekhabi & Eagleson 1989; Bonan 1996; TEM)
CurveNumber       Q = (P − 0.2 S)²/(P + 0.8 S), S = 254 (100/CN − 1)                 (SWIM)
NoRunoff          all enters
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.parameters import parameter
from diffhydro.errors import InputError
from diffhydro.soil.hydraulics import AbstractHydraulics, ClappHornberger
from diffhydro.typing import Array, Float

TOPSOIL = 200.0  # mm: what SaturationPower looks at
LEAST_RAIN = 1e-6  # mm/day
LEAST_SATURATION = 1e-3
_FARTHEST = -80.0  # exponents below are zero water, and their slopes overflow float32


class Ground(NamedTuple):
    """What runoff sees of the soil; arrays `[layer]`."""

    theta: Array
    soil: AbstractHydraulics
    thickness: Array


class AbstractRunoff(eqx.Module):
    """A law of runoff."""

    @abstractmethod
    def __call__(
        self, rain: Float[Array, ""], melt: Float[Array, ""], ground: Ground
    ) -> Float[Array, ""]:
        """Give the runoff, mm/day: between zero and rain + melt."""


class NoRunoff(AbstractRunoff):
    """Only what the soil cannot hold runs off."""

    def __call__(
        self, rain: Float[Array, ""], melt: Float[Array, ""], ground: Ground
    ) -> Float[Array, ""]:
        return jnp.zeros_like(rain)


class SaturationPower(AbstractRunoff):
    """A power of the saturation of the topsoil."""

    exponent: Float[Array, ""] = parameter(
        unit="-",
        bounds=(1.0, 10.0),
        default=4.0,
        description="exponent of the runoff share, n_r",
        source="CLM3",
    )

    def __call__(
        self, rain: Float[Array, ""], melt: Float[Array, ""], ground: Ground
    ) -> Float[Array, ""]:
        return self.share(topsoil_saturation(ground)) * (rain + melt)

    def share(self, saturation: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the share of the water that runs off."""
        wet = saturation > 0
        power = jnp.exp(self.exponent * jnp.log(jnp.where(wet, saturation, 1.0)))
        return jnp.where(wet, power, 0.0)


class SubGrid(AbstractRunoff):
    """Storms that cover a part of the cell, on soil that is wetter here and drier there."""

    def __call__(
        self, rain: Float[Array, ""], melt: Float[Array, ""], ground: Ground
    ) -> Float[Array, ""]:
        soil = ground.soil
        if not isinstance(soil, ClappHornberger):
            raise InputError(
                f"SubGrid is derived for Clapp–Hornberger soils, got {type(soil).__name__}; use "
                "SaturationPower or CurveNumber with other soils"
            )
        steepness = soil.b[0] * soil.psi_sat[0] / (0.5 * ground.thickness[0])
        saturation = ground.theta[0] / soil.theta_s[0]
        return sum_clipped(sub_grid(rain, melt, saturation, soil.k_sat[0], steepness), rain, melt)


class Parts(NamedTuple):
    """Runoff of a cell, mm/day."""

    saturated: Array  # Dunne: where soil is full
    dry_storm: Array  # Horton: rain faster than infiltration …
    wet_storm: Array  # … in its two ranges of saturation


def sub_grid(
    rain: Float[Array, "..."],
    melt: Float[Array, "..."],
    saturation: Float[Array, "..."],
    k_sat: Float[Array, "..."],
    steepness: Float[Array, "..."],
) -> Parts:
    """Give the three parts; `steepness` is b ψ_sat over half the top layer, negative."""
    r, s = jnp.maximum(rain, LEAST_RAIN), jnp.maximum(saturation, LEAST_SATURATION)
    a1, a2 = melt - k_sat * (1.0 - steepness), k_sat * steepness
    edge = jnp.clip(a1 / a2, 0.0, 1.0)
    full, partly = jnp.exp(-1.0 / s), jnp.exp(-edge / s)
    spare = k_sat - melt
    storm = jnp.exp(jnp.clip(-spare / r, _FARTHEST, 0.0))
    saturated = full * jnp.where(spare >= 0, r * storm, r - spare)
    dry_storm = (r + a1) * (partly - full) + a2 * (full * (1.0 + s) - partly * (edge + s))
    # R²/(R + a₂ s) (1 − e^−x) with x = edge (R + a₂ s)/(s R) is R edge/s · (1 − e^−x)/x, which has
    # no pole. For x < 0 the growing factor is moved into the exponential that it cancels with, and
    # grows to e⁸⁰ at most.
    x = edge * (1.0 / s + a2 / r)
    distance = jnp.minimum(a1 / r + jnp.clip(-x, 0.0, -_FARTHEST), 0.0)
    wet_storm = r * edge / s * jnp.exp(distance) * _decay(jnp.abs(x))
    return Parts(saturated, dry_storm, wet_storm)


def sum_clipped(
    parts: Parts, rain: Float[Array, "..."], melt: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Add the parts, within what there is."""
    return jnp.clip(sum(parts[1:], parts[0]), 0.0, rain + melt)


class CurveNumber(AbstractRunoff):
    """The curve number of the US Soil Conservation Service, without moisture correction."""

    number: Float[Array, ""] = parameter(
        unit="-",
        bounds=(30.0, 98.0),
        default=75.0,
        description="curve number",
        source="USDA; SWIM",
    )

    def __call__(
        self, rain: Float[Array, ""], melt: Float[Array, ""], ground: Ground
    ) -> Float[Array, ""]:
        water = rain + melt
        storage = 254.0 * (100.0 / self.number - 1.0)
        beyond = jnp.maximum(water - 0.2 * storage, 0.0)
        return beyond**2 / (beyond + storage)


def topsoil_saturation(ground: Ground) -> Float[Array, ""]:
    """Give the mean saturation of the top 200 mm."""
    foot = jnp.cumsum(ground.thickness)
    inside = jnp.clip(TOPSOIL - (foot - ground.thickness), 0.0, ground.thickness)
    filled = jnp.minimum(ground.theta / ground.soil.theta_s, 1.0)
    return jnp.sum(inside * filled) / jnp.sum(inside)


def _decay(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return (1 − e^−x)/x for x ≥ 0."""
    small = x < 1e-3
    safe = jnp.where(small, 1.0, x)
    return jnp.where(small, 1.0 - 0.5 * x + x**2 / 6.0, -jnp.expm1(-safe) / safe)
