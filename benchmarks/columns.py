"""The problem that is timed: many random columns under daily weather, through `advance`.

Numbers are drawn once in float32 and then widened, so that a float64 run solves the same problem.
Lengths are mm, times days.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.grids import Column
from diffhydro.core.timeloop import PLAIN, AbstractMemory, timeloop
from diffhydro.soil.boundary import Atmosphere, Drive, FreeDrainage
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.richards.problem import prepare
from diffhydro.soil.richards.solver import Policy, advance
from diffhydro.soil.richards.state import Effort, Exchange, SoilWater
from diffhydro.soil.uptake import Feddes, LinearRoots, Uptake
from diffhydro.typing import Array, Float

DEPTH = 2000.0
AIR_DRY = -1e5
POND_MAX = 0.0
START = -1000.0  # head everywhere on the first day
PACE = 0.125  # first step the adaptive mode tries


class Batch(eqx.Module):
    """Columns of one grid, each with its own soil and weather."""

    thickness: Float[Array, " layer"]
    soil: VanGenuchten
    surface: Float[Array, "column day"]  # rain less potential evaporation
    transpiration: Float[Array, "column day"]
    uptake: Uptake | None  # the same in all columns

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.surface.shape[0]

    @property
    def days(self) -> int:
        """Number of days."""
        return self.surface.shape[1]

    @property
    def nodes(self) -> int:
        """Number of nodes in a column."""
        return self.thickness.shape[0]

    def part(self, start: int, columns: int) -> "Batch":
        """Take some of the columns."""
        mine = slice(start, start + columns)
        soil = jax.tree.map(lambda p: p[mine], self.soil)
        weather = self.surface[mine], self.transpiration[mine]
        return Batch(self.thickness, soil, *weather, self.uptake)

    def parts(self, columns: int) -> list["Batch"]:
        """Cut into batches of `columns` columns."""
        return [self.part(start, columns) for start in range(0, self.columns, columns)]


class Course(NamedTuple):
    """What a run leaves, one entry a day."""

    stored: Float[Array, "column day"]  # water in the whole column
    exchange: Exchange
    effort: Effort


def random_batch(columns: int, days: int, nodes: int, dtype=jnp.float32) -> Batch:
    """Draw soils between sand and clay loam, bare, with rain on a third of the days."""
    draw = _Draw(0, columns, dtype)
    soil = VanGenuchten(
        theta_r=draw.even(0.03, 0.10),
        theta_s=draw.even(0.36, 0.50),
        alpha=draw.log(5e-4, 1e-2),
        n=1.0 + draw.log(0.25, 1.7),
        k_sat=draw.log(50.0, 3000.0),
        l=draw.even(0.5, 0.5),
    )
    rain, evaporation = draw.weather(days)
    return Batch(_grid(nodes, dtype), soil, rain - evaporation, 0.0 * rain, None)


def loam_batch(columns: int, days: int, nodes: int, dtype=jnp.float32) -> Batch:
    """Draw soils near the loam of Carsel and Parrish (1988), with roots to one metre."""
    draw = _Draw(1, columns, dtype)
    soil = VanGenuchten(
        theta_r=draw.even(0.07, 0.09),
        theta_s=draw.even(0.41, 0.45),
        alpha=draw.log(2.5e-3, 5e-3),
        n=1.0 + draw.log(0.45, 0.70),
        k_sat=draw.log(125.0, 500.0),
        l=draw.even(0.5, 0.5),
    )
    heads = [jnp.asarray(h, dtype) for h in (-100.0, -250.0, -5000.0, -80000.0)]
    uptake = Uptake(LinearRoots(jnp.asarray(1000.0, dtype)), Feddes(*heads))
    rain, demand = draw.weather(days)
    return Batch(_grid(nodes, dtype), soil, rain - 0.3 * demand, 0.7 * demand, uptake)


class _Draw:
    def __init__(self, seed: int, columns: int, dtype) -> None:
        self.random = np.random.default_rng(seed)
        self.columns = columns
        self.dtype = dtype

    def even(self, low: float, high: float) -> Array:
        return self._narrow(self.random.uniform(low, high, self.columns))

    def log(self, low: float, high: float) -> Array:
        return self._narrow(np.exp(self.random.uniform(np.log(low), np.log(high), self.columns)))

    def weather(self, days: int) -> tuple[Array, Array]:
        """Draw rain and potential evaporation; a longer record begins like a shorter one."""
        amount, chance, demand = np.moveaxis(self.random.random((days, 3, self.columns)), 0, -1)
        rain = -8.0 * np.log1p(-amount) * (chance < 0.35)
        return self._narrow(rain), self._narrow(1.0 + 4.0 * demand)

    def _narrow(self, x: np.ndarray) -> Array:
        return jnp.asarray(x.astype(np.float32), self.dtype)


def _grid(nodes: int, dtype) -> Array:
    thickness = Column.geometric(DEPTH, nodes, top=0.2 * DEPTH / nodes).thickness
    return jnp.asarray(np.asarray(thickness, np.float32), dtype)


def soil_table(batch: Batch) -> np.ndarray:
    """Lay the soil parameters out for the scalar solver: [parameter, column]."""
    soil = batch.soil
    return np.stack([soil.theta_r, soil.theta_s, soil.alpha, soil.n, soil.k_sat, soil.l])


def simulate(batch: Batch, policy: Policy, memory: AbstractMemory = PLAIN) -> Course:
    """Run all columns through all days."""
    dtype = batch.thickness.dtype
    column = Column(batch.thickness)

    def number(x: float) -> Array:
        return jnp.asarray(x, dtype)

    def run(soil: VanGenuchten, weather: tuple[Array, Array]) -> Course:
        top = Atmosphere(number(AIR_DRY), number(POND_MAX))
        mesh, problem = prepare(column, soil, top, FreeDrainage(), batch.uptake, number(0.0))
        psi = jnp.full(mesh.nodes, START, dtype)
        water = SoilWater(psi, mesh.volume * soil.theta(psi), number(0.0), number(PACE))

        def day(water: SoilWater, weather: tuple[Array, Array]):
            drive = Drive(weather[0], number(0.0), weather[1])
            water, exchange, effort = advance(mesh, problem, water, drive, number(1.0), policy)
            return water, Course(jnp.sum(water.stored), exchange, effort)

        return timeloop(day, water, weather, memory=memory)[1]

    return jax.vmap(run)(batch.soil, (batch.surface, batch.transpiration))


def moisture_and_gradient(
    batch: Batch, policy: Policy, memory: AbstractMemory = PLAIN
) -> tuple[Array, VanGenuchten, Array]:
    """Average the water content over columns, days and depth, and differentiate it.

    Returns:
        The mean, and its derivatives for every soil parameter and for the forcing.
    """

    def moisture(soil: VanGenuchten, surface: Array) -> Array:
        given = Batch(batch.thickness, soil, surface, batch.transpiration, batch.uptake)
        stored = simulate(given, policy, memory).stored
        return jnp.mean(stored) / jnp.sum(batch.thickness)

    value, bars = jax.value_and_grad(moisture, argnums=(0, 1))(batch.soil, batch.surface)
    return value, *bars
