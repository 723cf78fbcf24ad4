"""The way forward of small changes through a day of steps: one system for each.

The mirror of `adjoint.py`. Under `jax.vmap` over tangents alone, what depends on the water that was
visited is computed once for all of them.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.fence import fence
from diffhydro.core.tridiagonal import sweep
from diffhydro.soil.hydraulics.by_water import by_water
from diffhydro.soil.hydraulics.by_water import push_ahead as curves_ahead
from diffhydro.soil.redistribution.bounds import bounds_ahead, keep_within
from diffhydro.soil.redistribution.step import Layers, Push, assemble, fluxes_ahead, solve, with_top
from diffhydro.typing import Array


def push_ahead(
    visited: Array,
    layers: Layers,
    push: Push,
    dt: float,
    theta_dot: Array,
    soil_dot: Any,
    base_dot: Array,
    push_dot: Push,
) -> tuple[Array, Array, Array]:
    """Push tangents of θ, soil, foot and push ahead to θ, drainage and exfiltration.

    Args:
        visited: θ before every step.
    """
    most = layers.soil.theta_s
    most_dot = jax.jvp(lambda soil: soil.theta_s, (layers.soil,), (soil_dot,))[1]
    none = jnp.zeros_like(push_dot.surface)

    def body(carry, theta):
        theta_dot, drainage_dot, out_dot = carry
        at = fence(lambda theta: by_water(layers.soil, theta), theta)

        def again(_):
            step = assemble(at, layers, push, dt)
            return step, solve(step, layers, push, dt)

        step, solved = fence(again, at.psi)
        kept = keep_within(theta + solved.gain, most, layers.thickness)

        def pushed(theta):
            dot = curves_ahead(layers.soil, theta, at, soil_dot, theta_dot)
            return fluxes_ahead(dot, base_dot, step, solved.change, at, layers)

        flux_dot = fence(pushed, theta)
        right = with_top(push_dot.surface, flux_dot[:-1]) - flux_dot - push_dot.sink
        change_dot = sweep(step.lower, step.diagonal, step.upper, right)
        drained = flux_dot[-1] + step.flux_above[-1] * change_dot[-1]
        # In most steps no layer reaches a bound; with many tangents this is a fifth of the time.
        theta_dot, more_out, lack = lax.cond(
            jnp.any(kept.full | kept.dry),
            lambda dot: bounds_ahead(dot, most_dot, kept, layers.thickness),
            lambda dot: (dot, none, none),
            theta_dot + change_dot,
        )
        return (theta_dot, drainage_dot + (dt * drained - lack), out_dot + more_out), None

    return lax.scan(body, (theta_dot, none, none), visited)[0]
