"""The filter: Kalman's where the answer is known, elsewhere within bounds and closed books."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.ensemble_kalman import EnsembleKalman
from diffhydro.calibration.assimilation.kalman import PerturbedObservations, SquareRoot
from diffhydro.calibration.assimilation.observation import Observation
from diffhydro.calibration.assimilation.perturbation import Factor, Perturbations, Shift
from diffhydro.calibration.assimilation.spreading import Inflation, RelaxToPrior
from diffhydro.calibration.assimilation.uncertainty import UncertainParameters, UncertainState
from diffhydro.core.ensembles import MAP, VMAP
from diffhydro.errors import InputError
from diffhydro.soil.redistribution import THETA_MIN
from tests.calibration.assimilation import linear, twin
from tests.calibration.assimilation.reservoirs import kalman_filter, upper

KEY = jax.random.key(11)
MEMBERS = 2000
NOISE = 1.5  # mm/day, of the demand: what makes the reservoirs' model err


def scheme_of(analysis, how=VMAP):
    return EnsembleKalman(
        MEMBERS,
        state=linear.STATE,
        weather=Perturbations(potential_evaporation=Shift(NOISE)),
        analysis=analysis,
        how=how,
    )


@cache
def filtered(analysis):
    forcing, observed = linear.record()
    seen = linear.observations(observed)
    found = scheme_of(analysis).filter(linear.MODEL, forcing, seen, key=KEY)
    means, covariances = kalman_filter(
        linear.MODEL,
        forcing,
        linear.MEAN,
        linear.COVARIANCE,
        np.diag([NOISE**2, 0.0]),
        observed,
        linear.ERRORS,
    )
    return found, means, covariances


@pytest.mark.slow
@pytest.mark.parametrize("analysis", [SquareRoot(), PerturbedObservations()])
def test_a_large_ensemble_is_kalmans_filter(analysis):
    """Mean and spread of every day, within four of their sampling errors."""
    found, means, covariances = filtered(analysis)
    stores = np.stack([found.run.states.upper, found.run.states.lower], axis=-1)
    spread = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    off = (stores.mean(axis=0) - means) / spread
    assert np.abs(off).max() < 4.0 / np.sqrt(MEMBERS)
    relative = stores.std(axis=0, ddof=1) / spread - 1.0
    assert np.abs(relative).max() < 4.0 / np.sqrt(2.0 * MEMBERS)


@pytest.mark.slow
def test_every_jump_of_a_store_is_in_the_books():
    found, _, _ = filtered(SquareRoot())
    assert np.abs(found.books.residual).max() < 1e-10
    known = ~np.isnan(np.asarray(found.innovations.values)).all(axis=0)
    jumped = np.abs(np.asarray(found.water["upper"])).max(axis=0) > 0
    np.testing.assert_array_equal(jumped, known)
    # A day without observations leaves what it had forecast, bit for bit.
    before, after = (np.asarray(x)[:, :, ~known] for x in (found.forecast, found.reports))
    np.testing.assert_array_equal(before, after)
    assert known.sum() < linear.DAYS


@pytest.mark.slow
@pytest.mark.exhaustive
def test_one_member_after_the_other_is_the_same_filter():
    forcing, observed = linear.record()
    seen = linear.observations(observed)
    found = scheme_of(SquareRoot(), MAP).filter(linear.MODEL, forcing, seen, key=KEY)
    for a, b in zip(found.run.states, filtered(SquareRoot())[0].run.states, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
def test_parameters_are_found_with_the_state_and_stay_in_their_bounds():
    forcing, _ = linear.record()
    forcing = jax.tree.map(lambda x: jnp.tile(x, 3), forcing)
    truth = eqx.tree_at(lambda m: m.a, linear.MODEL, jnp.asarray(0.5))
    run = truth.run(forcing)
    seen = [Observation("upper", upper, run.states.upper, 0.3)]
    scheme = EnsembleKalman(
        100,
        state=linear.STATE,
        parameters=UncertainParameters("a", spread=1.0),
        spreading=RelaxToPrior(0.3),
    )
    found = scheme.filter(linear.MODEL, forcing, seen, key=KEY)
    a = np.asarray(found.parameters["a"])
    assert a.shape == (100, forcing.length)
    assert a.min() >= 0.01
    assert a.max() <= 0.9
    assert abs(a[:, -1].mean() - 0.5) < 0.1 * abs(a[:, 0].mean() - 0.5) + 2.0 * a[:, -1].std()
    assert a[:, -1].std() > 0


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_twin_of_the_water_balance_comes_close_and_loses_no_water():
    truth, dry, seen = twin.water_balance_record()
    model = twin.water_balance(twin.WRONG)
    scheme = EnsembleKalman(
        32,
        state=[
            UncertainState("ground.upland.theta", spread=0.08, length=400.0),
            UncertainState("snow", spread=2.0),
        ],
        weather=Perturbations(precipitation=Factor(0.4, days=3.0), temperature=Shift(1.0, 2.0)),
        spreading=Inflation(1.05),
    )
    found = scheme.filter(model, dry, seen, key=KEY)
    open_loop = twin.rmse(model.run(dry), truth)
    assert twin.rmse(found.run, truth) < 0.25 * open_loop
    theta = np.asarray(found.run.states.ground.upland.theta)
    assert theta.min() >= THETA_MIN
    assert theta.max() <= float(model.upland.soil.theta_s)
    assert np.asarray(found.run.states.snow).min() >= 0.0
    assert np.abs(found.books.residual).max() < 1e-9
    assert np.mean(found.books.added["soil"]) > 50.0
    rain = found.run.fluxes.precipitation
    assert (np.asarray(rain)[:, np.asarray(dry.precipitation) == 0] == 0).all()
    for quality in found.innovations.quality().values():
        assert 30 < quality.number < 60
        assert 0.5 < quality.ratio < 1.5
        assert quality.ranks.sum() == quality.number


def test_bad_input_teaches():
    forcing, observed = linear.record()
    seen = linear.observations(observed)
    scheme = EnsembleKalman(10, state=linear.STATE)
    with pytest.raises(InputError, match="has no spread"):
        EnsembleKalman(1, state=linear.STATE)
    with pytest.raises(InputError, match="nothing is to be moved"):
        EnsembleKalman(10)
    with pytest.raises(InputError, match=r"give key=jax\.random\.key"):
        scheme.start(linear.MODEL)
    warm = EnsembleKalman(10, state=linear.STATE, weather=Perturbations(temperature=Shift(1.0)))
    with pytest.raises(InputError, match="the perturbation of the weather needs temperature"):
        warm.filter(linear.MODEL, forcing, seen, key=KEY)
    with pytest.raises(InputError, match="lie outside"):
        scheme.filter(linear.MODEL, forcing[:5], seen, key=KEY)
