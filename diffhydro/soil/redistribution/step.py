"""One linearised implicit step: its tridiagonal system, its solution, and both pulled back."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp

from diffhydro.core.tridiagonal import sweep
from diffhydro.soil.hydraulics.by_water import ByWater
from diffhydro.typing import Array


class Layers(NamedTuple):
    """What stays the same: the soil of every layer, its thickness and the foot."""

    soil: Any  # AbstractHydraulics with parameters `[layer]`
    thickness: Array  # mm
    base: Array  # share of the free drainage that the foot lets through


class Push(NamedTuple):
    """What acts during the interval, mm/day."""

    surface: Array  # into the first layer
    sink: Array  # out of every layer


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
    flux = with_foot(mean * gradient, layers.base * at.conductivity[-1])
    flux_above = with_foot(above, layers.base * k_slope[-1])
    flux_below = with_foot(below, jnp.zeros_like(k_slope[-1]))
    none = jnp.zeros_like(flux[0])
    return Step(
        lower=-with_top(none, flux_above[:-1]),
        diagonal=layers.thickness / dt + flux_above - with_top(none, flux_below[:-1]),
        upper=flux_below,
        right=with_top(push.surface, flux[:-1]) - flux - push.sink,
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
    next_change = with_foot(change[1:], jnp.zeros_like(change[0]))
    flux = step.flux + step.flux_above * change + step.flux_below * next_change
    gain = dt * (with_top(push.surface, flux[:-1]) - flux - push.sink) / layers.thickness
    return Solved(change, gain, flux[-1])


def fluxes_ahead(
    dot: ByWater, base_dot: Array, step: Step, change: Array, at: ByWater, layers: Layers
) -> Array:
    """Push tangents of the curves and the foot into the faces' fluxes, at fixed δ."""
    distance = 0.5 * (layers.thickness[:-1] + layers.thickness[1:])
    x, y = change[:-1], change[1:]
    k_slope, psi_slope = at.conductivity_slope, at.psi_slope
    tilt = 0.5 * (k_slope[:-1] * x + k_slope[1:] * y)
    lean = 0.5 * (step.gradient + (psi_slope[:-1] * x - psi_slope[1:] * y) / distance)
    head = (step.mean + tilt) / distance
    steep, stiff = 0.5 * step.gradient, step.mean / distance
    inside = (
        head * (dot.psi[:-1] - dot.psi[1:])
        + lean * (dot.conductivity[:-1] + dot.conductivity[1:])
        + stiff * (dot.psi_slope[:-1] * x - dot.psi_slope[1:] * y)
        + steep * (dot.conductivity_slope[:-1] * x + dot.conductivity_slope[1:] * y)
    )
    foot = layers.base * (dot.conductivity[-1] + dot.conductivity_slope[-1] * change[-1])
    free = at.conductivity[-1] + k_slope[-1] * change[-1]
    return with_foot(inside, foot + base_dot * free)


def fluxes_back(
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
        psi=with_foot(head, none) - with_top(none, head),
        conductivity=with_foot(mean, base) + with_top(none, mean),
        psi_slope=with_foot(stiff * x, none) - with_top(none, stiff * y),
        conductivity_slope=with_foot(steep * x, base * change[-1]) + with_top(none, steep * y),
    )
    return curves, foot * (at.conductivity[-1] + k_slope[-1] * change[-1])


def with_top(top: Array, rest: Array) -> Array:
    """Put a row above others."""
    return jnp.concatenate([jnp.broadcast_to(top, rest[:1].shape[1:])[None], rest])


def with_foot(rest: Array, foot: Array) -> Array:
    """Put a row below others."""
    return jnp.concatenate([rest, jnp.broadcast_to(foot, rest[:1].shape[1:])[None]])
