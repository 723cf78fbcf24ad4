"""A record of the two reservoirs, observed with gaps, for all tests that know the answer."""

import numpy as np

from diffhydro.calibration.assimilation.observation import Observation
from diffhydro.calibration.assimilation.part import Amounts
from diffhydro.calibration.assimilation.uncertainty import UncertainState
from diffhydro.land.forcing import Forcing
from tests.calibration.assimilation.reservoirs import Reservoirs, lower, upper

DAYS = 20
MODEL = Reservoirs()
SPREADS = np.array([4.0, 9.0])
COVARIANCE = np.diag(SPREADS**2)
MEAN = np.array([20.0, 50.0])
ERRORS = np.array([1.5, 2.5])
STATE = (
    UncertainState(Amounts("upper"), spread=SPREADS[0]),
    UncertainState(Amounts("lower"), spread=SPREADS[1]),
)


def record(seed=3):
    """Draw weather, and observations of a truth that began elsewhere."""
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random(DAYS) < 0.4, rng.gamma(1.0, 8.0, DAYS), 0.0)
    forcing = Forcing(rain, np.full(DAYS, 1.0))
    start = MODEL.init_state()._replace(upper=26.0, lower=38.0)
    truth = MODEL.run(forcing, _arrays(start))
    series = np.stack([np.asarray(upper(truth)), np.asarray(lower(truth))], axis=1)
    observed = series + ERRORS * rng.standard_normal(series.shape)
    observed[rng.random(series.shape) < 0.4] = np.nan
    return forcing, observed


def _arrays(state):
    import jax.numpy as jnp

    return type(state)(*(jnp.asarray(x) for x in state))


def observations(observed):
    """Make them what assimilation takes."""
    return (
        Observation("upper", upper, observed[:, 0], ERRORS[0]),
        Observation("lower", lower, observed[:, 1], ERRORS[1]),
    )
