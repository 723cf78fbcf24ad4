"""A day of steps, differentiable: the door to everything in this folder."""

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.fence import fence
from diffhydro.core.lanes import columns_last, full_width
from diffhydro.core.linear import at_first_only, linear_map
from diffhydro.core.timeloop import keep
from diffhydro.soil.hydraulics.by_water import by_water
from diffhydro.soil.redistribution.adjoint import undo
from diffhydro.soil.redistribution.bounds import keep_within
from diffhydro.soil.redistribution.step import Layers, Push, assemble, solve
from diffhydro.soil.redistribution.tangent import push_ahead
from diffhydro.typing import Array


class Moved(NamedTuple):
    """What left, mm."""

    drainage: Array
    exfiltration: Array


def redistribute(
    theta: Array, layers: Layers, push: Push, duration: float, steps: int
) -> tuple[Array, Moved]:
    """Let water move among the layers of one column.

    Written for one column; under `jax.vmap` all columns run as lanes of one program. Derivatives,
    forward and reverse, reach the water before, the soil, the foot and the push; thickness and
    duration are constants.

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

    def ahead(saved, dots):
        (visited, layers, push), dots = full_width((saved, dots))
        return push_ahead(visited, layers, push, dt, *dots)

    def backward(saved, bars):
        (visited, layers, push), bars = full_width((saved, bars))
        return undo(visited, layers, push, dt, *bars)

    # Compiled here so that a step taken outside any jit is not compiled again each time.
    plain = jax.jit(columns_last(plain))
    recorded = at_first_only(jax.jit(columns_last(recorded)))
    ahead, backward = jax.jit(ahead), jax.jit(backward)

    @jax.custom_jvp
    def interval(theta, layers, push):
        return plain(theta, layers, push)

    @interval.defjvp
    def _(inputs, dots):
        theta_dot, layers_dot, push_dot = dots
        result, visited = keep(recorded(*inputs))
        saved = visited, *inputs[1:]
        dots = theta_dot, layers_dot.soil, layers_dot.base, push_dot
        return result, linear_map(ahead, backward, saved, dots)

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
