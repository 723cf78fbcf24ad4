"""Twins: a truth that a model made, what probes saw of it, and a wrong start and rain."""

from functools import partial

import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.assimilation.observation import Observation
from diffhydro.calibration.assimilation.uncertainty import rained
from diffhydro.core.grids import Column
from diffhydro.land.forcing import Forcing
from diffhydro.land.observe import layer_mean
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.pedotransfer import cosby
from tests.land.climates import Climate, weather

LOAM = cosby(sand=43.0, clay=18.0)
RIGHT, WRONG = 0.7, 0.45  # saturation at the start
LOST = 0.8  # of the rain
NOISE = 0.01  # m³/m³, of the probes
PROBES = {
    "top": partial(layer_mean, top=0.0, bottom=50.0),
    "middle": partial(layer_mean, top=100.0, bottom=200.0),
    "deep": partial(layer_mean, top=500.0, bottom=1000.0),
}
HORIZONS = VanGenuchten(
    theta_r=[0.06, 0.09],
    theta_s=[0.42, 0.39],
    alpha=[0.003, 0.0012],
    n=[1.8, 1.6],
    k_sat=[120.0, 40.0],
)


def upland(saturation):
    return Upland(soil=LOAM, saturation=saturation)


def water_balance(saturation):
    return WaterBalance(upland=upland(saturation))


def column(**rest):
    """A Richards column of two horizons."""
    grid = Column([50.0, 100.0, 150.0, 300.0, 400.0], [0, 0, 1, 1, 1])
    return SoilColumn(grid=grid, soil=HORIZONS, **rest)


def upland_record(days=60, seed=5):
    """Two months of storms and a steady demand."""
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random(days) < 0.3, rng.exponential(10.0, days), 0.0)
    forcing = Forcing(rain, np.full(days, 1.0), transpiration=rng.uniform(2.0, 4.0, days))
    return _seen(upland(RIGHT), forcing, rng)


def water_balance_record(days=90, seed=5):
    """Three months from winter on, with snow."""
    forcing = weather(Climate(), days, seed)
    return _seen(water_balance(RIGHT), forcing, np.random.default_rng(seed), gaps=0.5)


def _seen(model, forcing, rng, gaps=0.0):
    truth = model.run(forcing)
    seen = []
    for name, probe in PROBES.items():
        values = np.asarray(probe(truth)) + NOISE * rng.standard_normal(forcing.length)
        values[rng.random(forcing.length) < gaps] = np.nan
        seen.append(Observation(name, probe, values, NOISE))
    return truth, rained(forcing, jnp.asarray(LOST)), seen


def rmse(run, truth):
    """Of soil moisture at all depths and times; of an ensemble, that of its mean."""
    theta = run.theta.mean(axis=0) if run.theta.ndim == 3 else run.theta
    return float(jnp.sqrt(jnp.mean((theta - truth.theta) ** 2)))
