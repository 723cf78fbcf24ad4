"""The gradient of an interval: the recorded steps, walked backwards with implicit gradients.

For a converged stage, F(ψ; R, p) = S(ψ, p) − R − a·f(ψ, p) = 0 with S the stored water and f the
net rates. Given the cotangents of its results (ω of the water S, and those of pond and amounts),

    J^T λ = S_ψ^T ω + (amounts)_ψ^T,      R̄ = λ,      p̄ = S_p^T (ω − λ) + a·f_p^T λ + (amounts)_p^T,

one transposed tridiagonal solve and one pull-back through the rates per stage; the iterations are
never differentiated, and the lengths of the steps are constants. A scheme of two stages is the same
rule twice, with the linear glue between them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core import tridiagonal
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards import flows as flow
from diffhydro.soil.richards.problem import Mesh, Problem
from diffhydro.soil.richards.record import Steps
from diffhydro.soil.richards.rows import in_sorted_rows, pick
from diffhydro.soil.richards.stage import Rates, Scheme, choose
from diffhydro.soil.richards.state import Exchange
from diffhydro.typing import Array

_Setting = tuple[Mesh, Problem, Drive]


class Back(NamedTuple):
    """Cotangents on their way back through the interval."""

    psi: Array
    stored: Array
    pond: Array


def pull_back(
    mesh: Mesh,
    problem: Problem,
    drive: Drive,
    steps: Steps,
    scheme: Scheme,
    back: Back,
    amounts: Exchange,
    *,
    uneven: bool,
) -> tuple[Back, Problem, Drive]:
    """Return the cotangents of the state before, of the problem and of the drive.

    Args:
        uneven: Some columns may have taken many more steps than others.
    """
    taken = jnp.sum(steps.length > 0, axis=0)
    (columns,) = taken.shape
    if not uneven:

        def step(number: Array) -> Steps:
            return jax.tree.map(lambda x: lax.dynamic_index_in_dim(x, number, 0, False), steps)

        back, found = _walk_back((mesh, problem, drive), step, taken, scheme, back, amounts)
        return back, *found

    trail = jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), steps)  # column, step

    def row(chosen: Array):
        few, few_back, few_amounts = pick(((mesh, problem, drive), back, amounts), chosen, columns)
        count = jnp.where(chosen < columns, pick(taken, chosen, columns), 0)

        def step(number: Array) -> Steps:
            one = jax.tree.map(lambda x: x.at[chosen, number].get(mode="clip"), trail)
            one = jax.tree.map(lambda x: jnp.moveaxis(x, 0, -1), one)
            return Steps(one.psi, one.pond, jnp.where(number < count, one.length, 0.0))

        return _walk_back(few, step, count, scheme, few_back, few_amounts)

    back, found = in_sorted_rows(taken, row)
    return back, *found


def _walk_back(
    setting: _Setting, step, taken: Array, scheme: Scheme, back: Back, amounts: Exchange
):
    """Undo all steps; `step` gives those of one number, with length 0 for who has none."""

    def undo(carry):
        number, back, gathered = carry
        back, found = _undo_step(*setting, step(number - 1), scheme, back, amounts)
        return number - 1, back, jax.tree.map(jnp.add, gathered, found)

    nothing = jax.tree.map(jnp.zeros_like, setting[1:])
    carry = lax.while_loop(lambda carry: carry[0] > 0, undo, (jnp.max(taken), back, nothing))
    return carry[1:]


def _undo_step(mesh, problem, drive, one: Steps, scheme: Scheme, back: Back, amounts: Exchange):
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
        later = Back(jnp.zeros_like(psi), kappa * stored + direct[0], kappa * pond + direct[1])
        direct = ((1.0 - kappa) * stored, (1.0 - kappa) * pond)
        return later, direct, jax.tree.map(jnp.add, found, more)

    live = choose(taken, back, jax.tree.map(jnp.zeros_like, back))
    nothing = jax.tree.map(jnp.zeros_like, (live[1:], (problem, drive)))
    # A loop rather than a repetition: half the program to compile.
    before, _, found = lax.fori_loop(0, stages, undo, (live, *nothing))
    return choose(taken, before, back), found


def _undo_stage(mesh, problem, drive, psi, pond, step, back: Back, rates: Rates):
    def forward(psi, pond, problem, drive):
        held = flow.held(problem, drive)
        base = jnp.zeros_like(psi)
        here = flow.evaluate(mesh, problem, drive, held, psi, base, pond, step)
        net = here.face[:-1] - here.face[1:]
        uptake = jnp.zeros_like(pond)
        if here.sink is not None:
            net = net - here.sink
            uptake = jnp.sum(here.sink, axis=0)
        end, runoff = problem.top.settle(here.face[0], pond, step, drive)
        # `base` above is not the R of this stage, but neither results nor Jacobian depend on it.
        results = (here.stored, net, end, Rates(here.face[0], runoff, here.face[-1], uptake))
        return results, here

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
    bars = (back.stored - adjoint, step[None] * adjoint, back.pond, rates)
    _, pond_bar, problem_bar, drive_bar = pull(bars)
    return adjoint, pond_bar, (problem_bar, drive_bar)


def _through_surface(problem, drive, flux, pond, step, pond_bar, rates: Rates) -> Array:
    """Cotangent of the surface flux, from the pond, the runoff and the infiltration."""
    _, pull = jax.vjp(lambda q: problem.top.settle(q, pond, step, drive), flux)
    return pull((pond_bar, rates.runoff))[0] + rates.infiltration


def _fields(amounts: Exchange):
    return amounts.infiltration, amounts.runoff, amounts.drainage, amounts.uptake
