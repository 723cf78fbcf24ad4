"""Columns for the tests of this folder: how to build one, fill it and march it through time."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.soil.boundary import (
    Atmosphere,
    Drive,
    FluxBottom,
    FreeDrainage,
    HeadBottom,
    Seepage,
)
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.richards.problem import Mesh, Problem, prepare
from diffhydro.soil.richards.solver import advance
from diffhydro.soil.richards.state import Effort, Exchange, SoilWater
from diffhydro.soil.uptake import ExponentialRoots, Feddes, Uptake

LOAM = {"theta_r": 0.078, "theta_s": 0.43, "alpha": 0.0036, "n": 1.56, "k_sat": 249.6}
SAND = {"theta_r": 0.045, "theta_s": 0.43, "alpha": 0.0145, "n": 2.68, "k_sat": 7128.0}
BOTTOMS = {
    "free_drainage": (FreeDrainage(), 0.0),
    "head": (HeadBottom(), 0.0),
    "deep_table": (HeadBottom(), -500.0),
    "seepage": (Seepage(), 0.0),
    "no_flow": (FluxBottom(), 0.0),
    "capillary_rise": (FluxBottom(), -1.0),
}


class Run(NamedTuple):
    """One column through time; first axis of amounts and effort is the interval."""

    before: SoilWater
    after: SoilWater
    amounts: Exchange
    effort: Effort


def loam(**changed: float) -> VanGenuchten:
    return VanGenuchten(**(LOAM | changed))


def roots(depth: float = 600.0) -> Uptake:
    return Uptake(ExponentialRoots(depth=depth, k=3.0), Feddes())


def air(air_dry: float = -1e5, pond_max: float = 0.0) -> Atmosphere:
    return Atmosphere(air_dry=air_dry, pond_max=pond_max)


def lay(
    soil, top, bottom, *, column=None, uptake=None, specific_storage=0.0, dtype=jnp.float64
) -> tuple[Mesh, Problem]:
    """Prepare a column in one floating type; by default 20 layers over a metre."""
    column = Column.geometric(1000.0, 20, top=10.0) if column is None else column
    parts = (column, soil, top, bottom, uptake, jnp.asarray(specific_storage))
    return prepare(*astype(parts, dtype))


def depths(mesh: Mesh):
    """Depth of every node."""
    return jnp.concatenate([mesh.first_half[None], mesh.first_half + jnp.cumsum(mesh.distance)])


def filled(mesh: Mesh, problem: Problem, psi, pond=0.0, pace=1e-3) -> SoilWater:
    """The state at given heads."""
    dtype = mesh.volume.dtype
    psi = jnp.broadcast_to(jnp.asarray(psi, dtype), (mesh.nodes,))
    theta = mesh.joined(problem.medium.curves(mesh.split(psi)).theta)
    pressed = jnp.where(psi > 0, problem.specific_storage * psi, 0.0)
    one = jnp.ones((), dtype)
    return SoilWater(psi, mesh.volume * (theta + pressed), pond * one, pace * one)


def drives(mesh: Mesh, surface, base=0.0, transpiration=0.0) -> Drive:
    """Forcing of many intervals, in the type of the mesh."""
    dtype = mesh.volume.dtype
    surface = jnp.asarray(surface, dtype)
    return Drive(
        surface,
        jnp.broadcast_to(jnp.asarray(base, dtype), surface.shape),
        jnp.broadcast_to(jnp.asarray(transpiration, dtype), surface.shape),
    )


def march(mesh, problem, water, drive: Drive, policy, durations=1.0) -> Run:
    """Advance over all intervals of a drive."""
    durations = jnp.broadcast_to(jnp.asarray(durations, drive.surface.dtype), drive.surface.shape)

    def interval(water, row):
        water, amounts, effort = advance(mesh, problem, water, row[0], row[1], policy)
        return water, (amounts, effort)

    after, (amounts, effort) = jax.lax.scan(interval, water, (drive, durations))
    return Run(water, after, amounts, effort)


def summed(run: Run) -> Exchange:
    """Exchange over the whole run, in float64."""
    return jax.tree.map(lambda x: np.asarray(x, np.float64).sum(), run.amounts)


def imbalance(run: Run) -> float:
    """Water the books of the soil cannot explain, mm."""
    total = summed(run)
    before, after = (np.asarray(w.stored, np.float64).sum() for w in (run.before, run.after))
    return float(after - before - (total.infiltration - total.drainage - total.uptake))


def rounding(run: Run, stages: int) -> float:
    """Bound on `imbalance` from rounding alone, mm.

    Every stage of every sub-step rounds each stored amount and each flux a few times.
    """
    eps = float(jnp.finfo(run.after.stored.dtype).eps)
    steps = float(np.asarray(run.effort.substeps, np.float64).sum()) * stages
    return 4.0 * eps * (steps * held(run) + run.before.stored.shape[-1] * held(run))


def held(run: Run) -> float:
    """Water that the run had to account for, mm: storage at both ends and what moved."""
    total = summed(run)
    ends = float(jnp.sum(run.before.stored) + jnp.sum(run.after.stored))
    return ends + abs(total.infiltration) + abs(total.drainage) + total.uptake + total.runoff


def storms(seed: int, days: int) -> np.ndarray:
    """Net supply with dry spells and downpours, mm/day."""
    rng = np.random.default_rng(seed)
    rain = rng.exponential(25.0, days) * (rng.random(days) < 0.4)
    return rain - rng.uniform(1.0, 8.0, days)
