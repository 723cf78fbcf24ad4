"""The gradient of an interval: the recorded steps, walked backwards with implicit gradients.

For a converged stage, F(ψ; R, p) = S(ψ, p) − R − a·f(ψ, p) = 0 with S the stored water and f the
net rates. Given the cotangents of its results (ω of the water S, and those of pond and amounts),

    J^T λ = S_ψ^T ω + (amounts)_ψ^T,      R̄ = λ,      p̄ = S_p^T (ω − λ) + a·f_p^T λ + (amounts)_p^T,

one transposed tridiagonal solve and one pull-back through the rates per stage; the iterations are
never differentiated, and the lengths of the steps are constants. A scheme of two stages is the same
rule twice, with the linear glue between them.
"""

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core import tridiagonal
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards.problem import Mesh, Problem
from diffhydro.soil.richards.record import Steps, by_column
from diffhydro.soil.richards.stage import Rates, Result, Scheme, choose, result
from diffhydro.soil.richards.state import Change, Exchange
from diffhydro.typing import Array

_Setting = tuple[Mesh, Problem, Drive]


def pull_back(
    mesh: Mesh,
    problem: Problem,
    drive: Drive,
    steps: Steps,
    scheme: Scheme,
    back: Change,
    amounts: Exchange,
    *,
    uneven: bool,
) -> tuple[Change, Problem, Drive]:
    """Return the cotangents of the state before, of the problem and of the drive.

    Args:
        uneven: Some columns may have taken many more steps than others.
    """

    def walk(given, step, taken: Array):
        setting, back, amounts = given
        return _walk_back(setting, step, taken, scheme, back, amounts)

    back, found = by_column(steps, ((mesh, problem, drive), back, amounts), walk, uneven=uneven)
    return back, *found


def _walk_back(
    setting: _Setting, step, taken: Array, scheme: Scheme, back: Change, amounts: Exchange
):
    """Undo all steps; `step` gives those of one number, with length 0 for who has none."""

    def undo(carry):
        number, back, gathered = carry
        back, found = _undo_step(*setting, step(number - 1), scheme, back, amounts)
        return number - 1, back, jax.tree.map(jnp.add, gathered, found)

    nothing = jax.tree.map(jnp.zeros_like, setting[1:])
    carry = lax.while_loop(lambda carry: carry[0] > 0, undo, (jnp.max(taken), back, nothing))
    return carry[1:]


def _undo_step(mesh, problem, drive, one: Steps, scheme: Scheme, back: Change, amounts: Exchange):
    taken = one.length > 0
    length = jnp.where(taken, one.length, 1.0)
    step = scheme.implicit * length
    stages = len(scheme.explicit)
    shares = jnp.asarray(scheme.explicit, length.dtype)
    # R = W + κ(W' − W): the start of a step is reached through the stage before and directly.
    kappas = jnp.asarray([1.0] + [scheme.carry] * (stages - 1), length.dtype)

    def undo(count, carry):
        number = stages - 1 - count
        later, direct, found = carry
        # A column without this step gets harmless numbers and a zero cotangent.
        psi = jnp.where(taken[None], one.psi[number], -1000.0)
        rates = Rates(
            *(jnp.where(taken, shares[number] * length * x, 0.0) for x in _fields(amounts))
        )
        stored, pond, more = _undo_stage(
            mesh, problem, drive, psi, one.pond[number], step, later, rates
        )
        kappa = kappas[number]
        later = Change(jnp.zeros_like(psi), kappa * stored + direct[0], kappa * pond + direct[1])
        direct = ((1.0 - kappa) * stored, (1.0 - kappa) * pond)
        return later, direct, jax.tree.map(jnp.add, found, more)

    live = choose(taken, back, jax.tree.map(jnp.zeros_like, back))
    nothing = jax.tree.map(jnp.zeros_like, (live[1:], (problem, drive)))
    # A loop rather than a repetition: half the program to compile.
    before, _, found = lax.fori_loop(0, stages, undo, (live, *nothing))
    return choose(taken, before, back), found


def _undo_stage(mesh, problem, drive, psi, pond, step, back: Change, rates: Rates):
    def forward(psi, pond, problem, drive):
        return result(mesh, problem, drive, psi, pond, step)

    _, pull, here = jax.vjp(forward, psi, pond, problem, drive, has_aux=True)
    right = here.capacity * back.stored + back.psi
    top = _through_surface(problem, drive, here.face[0], pond, step, back.pond, rates)
    right = right.at[0].add(top * here.from_below[0])
    right = right.at[-1].add(rates.drainage * here.from_above[-1])
    if here.sink_slope is not None:
        right = right + rates.uptake[None] * here.sink_slope
    adjoint = tridiagonal.sweep(
        *tridiagonal.transpose(here.lower, here.diagonal, here.upper), right
    )
    bars = Result(back.stored - adjoint, step[None] * adjoint, back.pond, rates)
    _, pond_bar, problem_bar, drive_bar = pull(bars)
    return adjoint, pond_bar, (problem_bar, drive_bar)


def _through_surface(problem, drive, flux, pond, step, pond_bar, rates: Rates) -> Array:
    """Cotangent of the surface flux, from the pond, the runoff and the infiltration."""
    _, pull = jax.vjp(lambda q: problem.top.settle(q, pond, step, drive), flux)
    return pull((pond_bar, rates.runoff))[0] + rates.infiltration


def _fields(amounts: Exchange):
    return amounts.infiltration, amounts.runoff, amounts.drainage, amounts.uptake
