"""Bookkeeping of one implicit stage: where its water went, and the two schemes built on it.

A scheme is a chain of equal implicit stages, W' = R + a·f(ψ'), with a = weight·Δt:

* backward Euler: one stage, weight 1, first order;
* SDIRK2 (Alexander 1977): two stages, weight γ = 1 − 1/√2; second order, L-stable, stiffly
  accurate. The second starts from R = W + κ·(W' − W), κ = (1 − γ)/γ, which carries the first
  stage's rates without storing them.

Amounts are sums of rate × weight × Δt over stages, so water in = water out for any scheme.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from diffhydro.core.tally import Tally
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards import flows as flow
from diffhydro.soil.richards.newton import Sweep, every_node, improve
from diffhydro.soil.richards.problem import Ends, Mesh, Problem
from diffhydro.typing import Array

_SANE = 0.05  # m3/m3 beyond what the pores can hold or lose
_HIGHEST = 1e6  # mm: no pressure head is larger


class Scheme(NamedTuple):
    """Weights of the stages; `carry` is κ."""

    name: str
    order: int
    implicit: float
    explicit: tuple[float, ...]  # share of Δt that each stage's rates have in the step

    @property
    def carry(self) -> float:
        """How far the second stage starts beyond the result of the first."""
        return (1.0 - self.implicit) / self.implicit


_GAMMA = 1.0 - 2.0**-0.5
BACKWARD_EULER = Scheme("backward Euler", 1, 1.0, (1.0,))
SDIRK2 = Scheme("SDIRK2", 2, _GAMMA, (1.0 - _GAMMA, _GAMMA))


class Rates(NamedTuple):
    """Exchange of the column with the outside, mm/day."""

    infiltration: Array
    runoff: Array
    drainage: Array
    uptake: Array


class Outcome(NamedTuple):
    """What a finished stage leaves."""

    gain: Array  # of every node, beyond the R it started from
    pond: Array
    rates: Rates


class Result(NamedTuple):
    """What a converged stage says about its water, as functions of its heads."""

    stored: Array
    net: Array  # rate of every node
    pond: Array  # at the end
    rates: Rates


def result(
    mesh: Mesh, problem: Problem, drive: Drive, psi: Array, pond: Array, step: Array
) -> tuple[Result, flow.Flows]:
    """Return what both derivatives of an interval differentiate, and the Jacobian beside it.

    The residual in these flows is none: neither the results nor the Jacobian depend on R.
    """
    held = flow.held(problem, drive)
    here = flow.evaluate(mesh, problem, drive, held, psi, jnp.zeros_like(psi), pond, step)
    net = here.face[:-1] - here.face[1:]
    uptake = jnp.zeros_like(pond)
    if here.sink is not None:
        net = net - here.sink
        uptake = jnp.sum(here.sink, axis=0)
    end, runoff = problem.top.settle(here.face[0], pond, step, drive)
    return Result(here.stored, net, end, Rates(here.face[0], runoff, here.face[-1], uptake)), here


class Stage(NamedTuple):
    """One implicit stage, as far as it is known before it is solved."""

    mesh: Mesh
    problem: Problem
    drive: Drive
    held: tuple
    limits: Ends
    start: Array  # heads at the start of the step
    stored: Array  # water at the start of the step
    carried: Array  # R beyond that water
    pond: Array
    step: Array  # a

    def base(self, tolerance: float) -> Array:
        """Return the R to solve for, once per stage: without what nodes may hold too much."""
        extra = flow.overfull(
            self.mesh, self.problem, self.limits, self.start, self.stored, 10.0 * tolerance
        )
        return self.stored - extra + self.carried

    def improve(self, psi: Tally, base: Array, tolerance: float, rough: float | None) -> Sweep:
        """Take one Newton step from `psi`."""
        here = flow.evaluate(
            self.mesh,
            self.problem,
            self.drive,
            self.held,
            psi.value,
            base,
            self.pond,
            self.step,
            psi.crumbs,
        )
        return improve(here, psi, self.limits, self.mesh.scale, tolerance, rough)

    def conclude(self, sweep: Sweep) -> Outcome:
        """Balance water and pond with the linearised fluxes of the last sweep."""
        face, sink = sweep.exchange()
        net = face[:-1] - face[1:]
        uptake = jnp.zeros_like(self.pond)
        if sink is not None:
            net = net - sink
            uptake = jnp.sum(sink, axis=0)
        pond, runoff = self.problem.top.settle(face[0], self.pond, self.step, self.drive)
        rates = Rates(face[0], runoff, face[-1], uptake)
        return Outcome(self.step[None] * net, pond, rates)

    def is_sane(self, sweep: Sweep, end: Outcome) -> Array:
        """Tell whether all nodes end within what their pores can hold, at heads that exist.

        Asked of every stage, also of those that converged: where slopes are steep enough, rounding
        alone excuses any residual.
        """
        reached = self.stored + self.carried + end.gain
        margin = _SANE * self.mesh.scale
        pressed = self.problem.specific_storage[None] * self.mesh.volume * _HIGHEST
        sane = (reached > self.limits.least - margin) & (
            reached < self.limits.most + pressed + margin
        )
        # Suctions have no limit: in single precision a dry sand holds θ_r at any.
        sane &= (sweep.psi.value < _HIGHEST) & jnp.isfinite(sweep.psi.value)
        return every_node(sane, reached.dtype)  # NaN is not sane

    def or_stand_still(self, still: Array, sweep: Sweep, end: Outcome) -> tuple[Outcome, Tally]:
        """Where told so, let no water move.

        Conserves water, is flagged with the step, and keeps one bad moment from spoiling the run.
        """
        nothing = jnp.zeros_like(self.step)
        pond, runoff = self.problem.top.settle(nothing, self.pond, self.step, self.drive)
        rest = Outcome(jnp.zeros_like(end.gain), pond, Rates(nothing, runoff, nothing, nothing))
        return choose(still, (rest, Tally.of(self.start)), (end, sweep.psi))


def choose(which: Array, x: Any, y: Any) -> Any:
    """Choose per column between two trees, whose arrays may have a node axis or not."""
    return jax.tree.map(
        lambda a, b: jnp.where(which if a.ndim == which.ndim else which[None], a, b), x, y
    )
