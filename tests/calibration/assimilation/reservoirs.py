"""A linear model with a known answer: two reservoirs, and Kalman's equations for them."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from diffhydro.core.parameters import parameter
from diffhydro.land.model import AbstractModel
from diffhydro.land.trajectory import Fluxes
from diffhydro.typing import Array


class Stores(NamedTuple):
    upper: Array
    lower: Array


class Reservoirs(AbstractModel):
    """u ← (1 − a) u + P − E,  l ← (1 − b) l + a u,  outflow b l; stores may be negative."""

    a: Array = parameter(unit="1/day", bounds=(0.01, 0.9), default=0.3, description="upper")
    b: Array = parameter(unit="1/day", bounds=(0.01, 0.9), default=0.1, description="lower")

    @property
    def needs(self):
        return ("precipitation", "potential_evaporation")

    def init_state(self):
        return Stores(jnp.full_like(self.a, 20.0), jnp.full_like(self.a, 50.0))

    def prepare(self):
        def step(state, now):
            down, out = self.a * state.upper, self.b * state.lower
            rain, lost = (now.step * x for x in (now.precipitation, now.potential_evaporation))
            none = jnp.zeros_like(out)
            after = Stores(state.upper - down + rain - lost, state.lower - out + down)
            return after, Fluxes(
                precipitation=rain,
                infiltration=rain - lost,
                runoff=out,
                evaporation=lost,
                transpiration=none,
                drainage=none,
            )

        return step

    def stores(self, state):
        return {"upper": state.upper, "lower": state.lower}

    def profile(self, states):
        return None


def upper(run):
    return run.states.upper


def lower(run):
    return run.states.lower


def propagator(model):
    a, b = float(model.a), float(model.b)
    return np.array([[1.0 - a, 0.0], [a, 1.0 - b]])


def kalman_filter(model, forcing, mean, covariance, noise, observed, errors):
    """Filter; `observed` is [time, 2] of both stores, NaN where there is nothing.

    Returns:
        Means [time, 2] and covariances [time, 2, 2] after the analysis of each day.
    """
    step, means, covariances = propagator(model), [], []
    for day in range(forcing.length):
        gain = float(forcing.precipitation[day] - forcing.potential_evaporation[day])
        mean = step @ mean + np.array([gain, 0.0])
        covariance = step @ covariance @ step.T + noise
        known = ~np.isnan(observed[day])
        if known.any():
            h = np.eye(2)[known]
            r = np.diag(errors[known] ** 2)
            k = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + r)
            mean = mean + k @ (observed[day][known] - h @ mean)
            covariance = (np.eye(2) - k @ h) @ covariance
        means.append(mean)
        covariances.append(covariance)
    return np.array(means), np.array(covariances)


def best_estimate(model, forcing, mean, covariance, observed, errors):
    """Best linear unbiased estimate of the initial stores from a window, and its covariance.

    x = x_b + B Gᵀ (G B Gᵀ + R)⁻¹ (y − G x_b − w), G the stores of each day by the initial ones.
    """
    step, power, free = propagator(model), np.eye(2), np.zeros(2)
    rows, misses, variances = [], [], []
    for day in range(forcing.length):
        gain = float(forcing.precipitation[day] - forcing.potential_evaporation[day])
        power, free = step @ power, step @ free + np.array([gain, 0.0])
        for i in np.flatnonzero(~np.isnan(observed[day])):
            rows.append(power[i])
            misses.append(observed[day][i] - free[i])
            variances.append(errors[i] ** 2)
    g, y, r = np.array(rows), np.array(misses), np.diag(variances)
    k = covariance @ g.T @ np.linalg.inv(g @ covariance @ g.T + r)
    return mean + k @ (y - g @ mean), (np.eye(2) - k @ g) @ covariance
