"""Functions and a model whose sensitivities are known."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from diffhydro.core.bijections import LOG
from diffhydro.core.parameters import parameter
from diffhydro.evaluation.sensitivity import Response
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel
from diffhydro.land.trajectory import Fluxes

A, B = 7.0, 0.1  # of Ishigami & Homma 1990
_WAVES, _BEND = A**2 / 8.0, B * np.pi**4 / 5.0
_TOGETHER = 8.0 * B**2 * np.pi**8 / 225.0
ISHIGAMI_VARIANCE = _WAVES + 0.5 * (1.0 + _BEND) ** 2 + _TOGETHER
ISHIGAMI_FIRST = np.asarray([0.5 * (1.0 + _BEND) ** 2, _WAVES, 0.0]) / ISHIGAMI_VARIANCE
ISHIGAMI_TOTAL = ISHIGAMI_FIRST + np.asarray([_TOGETHER, 0.0, _TOGETHER]) / ISHIGAMI_VARIANCE
# E[(∂f/∂u)²], with x = π(2u − 1), integrated by hand.
ISHIGAMI_NU = (2.0 * np.pi) ** 2 * np.asarray(
    [
        0.5 * (1.0 + 2.0 * _BEND + B**2 * np.pi**8 / 9.0),
        0.5 * A**2,
        8.0 * B**2 * np.pi**6 / 7.0,
    ]
)

SLOPES = np.asarray([1.0, -2.0, 0.5])
LINEAR_SHARES = SLOPES**2 / np.sum(SLOPES**2)


def _ishigami(u):
    x = np.pi * (2.0 * u - 1.0)
    return jnp.sin(x[0]) + A * jnp.sin(x[1]) ** 2 + B * x[2] ** 4 * jnp.sin(x[0])


def ishigami(columns: int | None = None) -> Response:
    return Response(("x1", "x2", "x3"), _ishigami, columns)


def _linear(u):
    return jnp.sum(jnp.asarray(SLOPES, dtype=u.dtype) * u) + 3.0


def linear(columns: int | None = None) -> Response:
    return Response(("a", "b", "c"), _linear, columns)


def constant() -> Response:
    return Response(("a", "b"), lambda u: 0.0 * jnp.sum(u) + 4.0, None)


class Power(AbstractModel):
    """runoff = gain^1.7 · shares₀² · shares₁^−0.5 · rain + shift"""

    gain: Any = parameter(unit="-", bounds=(0.01, 100.0), scale=LOG, description="", default=2.0)
    shares: Any = parameter(unit="-", bounds=(0.0, 5.0), description="", default=(1.5, 0.4))
    shift: Any = parameter(unit="mm", bounds=(None, None), description="", default=0.0)
    hidden: Any = parameter(unit="-", bounds=(0.0, 1.0), description="", default=0.5, fixed=True)

    @property
    def needs(self) -> tuple[str, ...]:
        return ("precipitation",)

    def init_state(self):
        return jnp.zeros_like(self.gain)

    def prepare(self) -> Callable:
        rate = self.gain**1.7 * self.shares[0] ** 2 * self.shares[1] ** -0.5

        def step(state, now):
            none = jnp.zeros_like(rate)
            runoff = rate * now.precipitation.astype(rate.dtype) + self.shift
            return state, Fluxes(runoff, none, runoff, none, none, none)

        return step

    def stores(self, state):
        return {"nothing": state}

    def profile(self, states):
        return None


RAIN = (3.0, 0.0, 12.0, 1.0)


def rainy() -> Forcing:
    return Forcing(RAIN)


def runoff(run):
    return run.fluxes.runoff


def total(run):
    return run.fluxes.runoff.sum()
