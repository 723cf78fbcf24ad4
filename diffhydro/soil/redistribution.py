"""Water among a few thick layers: one linearised implicit step after another, with its adjoint.

Between the layers i and i + 1, ℓ apart from centre to centre, flows (positive downward)

    q_i = K̄_i G_i,    G_i = (ψ_i − ψ_{i+1})/ℓ_i + 1,    K̄_i = (K_i + K_{i+1})/2

and over a step, linear in the change δ of the water contents,

    f_i = q_i + (∂q_i/∂θ_i) δ_i + (∂q_i/∂θ_{i+1}) δ_{i+1},    Δz_i δ_i/Δt = f_{i−1} − f_i − S_i

with f_0 given at the surface and f_N = β (K_N + K_N′ δ_N) at the foot (β = 1: unit gradient). The
water is moved by f rather than by δ, so that none is lost to the rounding of the solution.

After each step what a layer cannot hold goes to the one above, out of the first one as
exfiltration; and a layer below θ_min takes from the one below, the last one from the drainage.

The arithmetic mean K̄ keeps θ within its bounds at hourly steps, which the harmonic mean of TEM and
the mean saturation of CLM do not.

The gradient keeps θ before every step and solves one transposed system for each.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.fence import fence
from diffhydro.core.lanes import columns_last
from diffhydro.core.timeloop import keep
from diffhydro.core.tridiagonal import sweep, transpose
from diffhydro.soil.hydraulics.by_water import ByWater, by_water, pull_back
from diffhydro.typing import Array

THETA_MIN = 0.01  # m³/m³


class Layers(NamedTuple):
    """What stays the same: the soil of every layer, its thickness and the foot."""

    soil: Any  # AbstractHydraulics with parameters `[layer]`
    thickness: Array  # mm
    base: Array  # share of the free drainage that the foot lets through


class Push(NamedTuple):
    """What acts during the interval, mm/day."""

    surface: Array  # into the first layer
    sink: Array  # out of every layer


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


class Step(NamedTuple):
    """One linearised step; arrays `[layer, column]`, face i is the one below layer i."""

    lower: Array
    diagonal: Array
    upper: Array
    right: Array
    flux: Array  # q
    flux_above: Array  # ∂q/∂θ of the layer above the face
    flux_below: Array  # ∂q/∂θ of the layer below
    gradient: Array  # G, interior faces only
    mean: Array  # K̄, interior faces only


def assemble(at: ByWater, layers: Layers, push: Push, dt: float) -> Step:
    """Set up the system of a step from the curves at its beginning."""
    distance = 0.5 * (layers.thickness[:-1] + layers.thickness[1:])
    gradient = (at.psi[:-1] - at.psi[1:]) / distance + 1.0
    mean = 0.5 * (at.conductivity[:-1] + at.conductivity[1:])
    k_slope = at.conductivity_slope
    stiff = mean / distance
    above = 0.5 * k_slope[:-1] * gradient + stiff * at.psi_slope[:-1]
    below = 0.5 * k_slope[1:] * gradient - stiff * at.psi_slope[1:]
    flux = _below(mean * gradient, layers.base * at.conductivity[-1])
    flux_above = _below(above, layers.base * k_slope[-1])
    flux_below = _below(below, jnp.zeros_like(k_slope[-1]))
    none = jnp.zeros_like(flux[0])
    return Step(
        lower=-_above(none, flux_above[:-1]),
        diagonal=layers.thickness / dt + flux_above - _above(none, flux_below[:-1]),
        upper=flux_below,
        right=_above(push.surface, flux[:-1]) - flux - push.sink,
        flux=flux,
        flux_above=flux_above,
        flux_below=flux_below,
        gradient=gradient,
        mean=mean,
    )


class Solved(NamedTuple):
    """A step before its bounds: the change δ, the gain of every layer and the drainage."""

    change: Array
    gain: Array  # m³/m³
    drainage: Array  # mm/day


def solve(
    step: Step,
    layers: Layers,
    push: Push,
    dt: float,
    linear: Callable[[Array, Array, Array, Array], Array] = sweep,
) -> Solved:
    """Solve, and move water by the fluxes; `linear` solves the tridiagonal system."""
    change = linear(step.lower, step.diagonal, step.upper, step.right)
    next_change = _below(change[1:], jnp.zeros_like(change[0]))
    flux = step.flux + step.flux_above * change + step.flux_below * next_change
    gain = dt * (_above(push.surface, flux[:-1]) - flux - push.sink) / layers.thickness
    return Solved(change, gain, flux[-1])


class Kept(NamedTuple):
    """What keeps water contents within bounds, and where it had to."""

    shift: Array  # to be added to every layer, m³/m³
    excess: Array  # mm, out of the first layer
    lack: Array  # mm, taken from the drainage
    full: Array
    dry: Array


def keep_within(theta: Array, most: Array, thickness: Array) -> Kept:
    """Pass what is too much upward, then what is too little downward."""

    def up(excess, row):
        theta, most, size = row
        water = theta + excess / size
        above = jnp.maximum(water - most, 0.0)
        return above * size, (excess / size - above, jnp.minimum(water, most), water > most)

    def down(lack, row):
        theta, size = row
        water = theta - lack / size
        below = jnp.maximum(THETA_MIN - water, 0.0)
        return below * size, (below - lack / size, water < THETA_MIN)

    none = jnp.zeros_like(theta[0])
    excess, (first, theta, full) = lax.scan(up, none, (theta, most, thickness), reverse=True)
    lack, (second, dry) = lax.scan(down, none, (theta, thickness))
    return Kept(first + second, excess, lack, full, dry)


def _bounds_back(
    theta_bar: Array, drainage_bar: Array, out_bar: Array, kept: Kept, thickness: Array
) -> tuple[Array, Array]:
    """Pull θ̄ back through `keep_within`; also give what belongs to the upper bound."""

    def undo_down(lack_bar, row):
        bar, dry, size = row
        bar = jnp.where(dry, -lack_bar * size, bar)
        return -bar / size, bar

    def undo_up(excess_bar, row):
        bar, full, size = row
        back = jnp.where(full, excess_bar * size, bar)
        return back / size, (back, jnp.where(full, bar - excess_bar * size, 0.0))

    _, bar = lax.scan(undo_down, -drainage_bar, (theta_bar, kept.dry, thickness), reverse=True)
    _, (bar, most_bar) = lax.scan(undo_up, out_bar, (bar, kept.full, thickness))
    return bar, most_bar


def _fluxes_back(
    weight: Array, step: Step, change: Array, at: ByWater, layers: Layers
) -> tuple[ByWater, Array]:
    """Pull weights of the faces' fluxes, at fixed δ, back to the curves and the foot."""
    inside, foot = weight[:-1], weight[-1]
    distance = 0.5 * (layers.thickness[:-1] + layers.thickness[1:])
    x, y = change[:-1], change[1:]
    k_slope, psi_slope = at.conductivity_slope, at.psi_slope
    tilt = 0.5 * (k_slope[:-1] * x + k_slope[1:] * y)
    head = inside * (step.mean + tilt) / distance
    mean = 0.5 * inside * (step.gradient + (psi_slope[:-1] * x - psi_slope[1:] * y) / distance)
    steep, stiff = 0.5 * inside * step.gradient, inside * step.mean / distance
    none, base = jnp.zeros_like(foot), layers.base * foot
    curves = ByWater(
        psi=_below(head, none) - _above(none, head),
        conductivity=_below(mean, base) + _above(none, mean),
        psi_slope=_below(stiff * x, none) - _above(none, stiff * y),
        conductivity_slope=_below(steep * x, base * change[-1]) + _above(none, steep * y),
    )
    return curves, foot * (at.conductivity[-1] + k_slope[-1] * change[-1])


