"""Small changes through an interval: the recorded steps, walked forward.

For a converged stage F(ψ; R, p) = S(ψ, p) − R − a·f(ψ, p) = 0, with S the stored water and f the
net rates, a change of R and of everything else p moves the heads by

    J ψ̇ = Ṙ + a·f_p ṗ − S_p ṗ,

one tridiagonal solve per stage, and with them water, pond and amounts. The mirror of `adjoint.py`:
the iterations are never differentiated, and the lengths of the steps are constants. Under
`jax.vmap` over tangents alone the Jacobian is computed once for all of them.
"""

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core import tridiagonal
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards.problem import Mesh, Problem
from diffhydro.soil.richards.record import Steps, by_column
from diffhydro.soil.richards.stage import Rates, Scheme, choose, result
from diffhydro.soil.richards.state import Change, Exchange
from diffhydro.typing import Array

_Setting = tuple[Mesh, Problem, Drive]
_Push = tuple[Problem, Drive]


def push_ahead(
    mesh: Mesh,
    problem: Problem,
    drive: Drive,
    steps: Steps,
    scheme: Scheme,
    ahead: Change,
    push: _Push,
    *,
    uneven: bool,
) -> tuple[Change, Exchange]:
    """Return the tangents of the state after and of the amounts.

    Args:
        ahead: Tangents of the state before.
        push: Tangents of problem and drive, with as many columns as these.
        uneven: Some columns may have taken many more steps than others.
    """

    def walk(given, step, taken: Array):
        setting, ahead, push = given
        return _walk_ahead(setting, step, taken, scheme, ahead, push)

    ahead, amounts = by_column(steps, ((mesh, problem, drive), ahead, push), walk, uneven=uneven)
    return ahead, Exchange(*amounts)


def _walk_ahead(
    setting: _Setting, step, taken: Array, scheme: Scheme, ahead: Change, push: _Push
) -> tuple[Change, Rates]:
    """Pass all steps; `step` gives those of one number, with length 0 for who has none."""
    most = jnp.max(taken)

    def more(carry):
        return carry[0] < most

    def advance(carry):
        number, ahead, amounts = carry
        ahead, amounts = _step(setting, step(number), scheme, ahead, push, amounts)
        return number + 1, ahead, amounts

    none = jnp.zeros_like(ahead.pond)
    carry = jnp.zeros_like(most), ahead, Rates(none, none, none, none)
    return lax.while_loop(more, advance, carry)[1:]


def _step(
    setting: _Setting, one: Steps, scheme: Scheme, start: Change, push: _Push, amounts: Rates
) -> tuple[Change, Rates]:
    taken = one.length > 0
    length = jnp.where(taken, one.length, 1.0)
    step = scheme.implicit * length
    stages = len(scheme.explicit)
    shares = jnp.asarray(scheme.explicit, length.dtype)
    # R = W + κ(W' − W): the start of a step is reached through the stage before and directly.
    kappas = jnp.asarray([1.0] + [scheme.carry] * (stages - 1), length.dtype)

    def stage(number, carry):
        reached, amounts = carry
        kappa = kappas[number]
        base = start.stored + kappa * (reached.stored - start.stored)
        pond = start.pond + kappa * (reached.pond - start.pond)
        # A column without this step gets harmless numbers, and keeps what it had.
        psi = jnp.where(taken[None], one.psi[number], -1000.0)
        reached, rates = _stage(setting, psi, one.pond[number], step, base, pond, push)
        weight = shares[number] * length
        return reached, jax.tree.map(lambda t, r: t + weight * r, amounts, rates)

    # A loop rather than a repetition: half the program to compile.
    found = lax.fori_loop(0, stages, stage, (start, amounts))
    return choose(taken, found, (start, amounts))


def _stage(
    setting: _Setting,
    psi: Array,
    pond: Array,
    step: Array,
    base_dot: Array,
    pond_dot: Array,
    push: _Push,
) -> tuple[Change, Rates]:
    mesh, problem, drive = setting

    def forward(pond, problem, drive):
        return result(mesh, problem, drive, psi, pond, step)

    primals, tangents = (pond, problem, drive), (pond_dot, *push)
    _, held, here = jax.jvp(forward, primals, tangents, has_aux=True)  # ψ held
    right = base_dot + step[None] * held.net - held.stored
    psi_dot = tridiagonal.sweep(here.lower, here.diagonal, here.upper, right)

    top = here.from_below[0] * psi_dot[0]
    foot = here.from_above[-1] * psi_dot[-1]
    uptake = held.rates.uptake
    if here.sink_slope is not None:
        uptake = uptake + jnp.sum(here.sink_slope * psi_dot, axis=0)
    _, (more_pond, more_runoff) = jax.jvp(
        lambda q: problem.top.settle(q, pond, step, drive), (here.face[0],), (top,)
    )
    rates = Rates(
        held.rates.infiltration + top,
        held.rates.runoff + more_runoff,
        held.rates.drainage + foot,
        uptake,
    )
    return Change(psi_dot, held.stored + here.capacity * psi_dot, held.pond + more_pond), rates
