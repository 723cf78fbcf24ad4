"""Bookkeeping of one implicit stage: where its water went, and the two schemes built on it.

A scheme is a chain of equal implicit stages, W' = R + a·f(ψ'), with a = weight·Δt:

* backward Euler: one stage, weight 1, first order;
* SDIRK2 (Alexander 1977): two stages, weight γ = 1 − 1/√2; second order, L-stable, stiffly
  accurate. The second starts from R = W + κ·(W' − W), κ = (1 − γ)/γ, which carries the first
  stage's rates without storing them.

Amounts are sums of rate × weight × Δt over stages, so water in = water out for any scheme.
"""

from typing import NamedTuple

import jax.numpy as jnp

from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards.newton import Sweep
from diffhydro.soil.richards.problem import Problem
from diffhydro.typing import Array


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


def conclude(problem: Problem, drive: Drive, sweep: Sweep, pond: Array, step: Array) -> Outcome:
    """Balance water and pond with the linearised fluxes of the last sweep."""
    face, sink = sweep.exchange()
    net = face[:-1] - face[1:]
    uptake = jnp.zeros_like(pond)
    if sink is not None:
        net = net - sink
        uptake = jnp.sum(sink, axis=0)
    pond, runoff = problem.top.settle(face[0], pond, step, drive)
    rates = Rates(face[0], runoff, face[-1], uptake)
    return Outcome(step[None] * net, pond, rates)
