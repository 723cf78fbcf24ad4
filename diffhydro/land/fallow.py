"""Bare soil over the day, as a fallow run of APSIM's SWIM3 has it, on layers that are solved for θ.

Rain falls all day, and air takes water between six and eighteen o'clock, at twice the daily rate.
At the start of every sub-step, with the first layer's ψ and K and half its thickness d:

    q_max = ½ (K_s + K) (−ψ/d + 1)                 what can enter
    E = min(E_pot, ½ K [(ψ − h_A)/d − 1]₊) (h_s − ½)/½,    h_s = exp(7·10⁻⁷ ψ[cm]) between ½ and 1
    q₀ = min(P − E, q_max), the rest runs off

The air has a humidity of ½, and h_A = −15 000 cm is the head at which the surface is air-dry.
Meant for comparing with SWIM3; `SoilColumn` is the better solver.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core import tridiagonal
from diffhydro.core.grids import Column, as_jax
from diffhydro.core.parameters import parameter
from diffhydro.core.precision import astype
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.ground import GROUND_NEEDS, AbstractGround, AbstractGroundStep
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.soil.hydraulics import AbstractHydraulics, at
from diffhydro.soil.hydraulics.by_water import ByWater, by_water
from diffhydro.soil.redistribution.bounds import keep_within
from diffhydro.soil.redistribution.step import Layers, Push, assemble, solve
from diffhydro.typing import Array, Float

SWIM_LAYERS = (50.0, 50.0, 50.0, 50.0, 100.0, 100.0, 200.0, 200.0, 300.0, 400.0)  # mm
AIR_DRY_SURFACE = -150_000.0  # mm
AIR_HUMIDITY = 0.5
HUMIDITY_PER_HEAD = 7e-8  # 1/mm


def swim_layers() -> Column:
    """Give the ten layers, 1.5 m."""
    return Column(list(SWIM_LAYERS))


def surface_humidity_factor(psi: Float[Array, "..."]) -> Float[Array, "..."]:
    """Give the share of the potential evaporation that soil air above a head (mm) allows."""
    humidity = jnp.clip(jnp.exp(HUMIDITY_PER_HEAD * jnp.minimum(psi, 0.0)), AIR_HUMIDITY, 1.0)
    return (humidity - AIR_HUMIDITY) / (1.0 - AIR_HUMIDITY)


class FallowState(NamedTuple):
    """Water contents."""

    theta: Float[Array, " layer"]


class Fallow(AbstractGround):
    """A bare column that follows the hours of the day.

    Args:
        soil: Parameters are scalars or `[horizon]` of the grid.
        grid: Layers; those of DeepSoil by default.
        saturation: Of all layers at the start.
        steps_per_day: Sub-steps; hours by default, 96 for storms above 100 mm a day.
    """

    soil: AbstractHydraulics
    grid: Column = eqx.field(default_factory=swim_layers, converter=as_jax)
    saturation: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.05, 1.0),
        default=0.6,
        fixed=True,
        description="saturation at the start",
    )
    steps_per_day: int = eqx.field(static=True, default=24)

    def __check_init__(self) -> None:
        if self.steps_per_day < 4 or self.steps_per_day % 4:
            raise InputError(
                f"steps_per_day is {self.steps_per_day}; give a multiple of 4, so that a step "
                "begins at six and at eighteen o'clock"
            )

    @property
    def needs(self) -> tuple[str, ...]:
        return GROUND_NEEDS

    def init_state(self) -> FallowState:
        soil = self._soil_of_layers()
        return FallowState(soil.theta_r + self.saturation * (soil.theta_s - soil.theta_r))

    def prepare(self) -> "FallowStep":
        return FallowStep(self, self._soil_of_layers())

    def stores(self, state: FallowState) -> dict[str, Array]:
        """Return the water of every layer."""
        return {"soil": state.theta * self.grid.thickness}

    def profile(self, states: FallowState) -> Profile:
        return Profile(self.grid, states.theta, None)

    def _soil_of_layers(self) -> AbstractHydraulics:
        soil = at(self.soil, self.grid.horizon)
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (self.grid.layers,)), soil)


class FallowStep(AbstractGroundStep):
    """One day of a fallow that is laid out."""

    fallow: Fallow
    soil: AbstractHydraulics

    def stress(self, state: FallowState) -> Float[Array, ""]:
        """Return 1: nothing grows."""
        return jnp.ones_like(state.theta[0])

    def __call__(self, state: FallowState, forcing: Forcing) -> tuple[FallowState, Fluxes]:
        """Advance by one day of the forcing, in the model's floating type."""
        now = astype(forcing, state.theta.dtype)
        if now.step != 1.0:
            raise InputError(f"a fallow follows the hours of a day; the step is {now.step} days")
        layers = Layers(self.soil, self.fallow.grid.thickness, jnp.ones_like(state.theta[0]))
        theta, evaporation, runoff, drainage = _day(
            self.fallow.steps_per_day, state.theta, layers, now
        )
        infiltration = now.precipitation - evaporation - runoff
        return FallowState(theta), Fluxes(
            precipitation=now.precipitation,
            infiltration=infiltration,
            runoff=runoff,
            evaporation=evaporation,
            transpiration=jnp.zeros_like(evaporation),
            drainage=drainage,
        )


def _day(
    steps: int, theta: Array, layers: Layers, now: Forcing
) -> tuple[Array, Array, Array, Array]:
    """Let the sub-steps of a day pass; give θ, evaporation, runoff and drainage."""
    dt = 1.0 / steps
    quarter = steps // 4
    light = jnp.repeat(jnp.array([False, True, True, False]), quarter)
    half = 0.5 * layers.thickness[0]
    most = layers.soil.theta_s

    def body(carry, is_day):
        gained, evaporated, shed, drained = carry
        water = theta + gained
        curves = by_water(layers.soil, water)
        demand = jnp.where(is_day, 2.0 * now.potential_evaporation, 0.0)
        evaporation = _evaporation(curves, demand, half)
        wanted = now.precipitation - evaporation
        wet = 0.5 * (layers.soil.k_sat[0] + curves.conductivity[0])
        entering = jnp.minimum(wanted, wet * (1.0 - curves.psi[0] / half))
        push = Push(entering, jnp.zeros_like(water))
        step = assemble(curves, layers, push, dt)
        # Differentiated as it stands: the surface depends on the soil in every sub-step.
        solved = solve(step, layers, push, dt, tridiagonal.solve)
        kept = keep_within(water + solved.gain, most, layers.thickness)
        carry = (
            gained + (solved.gain + kept.shift),
            evaporated + dt * evaporation,
            shed + (dt * (wanted - entering) + kept.excess),
            drained + (dt * solved.drainage - kept.lack),
        )
        return carry, None

    none = jnp.zeros_like(theta[0])
    (gained, *amounts), _ = lax.scan(body, (jnp.zeros_like(theta), none, none, none), light)
    evaporation, runoff, drainage = amounts
    return theta + gained, evaporation, runoff, drainage


def _evaporation(curves: ByWater, demand: Array, half: Array) -> Array:
    psi = curves.psi[0]
    supply = 0.5 * curves.conductivity[0] * jnp.maximum((psi - AIR_DRY_SURFACE) / half - 1.0, 0.0)
    return jnp.minimum(demand, supply) * surface_humidity_factor(psi)
