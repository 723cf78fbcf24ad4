"""HBV, the bucket model everyone compares with (HBV-light and HBV-96, as in Feng et al. 2022).

Snow S and the liquid M in it, soil moisture W, upper and lower store U and L; a step of a day:

    melt = min(S, C_max (T − T_T)₊),   refreezing = min(M, C_FR C_max (T_T − T)₊),
    M keeps C_WH S, the rest goes to the soil with the rain
    recharge = water (W/F_C)^β,        what exceeds F_C follows it
    E = min(W, PET clip[(W/(L_P F_C))^γ, 0, 1])
    percolation = min(U, P),  Q₀ = K₀ (U − U_L)₊,  Q₁ = K₁ U,  Q₂ = K₂ L

and the outflow is spread over fifteen days by a gamma-shaped unit hydrograph (`routing.py`).

The published floor of 10⁻⁵ mm under W makes water; here what would be made is taken off E instead.
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax import lax

from diffhydro.core.parameters import parameter
from diffhydro.core.precision import astype
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel
from diffhydro.land.potential import AbstractPotential, Given
from diffhydro.land.routing import AbstractRouting, NoRouting
from diffhydro.land.threshold import AbstractThreshold, Sharp
from diffhydro.land.trajectory import Fluxes
from diffhydro.typing import Array, Float

FIRST = 0.001  # mm in every store at the start
LEAST_SOIL_WATER = 1e-5  # mm: below it the powers of W have no slope worth having
_SOURCE = "Feng et al. 2022"


class AbstractCapillary(eqx.Module):
    """Water that rises from the lower store into the soil."""

    @abstractmethod
    def __call__(self, lower: Float[Array, ""], wetness: Float[Array, ""]) -> Float[Array, ""]:
        """Give the rise in a day, at most `lower`; wetness is that of the soil, 0 to 1."""


class NoCapillary(AbstractCapillary):
    """Nothing rises."""

    def __call__(self, lower: Float[Array, ""], wetness: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.zeros_like(lower)


class Capillary(AbstractCapillary):
    """The drier the soil, the more rises."""

    rate: Float[Array, ""] = parameter(
        unit="1/day",
        bounds=(0.0, 1.0),
        default=0.1,
        description="capillary rise of the lower store into dry soil, C",
        source=_SOURCE,
    )

    def __call__(self, lower: Float[Array, ""], wetness: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.minimum(lower, self.rate * lower * (1.0 - wetness))


class HbvState(NamedTuple):
    """Water in every store, mm, and outflow on its way."""

    snow: Float[Array, ""]
    liquid: Float[Array, ""]
    soil: Float[Array, ""]
    upper: Float[Array, ""]
    lower: Float[Array, ""]
    routing: Array | None


def _bounded(
    lower: float, upper: float, default: float, unit: str, description: str
) -> Float[Array, ""]:
    return parameter(
        unit=unit,
        bounds=(lower, upper),
        default=default,
        description=description,
        source=_SOURCE,
    )


class Hbv(AbstractModel):
    """Snow, soil and two stores.

    Example:
        >>> forcing = Forcing([20.0, 0.0, 5.0], [2.0, 3.0, 1.0], temperature=[8.0, 10.0, -3.0])
        >>> run = Hbv().run(forcing)
        >>> run.fluxes.runoff.shape
        (3,)

    Args:
        potential: Law of potential evaporation; by default what the forcing says.
        capillary: `Capillary()` lets water rise.
        routing: `GammaHydrograph()` delays the outflow.
        threshold: Between rain and snow. Sharp as published; `Smooth()` gives the threshold a
            gradient of its own.
    """

    beta: Float[Array, ""] = _bounded(1.0, 6.0, 2.0, "-", "shape of recharge")
    field_capacity: Float[Array, ""] = _bounded(50.0, 1000.0, 250.0, "mm", "soil store, FC")
    k0: Float[Array, ""] = _bounded(0.05, 0.9, 0.3, "1/day", "fast outflow")
    k1: Float[Array, ""] = _bounded(0.01, 0.5, 0.1, "1/day", "interflow")
    k2: Float[Array, ""] = _bounded(0.001, 0.2, 0.03, "1/day", "base flow")
    dry_share: Float[Array, ""] = _bounded(
        0.2, 1.0, 0.7, "-", "share of FC below which evaporation is limited, LP"
    )
    percolation: Float[Array, ""] = _bounded(0.0, 10.0, 2.0, "mm/day", "most percolation, PERC")
    upper_threshold: Float[Array, ""] = _bounded(
        0.0, 100.0, 20.0, "mm", "upper store above which the fast outflow runs, UZL"
    )
    rain_above: Float[Array, ""] = _bounded(
        -2.5, 2.5, 0.0, "°C", "temperature between snow and rain, TT"
    )
    degree_day: Float[Array, ""] = _bounded(0.5, 10.0, 3.0, "mm/°C/day", "melt per degree, CFMAX")
    refreezing: Float[Array, ""] = _bounded(0.0, 0.1, 0.05, "-", "refreezing over melt, CFR")
    holding: Float[Array, ""] = _bounded(0.0, 0.2, 0.1, "-", "liquid that snow holds, CWH")
    gamma: Float[Array, ""] = _bounded(0.3, 5.0, 1.0, "-", "shape of evaporation, BETAET")
    potential: AbstractPotential = eqx.field(default_factory=Given)
    capillary: AbstractCapillary = eqx.field(default_factory=NoCapillary)
    routing: AbstractRouting = eqx.field(default_factory=NoRouting)
    threshold: AbstractThreshold = eqx.field(default_factory=Sharp)

    @property
    def needs(self) -> tuple[str, ...]:
        others = tuple(name for name in self.potential.needs if name != "temperature")
        return ("precipitation", "temperature", *others)

    def init_state(self) -> HbvState:
        first = jnp.full_like(self.field_capacity, FIRST)
        return HbvState(first, first, first, first, first, self.routing.init(first))

    def prepare(self) -> "HbvStep":
        weights = self.routing.weights()
        return HbvStep(self, 1.0 / self.field_capacity, weights)

    def stores(self, state: HbvState) -> dict[str, Array]:
        """Return the five stores, and what is on its way to the outlet."""
        stores = {
            "snow": state.snow,
            "liquid in snow": state.liquid,
            "soil": state.soil,
            "upper": state.upper,
            "lower": state.lower,
        }
        return stores if state.routing is None else {**stores, "channel": state.routing}

    def profile(self, states: HbvState) -> None:
        """Return None: a bucket has no depth."""
        return


class HbvStep(eqx.Module):
    """One day of HBV."""

    hbv: Hbv
    per_capacity: Float[Array, ""]
    weights: Array | None

    def __call__(self, state: HbvState, forcing: Forcing) -> tuple[HbvState, Fluxes]:
        """Advance by one interval of the forcing, in the model's floating type."""
        hbv = self.hbv
        now = astype(forcing, state.soil.dtype)
        days = now.step
        fallen = days * now.precipitation
        warmth = now.temperature - hbv.rain_above

        rain = fallen * hbv.threshold.above(warmth)
        snow = state.snow + (fallen - rain)
        degrees = days * hbv.degree_day * warmth
        melt = jnp.minimum(snow, jnp.maximum(degrees, 0.0))
        liquid = state.liquid + melt
        frozen = jnp.minimum(liquid, hbv.refreezing * jnp.maximum(-degrees, 0.0))
        snow, liquid = snow - melt + frozen, liquid - frozen
        leaving = jnp.maximum(liquid - hbv.holding * snow, 0.0)
        water = rain + leaving

        recharge = water * _power(state.soil * self.per_capacity, hbv.beta)
        soil = state.soil + (water - recharge)
        excess = jnp.maximum(soil - hbv.field_capacity, 0.0)
        soil = soil - excess
        demand = days * jnp.maximum(hbv.potential(now), 0.0)
        share = _power(soil * self.per_capacity / hbv.dry_share, hbv.gamma)
        evaporation = jnp.minimum(demand * share, jnp.maximum(soil - LEAST_SOIL_WATER, 0.0))
        soil = soil - evaporation

        rise = hbv.capillary(state.lower, jnp.minimum(soil * self.per_capacity, 1.0))
        upper = state.upper + recharge + excess
        down = jnp.minimum(upper, days * hbv.percolation)
        upper = upper - down
        fast = days * hbv.k0 * jnp.maximum(upper - hbv.upper_threshold, 0.0)
        upper = upper - fast
        slow = days * hbv.k1 * upper
        lower = state.lower - rise + down
        base = days * hbv.k2 * lower
        after = HbvState(snow, liquid - leaving, soil + rise, upper - slow, lower - base, None)
        outflow = fast + slow + base
        # What rounding took from the stores leaves with the outflow; it has no derivative.
        fell = sum((a - b for a, b in zip(state[:5], after[:5], strict=True)), fallen)
        outflow = outflow + lax.stop_gradient(fell - evaporation - outflow)
        outflow, routing = hbv.routing(state.routing, outflow, self.weights)
        return after._replace(routing=routing), Fluxes(
            precipitation=fallen,
            infiltration=water - recharge - excess,
            runoff=outflow,
            evaporation=evaporation,
            transpiration=jnp.zeros_like(fallen),
            drainage=jnp.zeros_like(fallen),
            melt=melt,
        )


def _power(x: Float[Array, ""], exponent: Float[Array, ""]) -> Float[Array, ""]:
    """Return x to a power, clipped to 0 … 1; one logarithm and one exponential."""
    some = x > 0
    log = jnp.minimum(jnp.log(jnp.where(some, x, 1.0)), 0.0)
    return jnp.where(some, jnp.exp(exponent * log), 0.0)
