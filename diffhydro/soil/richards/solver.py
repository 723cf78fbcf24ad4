"""One interval of soil water movement, differentiable: the door to everything in this folder."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from diffhydro.core.lanes import columns_last, full_width
from diffhydro.core.timeloop import keep
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.adjoint import Back, pull_back
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.problem import Mesh, Problem
from diffhydro.soil.richards.stage import SDIRK2
from diffhydro.soil.richards.state import Effort, Exchange, SoilWater
from diffhydro.typing import Array

Policy = Fixed | Adaptive


def advance(
    mesh: Mesh, problem: Problem, water: SoilWater, drive: Drive, duration: Array, policy: Policy
) -> tuple[SoilWater, Exchange, Effort]:
    """Advance one column over one interval of constant drive.

    Written for one column; under `jax.vmap` all columns run as lanes of one program. Reverse-mode
    gradients reach the soil, the boundaries, the roots, the drive, and the water and pond before;
    the grid and the duration are constants. The guess `water.psi` does not influence the solution,
    so its gradient is zero.
    """
    return _differentiable(policy)(mesh, problem, water, drive, duration)


@lru_cache(maxsize=64)
def _differentiable(policy: Policy) -> Any:
    scheme = SDIRK2 if isinstance(policy, Adaptive) else policy.scheme

    def plain(mesh, problem, water, drive, duration):
        water = full_width(water, mesh, problem, drive)
        return policy.integrate(mesh, problem, drive, water, duration, record=False)[:3]

    def recorded(mesh, problem, water, drive, duration):
        water = full_width(water, mesh, problem, drive)
        return policy.integrate(mesh, problem, drive, water, duration, record=True)

    def backward(mesh, problem, drive, steps, back, amounts):
        back, amounts = full_width((back, amounts), steps)
        uneven = isinstance(policy, Adaptive)
        return pull_back(mesh, problem, drive, steps, scheme, back, amounts, uneven=uneven)

    plain, recorded, backward = map(columns_last, (plain, recorded, backward))

    @jax.custom_vjp
    def interval(mesh, problem, water, drive, duration):
        return plain(mesh, problem, water, drive, duration)

    def forward(mesh, problem, water, drive, duration):
        results = recorded(mesh, problem, water, drive, duration)
        water, amounts, effort, steps = keep(results)
        return (water, amounts, effort), (mesh, problem, drive, duration, steps)

    def reverse(saved, bars):
        mesh, problem, drive, duration, steps = saved
        water_bar, amounts_bar, _ = bars
        back = Back(water_bar.psi, water_bar.stored, water_bar.pond)
        back, problem_bar, drive_bar = backward(mesh, problem, drive, steps, back, amounts_bar)
        before = SoilWater(back.psi, back.stored, back.pond, jnp.zeros_like(water_bar.pace))
        none = jax.tree.map(jnp.zeros_like, (mesh, duration))
        return none[0], problem_bar, before, drive_bar, none[1]

    interval.defvjp(forward, reverse)
    return interval
