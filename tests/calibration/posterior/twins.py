"""Worlds whose parameters, and whose errors of measurement, are known."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration import Calibration, Fitted, Near, Target
from diffhydro.calibration.posterior import laplace
from diffhydro.calibration.search import CONVERGED
from diffhydro.core.bijections import LINEAR
from diffhydro.core.parameters import parameter
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel
from diffhydro.land.trajectory import Fluxes
from diffhydro.training.likelihood import Gaussian
from diffhydro.typing import Array, Float

SPREAD = 0.7  # of the normal prior of both shares
SIGMA, MEMORY = 0.4, 0.6
NORMAL, KNOWN = Near(SPREAD), Gaussian(sigma=SIGMA, memory=MEMORY)


class TwoShares(AbstractModel):
    """Runoff is a share of the rain and a share of the evaporation: linear in its parameters."""

    rain: Float[Array, ""] = parameter(
        unit="-", bounds=(None, None), scale=LINEAR, default=0.0, description="share of rain"
    )
    air: Float[Array, ""] = parameter(
        unit="-", bounds=(None, None), scale=LINEAR, default=0.0, description="share of demand"
    )
    more: Float[Array, ""] = parameter(
        unit="-", bounds=(-2.0, 2.0), scale=LINEAR, default=0.0, description="adds to that of rain"
    )
    idle: Float[Array, ""] = parameter(
        unit="-", bounds=(2.0, 6.0), scale=LINEAR, default=3.0, description="does nothing"
    )

    @property
    def needs(self):
        return ("precipitation", "potential_evaporation")

    def init_state(self):
        return jnp.zeros_like(self.rain)

    def prepare(self):
        def step(state, now):
            none = jnp.zeros_like(state)
            rain = now.precipitation
            out = (self.rain + self.more) * rain + self.air * now.potential_evaporation
            return state, Fluxes(rain, none, out + 0.0 * self.idle, none, none, none)

        return step

    def stores(self, state):
        return {}

    def profile(self, states):
        return None


def runoff(run):
    return run.fluxes.runoff


def weather(sites: int, days: int, seed: int) -> Forcing:
    draw = np.random.default_rng(seed)
    rain = draw.gamma(0.6, 2.0, (sites, days)) * (draw.random((sites, days)) < 0.4)
    demand = 3.0 + 2.0 * np.sin(np.arange(days) / 58.0) + draw.normal(0.0, 0.3, (sites, days))
    warmth = 12.0 + 8.0 * np.sin(np.arange(days) / 58.0) + draw.normal(0.0, 2.0, (sites, days))
    return Forcing(rain, np.maximum(demand, 0.0), temperature=warmth)


def lasting(shape, seed: int, sigma: float = SIGMA, memory: float = MEMORY) -> np.ndarray:
    """Draw AR(1) errors."""
    fresh = np.random.default_rng(seed).normal(size=shape)
    out = fresh.copy()
    for day in range(1, shape[1]):
        out[:, day] = memory * out[:, day - 1] + (1 - memory**2) ** 0.5 * fresh[:, day]
    return sigma * out


class Twin:
    """A linear world, of which the first days are for calibration."""

    def __init__(self, sites: int = 40, days: int = 240, used: int = 120) -> None:
        self.forcing = weather(sites, days, seed=0)
        self.truth = SPREAD * np.random.default_rng(1).normal(size=(sites, 2))
        series = [np.asarray(x) for x in (self.forcing.precipitation,)]
        series.append(np.asarray(self.forcing.potential_evaporation))
        self.true_runoff = np.einsum("sk,kst->st", self.truth, np.stack(series))
        self.measured = self.true_runoff + lasting((sites, days), seed=2)
        self.seen = self.measured.copy()
        self.seen[:, used:] = np.nan
        self.seen[np.random.default_rng(3).random(self.seen.shape) < 0.2] = np.nan

    def problem(self, train=("rain", "air"), prior=NORMAL, loss=KNOWN, seen=None):
        seen = self.seen if seen is None else seen
        targets = [Target("runoff", runoff, jnp.asarray(seen), loss)]
        return Calibration(TwoShares(), self.forcing, targets, list(train), prior=prior)


@cache
def twin() -> Twin:
    return Twin()


def unfitted(problem) -> Fitted:
    """Return a fit that has not begun: from there `laplace` finds a linear model's mode itself."""
    z = np.asarray(problem.before())[:, None]
    none = np.zeros(z.shape[:2], int)
    course = np.zeros((*z.shape[:2], 1))
    return Fitted(problem, z, none + 0.0, none + CONVERGED, none, course, {})


@cache
def posterior():
    """Return Laplace's posterior of the linear twin."""
    return laplace(unfitted(twin().problem()))


def hessian(problem, z: np.ndarray) -> np.ndarray:
    """Return the exact second derivative of the losses of the first sites."""

    def loss(z, site):
        return problem.loss(z[None], site[None])[0]

    found = jax.jit(jax.vmap(jax.hessian(loss)))(jnp.asarray(z), jnp.arange(len(z)))
    return np.asarray(found)
