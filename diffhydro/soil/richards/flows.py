"""Fluxes, residual and Jacobian of one implicit stage.

Mixed form, cell-centred finite volumes, unknown head ψ, storage W carried as state:

    F_i(ψ) = V_i·(θ(ψ_i) + S_s·ψ_i⁺) − R_i − a·(q_{i−1/2} − q_{i+1/2} − S_i) = 0,
    q_{i+1/2} = ½(K_i + K_{i+1})·((ψ_i − ψ_{i+1})/d_{i+1/2} + 1),

with a the implicit weight times the step. The arithmetic mean of K is safe with large steps in
dry soil, where harmonic means leave the physical bounds.

The fence and the barriers are there for speed: without them XLA:CPU fuses the hydraulic functions
into the concatenations behind them and evaluates them again, one by one.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.fence import fence
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards.problem import Ends, Mesh, Problem
from diffhydro.typing import Array

# 1/mm. A node without capacity between dry neighbours, or a saturated column with a flux at both
# ends, has a singular row; this floor lies far below any capacity that matters.
_LEAST_CAPACITY = 1e-13


class Flows(NamedTuple):
    """Rates at given heads (`column` last): what one Newton iteration and the adjoint need."""

    stored: Array  # water in each node
    face: Array  # flux through the surface, between nodes, through the foot
    sink: Array | None
    residual: Array
    lower: Array
    diagonal: Array
    upper: Array
    from_above: Array  # d face / d node above it
    from_below: Array  # d face / d node below it
    sink_slope: Array | None
    capacity: Array  # d stored / d psi


def evaluate(
    mesh: Mesh,
    problem: Problem,
    drive: Drive,
    held: tuple,
    psi: Array,
    base: Array,
    pond: Array,
    step: Array,
    crumbs: Array | None = None,
) -> Flows:
    """Evaluate one stage at heads `psi`: base is R, pond the pond it starts from, step is a.

    `crumbs` are the digits of the heads that `psi` cannot hold. Between thin layers the flux of
    one rounding of ψ is larger than any tolerance; they enter it linearly, which is exact.
    """
    curves = fence(lambda p: problem.medium.curves(mesh.split(p)), psi)
    face, above, below = _faces(mesh, problem, drive, held, psi, pond, step, curves)
    stored, capacity = _stored(mesh, problem, psi, curves)
    if crumbs is not None:
        stored = stored + capacity * crumbs
        face = face + carried(above, below, crumbs)
    residual = stored - base - step[None] * (face[:-1] - face[1:])
    diagonal = jnp.maximum(capacity, _LEAST_CAPACITY * mesh.scale) + step[None] * (
        above[1:] - below[:-1]
    )
    sink = slope = None
    if problem.stress is not None:
        sink, slope = _sink(problem, drive, psi)
        if crumbs is not None:
            sink = sink + slope * crumbs
        residual = residual + step[None] * sink
        diagonal = diagonal + step[None] * slope
    return Flows(
        stored=stored,
        face=face,
        sink=sink,
        residual=residual,
        lower=-step[None] * above[:-1],
        diagonal=diagonal,
        upper=step[None] * below[1:],
        from_above=above,
        from_below=below,
        sink_slope=slope,
        capacity=capacity,
    )


def carried(from_above: Array, from_below: Array, change: Array) -> Array:
    """Return how much the face fluxes change with the heads, linearly."""
    none = jnp.zeros_like(change[:1])
    shifted = jnp.concatenate([none, change]), jnp.concatenate([change, none])
    above, below = lax.optimization_barrier(shifted)
    return from_above * above + from_below * below


def _faces(mesh, problem, drive, held, psi, pond, step, curves):
    k_up, k_down = mesh.upper(curves.conductivity), mesh.lower(curves.conductivity)
    s_up, s_down = mesh.upper(curves.slope), mesh.lower(curves.slope)
    gradient = (psi[:-1] - psi[1:]) / mesh.distance + 1.0
    mean = 0.5 * (k_up + k_down)
    spread = mean / mesh.distance
    inner = lax.optimization_barrier(
        (
            mean * gradient,
            0.5 * s_up * gradient + spread,
            0.5 * s_down * gradient - spread,
        )
    )

    def surface(psi, conductivity):
        return problem.top.flux(psi, conductivity, mesh.first_half, pond, step, drive, held[0])

    def foot(psi, conductivity):
        return problem.bottom.flux(psi, conductivity, mesh.last_half, drive, held[1])

    ends = jax.jvp(
        lambda p0, k0, p1, k1: (surface(p0, k0), foot(p1, k1)),
        (psi[0], curves.conductivity[0], psi[-1], curves.conductivity[-1]),
        (jnp.ones_like(psi[0]), curves.slope[0], jnp.ones_like(psi[-1]), curves.slope[-1]),
    )
    (q_top, q_foot), (slope_top, slope_foot) = ends
    zero = jnp.zeros_like(psi[:1])
    return lax.optimization_barrier(
        (
            jnp.concatenate([q_top[None], inner[0], q_foot[None]]),
            jnp.concatenate([zero, inner[1], slope_foot[None]]),
            jnp.concatenate([slope_top[None], inner[2], zero]),
        )
    )


def _stored(mesh, problem, psi, curves):
    theta, capacity = mesh.joined(curves.theta), mesh.joined(curves.capacity)
    pressed = jnp.where(psi > 0, problem.specific_storage[None], 0.0)
    return (
        mesh.volume * (theta + pressed * psi),
        mesh.volume * (capacity + pressed),
    )


def _sink(problem, drive, psi):
    stress = jax.tree.map(lambda p: p[None], problem.stress)
    reduction, slope = jax.jvp(stress, (psi,), (jnp.ones_like(psi),))
    demand = drive.transpiration[None] * problem.share
    return demand * reduction, demand * slope


def overfull(
    mesh: Mesh, problem: Problem, limits: Ends, psi: Array, stored: Array, most: float
) -> Array:
    """Return by how little nodes hold more than fits, as far as it is an iteration error.

    An incompressible soil has no room for the residual of an earlier stage. Expelling it within a
    short step would take pressures that grow as the step shrinks, so up to `most` (a water
    content) it may stay where it is.
    """
    pressed = problem.specific_storage[None] * jnp.maximum(psi, 0.0)
    excess = stored - (limits.most + mesh.volume * pressed)
    return jnp.clip(excess, 0.0, most * mesh.volume)


def held(problem: Problem, drive: Drive) -> tuple:
    """Conductivities at the heads the boundaries hold: once per interval."""
    return (
        problem.top.held(problem.medium.first(), drive),
        problem.bottom.held(problem.medium.last(), drive),
    )
