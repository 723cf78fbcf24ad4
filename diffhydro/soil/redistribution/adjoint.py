"""The way back through a day of steps: one transposed system for each."""

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.fence import fence
from diffhydro.core.tridiagonal import sweep, transpose
from diffhydro.soil.hydraulics.by_water import by_water, pull_back
from diffhydro.soil.redistribution.bounds import bounds_back, keep_within
from diffhydro.soil.redistribution.step import Layers, Push, assemble, fluxes_back, solve, with_foot
from diffhydro.typing import Array


def undo(
    visited: Array,
    layers: Layers,
    push: Push,
    dt: float,
    theta_bar: Array,
    drainage_bar: Array,
    out_bar: Array,
):
    """Pull cotangents of θ, drainage and exfiltration back to θ, soil, foot and push.

    Args:
        visited: θ before every step.
    """
    drain = dt * drainage_bar
    most = layers.soil.theta_s

    def body(carry, theta):
        theta_bar, (soil_bar, most_bar, base_bar), push_bar = carry
        at = fence(lambda theta: by_water(layers.soil, theta), theta)

        def again(_):
            step = assemble(at, layers, push, dt)
            return step, solve(step, layers, push, dt)

        step, solved = fence(again, at.psi)
        kept = keep_within(theta + solved.gain, most, layers.thickness)
        bar, most_more = bounds_back(theta_bar, drainage_bar, out_bar, kept, layers.thickness)
        change_bar = with_foot(bar[:-1], bar[-1] + drain * step.flux_above[-1])
        multiplier = sweep(*transpose(step.lower, step.diagonal, step.upper), change_bar)

        def pulled(_):
            weight = with_foot(multiplier[1:], drain) - multiplier
            return fluxes_back(weight, step, solved.change, at, layers)

        curves_bar, base_more = fence(pulled, at.psi)
        soil_more, theta_more = pull_back(layers.soil, theta, at, curves_bar)
        ground = soil_more, most_more, base_more
        ground = jax.tree.map(jnp.add, (soil_bar, most_bar, base_bar), ground)
        push_bar = Push(push_bar.surface + multiplier[0], push_bar.sink - multiplier)
        return (bar + theta_more, ground, push_bar), None

    zeros = jax.tree.map(jnp.zeros_like, ((layers.soil, theta_bar, layers.base), push))
    carry, _ = lax.scan(body, (theta_bar, *zeros), visited, reverse=True)
    theta_bar, (soil_bar, most_bar, base_bar), push_bar = carry
    _, pull = jax.vjp(lambda soil: soil.theta_s, layers.soil)
    soil_bar = jax.tree.map(jnp.add, soil_bar, pull(most_bar)[0])
    return theta_bar, soil_bar, base_bar, push_bar