def _above(first: Array, rest: Array) -> Array:
    return jnp.concatenate([jnp.broadcast_to(first, rest[:1].shape[1:])[None], rest])


def _below(rest: Array, last: Array) -> Array:
    return jnp.concatenate([rest, jnp.broadcast_to(last, rest[:1].shape[1:])[None]])


def _full(theta: Array, layers: Layers, push: Push) -> tuple[Array, Layers, Push]:
    """Give all that changes the full number of columns, where some had one that broadcasts."""
    columns = max(x.shape[-1] for x in jax.tree.leaves((theta, layers, push)))

    def full(x: Array) -> Array:
        return jnp.broadcast_to(x, (*x.shape[:-1], columns))

    soil = jax.tree.map(full, layers.soil)
    layers = Layers(soil, full(layers.thickness), full(layers.base))
    return full(theta), layers, jax.tree.map(full, push)


@lru_cache(maxsize=64)
def _differentiable(dt: float, steps: int) -> Any:
    def march(theta, layers, push, record):
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

    def plain(theta, layers, push):
        return march(*_full(theta, layers, push), record=False)[0]

    def recorded(theta, layers, push):
        return march(*_full(theta, layers, push), record=True)

    def backward(visited, layers, push, bars):
        bars, drainage_bar, out_bar = bars
        _, layers, push = _full(bars, layers, push)
        most = layers.soil.theta_s

        def body(carry, theta):
            theta_bar, (soil_bar, most_bar, base_bar), push_bar = carry
            at = fence(lambda theta: by_water(layers.soil, theta), theta)

            def again(_):
                step = assemble(at, layers, push, dt)
                return step, solve(step, layers, push, dt)

            step, solved = fence(again, at.psi)
            kept = keep_within(theta + solved.gain, most, layers.thickness)
            bar, most_more = _bounds_back(theta_bar, drainage_bar, out_bar, kept, layers.thickness)
            drain = dt * drainage_bar
            change_bar = _below(bar[:-1], bar[-1] + drain * step.flux_above[-1])
            transposed = transpose(step.lower, step.diagonal, step.upper)
            multiplier = sweep(*transposed, change_bar)

            def pulled(multiplier):
                weight = _below(multiplier[1:], drain) - multiplier
                return _fluxes_back(weight, step, solved.change, at, layers)

            curves_bar, base_more = fence(pulled, multiplier)
            soil_more, theta_more = pull_back(layers.soil, theta, at, curves_bar)
            ground = soil_more, most_more, base_more
            ground = jax.tree.map(jnp.add, (soil_bar, most_bar, base_bar), ground)
            push_bar = Push(push_bar.surface + multiplier[0], push_bar.sink - multiplier)
            return (bar + theta_more, ground, push_bar), None

        zeros = jax.tree.map(jnp.zeros_like, ((layers.soil, bars, layers.base), push))
        carry, _ = lax.scan(body, (bars, *zeros), visited, reverse=True)
        theta_bar, (soil_bar, most_bar, base_bar), push_bar = carry
        _, pull = jax.vjp(lambda soil: soil.theta_s, layers.soil)
        soil_bar = jax.tree.map(jnp.add, soil_bar, pull(most_bar)[0])
        return theta_bar, soil_bar, base_bar, push_bar

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
