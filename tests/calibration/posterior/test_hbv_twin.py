"""A catchment model whose parameters are drawn from the prior, and found again."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import Calibration, Target, Uniform, calibrate
from diffhydro.calibration.posterior import (
    coverage,
    laplace,
    linear_bands,
    parameter_coverage,
    unseen,
)
from diffhydro.calibration.posterior.laplace import SETTLED
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Hbv
from diffhydro.training.likelihood import Gaussian
from tests.calibration.posterior.twins import lasting, runoff, weather

SITES, DAYS, USED = 64, 500, 300
# Parameters that switch nothing on or off: at a switch a posterior is not nearly normal.
TRAIN = ("beta", "field_capacity", "k2")


def _problem(forcing: Forcing, seen: np.ndarray) -> Calibration:
    target = Target("runoff", runoff, jnp.asarray(seen), Gaussian(sigma=0.3, memory=0.5))
    return Calibration(Hbv(), forcing, [target], TRAIN, prior=Uniform())


@pytest.mark.exhaustive
@pytest.mark.slow
def test_intervals_hold_the_truth_and_bands_what_was_held_out():
    dry = weather(SITES, DAYS, seed=5)
    forcing = Forcing(
        8.0 * dry.precipitation, 0.7 * dry.potential_evaporation, temperature=dry.temperature
    )
    blank = _problem(forcing, np.full((SITES, DAYS), np.nan))
    z = jax.random.logistic(jax.random.key(9), (SITES, len(TRAIN)))
    true = np.asarray(eqx.filter_jit(blank.simulate)(z, jnp.arange(SITES))[0])
    measured = true + lasting(true.shape, seed=7, sigma=0.3, memory=0.5)
    problem = _problem(forcing, np.where(np.arange(DAYS) < USED, measured, np.nan))

    found = laplace(calibrate(problem, SETTLED, starts=2, key=jax.random.key(1), lanes=SITES))
    truth = parameter_coverage(found, blank.coordinates.table(np.asarray(z)), (0.5, 0.9))
    # 192 intervals have a standard error of 0.022. Three worlds gave 0.88, 0.90 and 0.87: Laplace
    # is a little too sure here, where NUTS gave 0.92.
    assert truth.pooled[1] == pytest.approx(0.9, abs=0.05)
    held_out = unseen(problem, "runoff", measured)
    inside = coverage(linear_bands(found, levels=(0.5, 0.9))["runoff"], held_out)
    assert inside.pooled[1] == pytest.approx(0.9, abs=0.03)
    assert found.is_identified().mean() > 0.8
    assert np.median(found.distance) < 1e-3
