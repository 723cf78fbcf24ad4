"""Models and worlds whose best parameters are known."""

import jax.numpy as jnp
import numpy as np

from diffhydro.calibration import Calibration, Target
from diffhydro.core.bijections import LOG
from diffhydro.core.parameters import parameter
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel
from diffhydro.land.trajectory import Fluxes
from diffhydro.typing import Array, Float


class Shares(AbstractModel):
    """Runoff is a share of the rain of this day and of two before, and a part of the evaporation.

    Linear in its parameters, and no number where it freezes.
    """

    rain: Float[Array, ""] = parameter(
        unit="-", bounds=(0.0, 1.0), default=0.5, description="share of the rain"
    )
    air: Float[Array, ""] = parameter(
        unit="-", bounds=(0.01, 10.0), scale=LOG, default=0.3, description="share of the demand"
    )
    later: Float[Array, " lag"] = parameter(
        unit="-", bounds=(0.0, 1.0), default=(0.2, 0.1), description="shares of the days before"
    )
    idle: Float[Array, ""] = parameter(
        unit="mm", bounds=(2.0, 6.0), default=3.0, description="does nothing"
    )
    base: Float[Array, ""] = parameter(
        unit="mm/day", bounds=(0.0, 5.0), default=1.0, fixed=True, description="always flows"
    )

    @property
    def needs(self):
        return ("precipitation", "potential_evaporation", "temperature")

    def init_state(self):
        return jnp.zeros_like(self.later)

    def prepare(self):
        def step(before, now):
            late = jnp.sum(self.later * before)
            out = self.rain * now.precipitation + self.air * now.potential_evaporation
            # The root of what is always one, or of something below zero.
            out = (out + late + self.base + 0.0 * self.idle) * jnp.sqrt(
                jnp.clip(now.temperature, -1.0, 1.0)
            )
            none = jnp.zeros_like(out)
            after = jnp.concatenate([now.precipitation[None], before[:1]])
            return after, Fluxes(now.precipitation, none, out, none, none, none)

        return step

    def stores(self, state):
        return {}

    def profile(self, states):
        return None


class Line(AbstractModel):
    """Runoff is a sum of rain and demand; without bounds a parameter is its own free number."""

    rain: Float[Array, ""] = parameter(
        unit="-", bounds=(None, None), default=0.0, description="share of the rain"
    )
    air: Float[Array, ""] = parameter(
        unit="-", bounds=(None, None), default=0.0, description="share of the demand"
    )

    @property
    def needs(self):
        return ("precipitation", "potential_evaporation")

    def init_state(self):
        return jnp.zeros_like(self.rain)

    def prepare(self):
        def step(state, now):
            out = self.rain * now.precipitation + self.air * now.potential_evaporation
            none = jnp.zeros_like(out)
            return state, Fluxes(now.precipitation, none, out, none, none, none)

        return step

    def stores(self, state):
        return {}

    def profile(self, states):
        return None


def runoff(run):
    return run.fluxes.runoff


def demand(run):
    return run.fluxes.runoff - 0.2 * run.fluxes.precipitation


def weather(sites=3, days=40, seed=0, dtype=np.float64) -> Forcing:
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random((sites, days)) < 0.4, rng.gamma(0.8, 5.0, (sites, days)), 0.0)
    series = (rain, rng.uniform(1.0, 5.0, rain.shape), rng.uniform(5.0, 25.0, rain.shape))
    rain, air, warmth = (x.astype(dtype) for x in series)
    return Forcing(rain, air, temperature=warmth)


def by_hand(forcing: Forcing, rain, air, later=(0.0, 0.0), base=0.0) -> np.ndarray:
    """Give the runoff of `Shares` `[site, time]`; parameters are numbers, or one for each site."""
    shares = [np.broadcast_to(x, len(forcing.precipitation))[:, None] for x in (rain, air, *later)]
    falls = np.asarray(forcing.precipitation)
    lagged = [np.pad(falls, ((0, 0), (lag, 0)))[:, : falls.shape[1]] for lag in (1, 2)]
    series = (falls, np.asarray(forcing.potential_evaporation), *lagged)
    return base + sum(share * one for share, one in zip(shares, series, strict=True))


def gaps(observed: np.ndarray, share=0.25, seed=1) -> np.ndarray:
    """Leave some days out."""
    out = np.random.default_rng(seed).random(observed.shape) < share
    return np.where(out, np.nan, observed)


def twin(sites=3, noise=0.3, train=("rain", "air"), model=None, days=40, **more) -> Calibration:
    """Observations that the model made itself at every site with its own shares, and noise."""
    forcing = weather(sites, days)
    rng = np.random.default_rng(2)
    rain, air = rng.uniform(0.2, 0.8, sites), rng.uniform(0.1, 1.0, sites)
    truth = by_hand(forcing, rain, air, (0.2, 0.1), 1.0)
    observed = gaps(truth + noise * rng.normal(size=truth.shape))
    model = Shares() if model is None else model
    return Calibration(model, forcing, [Target("runoff", runoff, observed)], train, **more)
