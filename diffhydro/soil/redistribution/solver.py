"""A day of steps, differentiable: the door to everything in this folder."""

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.fence import fence
from diffhydro.core.lanes import columns_last, full_width
from diffhydro.core.timeloop import keep
from diffhydro.soil.hydraulics.by_water import by_water
from diffhydro.soil.redistribution.adjoint import undo
from diffhydro.soil.redistribution.bounds import keep_within
from diffhydro.soil.redistribution.step import Layers, Push, assemble, solve
from diffhydro.typing import Array


class Moved(NamedTuple):
    """What left, mm."""

    drainage: Array
    exfiltration: Array


def redistribute(
    theta: Array, layers: Layers, push: Push, duration: float, steps: int
) -> tuple[Array, Moved]:
    """Let water move among the layers of one column.

    Written for one column; under `jax.vmap` all columns run as lanes of one program. Reverse-mode
    gradients reach the water before, the soil, the foot and the push; thickness and duration are
    constants.

    Args:
        theta: Water content `[layer]`.
        layers: See there.
        push: See there.
        duration: Days.
        steps: Equal steps that the duration is divided into.
    """
    theta, drainage, exfiltration = _differentiable(duration / steps, steps)(theta, layers, push)
    return theta, Moved(drainage, exfiltration)


@lru_cache(maxsize=64)
def _differentiable(dt: float, steps: int) -> Any:
    def plain(theta, layers, push):
        theta, layers, push = full_width((theta, layers, push))
        return _march(theta, layers, push, dt, steps, record=False)[0]

    def recorded(theta, layers, push):
        theta, layers, push = full_width((theta, layers, push))
        return _march(theta, layers, push, dt, steps, record=True)

    def backward(visited, layers, push, bars):
        bars, layers, push = full_width((bars, layers, push))
        return undo(visited, layers, push, dt, *bars)

    # Compiled here so that a step taken outside any jit is not compiled again each time.
    plain, recorded, backward = (jax.jit(columns_last(f)) for f in (plain, recorded, backward))

    @jax.custom_vjp
    def interval(theta, layers, push):
        return plain(theta, layers, push)

    def forward(theta, layers, push):
        result, visited = keep(recorded(theta, layers, push))
        return result, (visited, layers, push)

    def reverse(saved, bars):
        visited, layers, push = saved
        theta_bar, soil_bar, base_bar, push_bar = backward(visited, layers, push, bars)
        return theta_bar, Layers(soil_bar, jnp.zeros_like(layers.thickness), base_bar), push_bar

    interval.defvjp(forward, reverse)
    return interval


def _march(
    theta: Array, layers: Layers, push: Push, dt: float, steps: int, *, record: bool
) -> tuple[tuple[Array, Array, Array], Array | None]:
    """Take all steps; give θ, drainage and exfiltration, and θ before every step."""
    most = layers.soil.theta_s

    def body(carry, _):
        # θ rounds, and a day has many steps: what they add is summed apart.
        gained, drainage, exfiltration = carry
        now = theta + gained
        at = fence(lambda theta: by_water(layers.soil, theta), now)
        solved = solve(assemble(at, layers, push, dt), layers, push, dt)
        kept = keep_within(now + solved.gain, most, layers.thickness)
        gained = gained + (solved.gain + kept.shift)
        drainage = drainage + (dt * solved.drainage - kept.lack)
        return (gained, drainage, exfiltration + kept.excess), now if record else None

    none = jnp.zeros_like(push.surface)
    (gained, drainage, out), visited = lax.scan(
        body, (jnp.zeros_like(theta), none, none), None, length=steps
    )
    after = theta + gained
    # What the sum cannot hold leaves with the drainage: 1e-5 mm a day in float32, which in a
    # layer at rest would otherwise be lost every day the same way.
    crumbs = gained - (after - theta)
    drainage = drainage + jnp.sum(crumbs * layers.thickness, axis=0)
    return (after, drainage, out), visited
