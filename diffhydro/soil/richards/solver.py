"""One interval of soil water movement, differentiable: the door to everything in this folder."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from diffhydro.core.lanes import columns_last, full_width, same_width
from diffhydro.core.linear import at_first_only, linear_map
from diffhydro.core.timeloop import keep
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.adjoint import pull_back
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.problem import Mesh, Problem
from diffhydro.soil.richards.stage import SDIRK2
from diffhydro.soil.richards.state import Change, Effort, Exchange, SoilWater
from diffhydro.soil.richards.tangent import push_ahead
from diffhydro.typing import Array

Policy = Fixed | Adaptive


def advance(
    mesh: Mesh, problem: Problem, water: SoilWater, drive: Drive, duration: Array, policy: Policy
) -> tuple[SoilWater, Exchange, Effort]:
    """Advance one column over one interval of constant drive.

    Written for one column; under `jax.vmap` all columns run as lanes of one program. Derivatives,
    forward and reverse, reach the soil, the boundaries, the roots, the drive, and the water and
    pond before; the grid and the duration are constants. The guess `water.psi` does not influence
    the solution, so its derivative is zero.
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

    def ahead(saved, dots):
        mesh, problem, drive, steps = saved
        start, push = dots
        start = full_width(start, steps)
        (problem, drive), push = same_width((problem, drive), push)
        return push_ahead(mesh, problem, drive, steps, scheme, start, push, uneven=uneven)

    def backward(saved, bars):
        mesh, problem, drive, steps = saved
        back, amounts = full_width(bars, steps)
        back, *push = pull_back(mesh, problem, drive, steps, scheme, back, amounts, uneven=uneven)
        return back, tuple(push)

    uneven = isinstance(policy, Adaptive)
    plain, recorded = columns_last(plain), at_first_only(columns_last(recorded))
    # Compiled here so that these programs are traced once, however often they are met.
    ahead, backward = jax.jit(ahead), jax.jit(backward)

    @jax.custom_jvp
    def interval(mesh, problem, water, drive, duration):
        return plain(mesh, problem, water, drive, duration)

    @interval.defjvp
    def _(inputs, dots):
        mesh, problem, _, drive, _ = inputs
        _, problem_dot, water_dot, drive_dot, _ = dots
        water, amounts, effort, steps = keep(recorded(*inputs))
        start = Change(water_dot.psi, water_dot.stored, water_dot.pond)
        saved = mesh, problem, drive, steps
        end, amounts_dot = linear_map(ahead, backward, saved, (start, (problem_dot, drive_dot)))
        water_dot = SoilWater(end.psi, end.stored, end.pond, jnp.zeros_like(water.pace))
        nothing = jax.tree.map(jnp.zeros_like, effort)
        return (water, amounts, effort), (water_dot, amounts_dot, nothing)

    return interval
