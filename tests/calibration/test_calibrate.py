"""Twins: parameters that observations were made with are found again."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import (
    Calibration,
    Lbfgs,
    LevenbergMarquardt,
    Target,
    calibrate,
)
from diffhydro.calibration.fitted import correlation
from diffhydro.calibration.starts import places
from diffhydro.core.trainable import put
from diffhydro.errors import InputError
from diffhydro.land.hbv import Hbv
from diffhydro.land.observe import probe
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil.pedotransfer import cosby
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import KlingGupta
from tests.calibration.models import Shares, by_hand, runoff, twin, weather
from tests.land.climates import Climate
from tests.land.climates import weather as climate

TRUTH = {
    "field_capacity": np.array([180.0, 320.0]),
    "beta": np.array([1.6, 3.0]),
    "k1": np.array([0.2, 0.06]),
    "percolation": np.array([1.0, 1.8]),
    "k2": np.array([0.02, 0.06]),
}
NOISE = 0.3  # mm/day


def by_site(series):
    return jax.tree.map(lambda *x: jnp.asarray(np.stack(x)), *series)


@cache
def rivers(noise):
    """Two climates over 500 days, observed with some noise."""
    forcing = by_site([climate(Climate(warmth=w), 500, seed=i) for i, w in enumerate((4.0, 10.0))])
    model = put(Hbv(), {path: jnp.asarray(x) for path, x in TRUTH.items()})
    flow = np.asarray(model.simulate(forcing, by_site=list(TRUTH)).fluxes.runoff)
    observed = flow + noise * np.random.default_rng(0).normal(size=flow.shape)
    return Calibration(Hbv(), forcing, [Target("runoff", runoff, observed)], list(TRUTH))


@cache
def fitted(noise):
    return calibrate(rivers(noise), starts=6, key=jax.random.key(1))


loss_of = eqx.filter_jit(Calibration.loss)


def loss_at(problem, values):
    z = jax.vmap(problem.coordinates.free)({path: jnp.asarray(x) for path, x in values.items()})
    return np.asarray(loss_of(problem, z, jnp.arange(problem.sites)))


@pytest.mark.exhaustive
@pytest.mark.slow
def test_without_noise_the_truth_is_found_again():
    found = fitted(0.0)
    np.testing.assert_allclose(found.values, np.stack([*TRUTH.values()], axis=1), rtol=1e-6)
    assert (found.on_bound == 0).all()
    assert found.is_fitted.all()
    # From more places than the one that is nearest.
    assert ((found.loss < 1e-12).sum(axis=1) > 1).all()


@pytest.mark.exhaustive
@pytest.mark.slow
def test_with_noise_no_fit_is_worse_than_the_truth():
    found = fitted(NOISE)
    assert (found.best_loss <= loss_at(rivers(NOISE), TRUTH)).all()
    # The mean square of 500 differences with 5 numbers fitted, three standard deviations wide.
    expected = NOISE**2 * (1.0 - 5 / 500)
    np.testing.assert_allclose(found.best_loss, expected, rtol=3.0 * (2.0 / 500) ** 0.5)


@pytest.mark.slow
def test_what_was_found_is_told_in_every_form():
    found = fitted(NOISE)
    names = list(TRUTH)
    assert found.names == tuple(names)
    for site in range(2):
        one = found.site_model(site)
        values = [float(getattr(one, name)) for name in names]
        np.testing.assert_allclose(values, found.values[site], rtol=1e-12)
        assert float(one.k0) == float(Hbv().k0)
    model, paths = found.model()
    assert set(paths) == set(names)
    flow = model.simulate(found.problem.forcing, by_site=paths).fluxes.runoff
    series = eqx.filter_jit(found.problem.simulate)(jnp.asarray(found.best_z), jnp.arange(2))
    np.testing.assert_allclose(flow, series[0], rtol=1e-9, atol=1e-12)
    square = np.nanmean((flow - found.problem.targets[0].observed) ** 2, axis=1)
    np.testing.assert_allclose(square, found.best_loss, rtol=1e-10)
    assert ((found.positions > 0) & (found.positions < 1)).all()


@pytest.mark.slow
def test_curvatures_and_correlations_of_every_site():
    found = fitted(NOISE)
    bend = found.curvature()
    alike = correlation(bend)
    inverse = np.linalg.inv(bend)
    root = np.sqrt(np.einsum("sii->si", inverse))
    expected = inverse / root[:, :, None] / root[:, None]
    np.testing.assert_allclose(alike, expected, rtol=1e-6, atol=1e-9)


def test_what_is_not_felt_has_no_correlation():
    bend = np.array([[[2.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 2.0]], np.full((3, 3), np.nan)])
    found = correlation(bend)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[0, 1]).all()
    np.testing.assert_allclose(found[0, 0, 2], -0.5)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_sigma_and_memory_are_found_from_everywhere():
    """Errors of AR(1); the memory starts on its bound, and so does one of the three sigmas."""
    sites, days, sigma, memory = 3, 300, 0.4, 0.7
    forcing = weather(sites, days)
    fresh = np.random.default_rng(3).normal(size=(sites, days))
    errors = fresh.copy()
    for day in range(1, days):
        errors[:, day] = memory * errors[:, day - 1] + (1 - memory**2) ** 0.5 * fresh[:, day]
    seen = by_hand(forcing, 0.4, 0.3, (0.2, 0.1), 1.0) + sigma * errors
    train = ["rain", "air", "errors.runoff.sigma", "errors.runoff.memory"]
    own = {"errors.runoff.sigma": [0.05, 0.4, 100.0]}
    targets = [Target("runoff", runoff, seen, Gaussian())]
    problem = Calibration(Shares(), forcing, targets, train, own=own)
    found = calibrate(problem)
    assert found.is_fitted.all()
    gradient = eqx.filter_jit(Calibration.gradient)
    _, slope = gradient(problem, jnp.asarray(found.best_z), jnp.arange(sites))
    # What a Newton step would gain: a search stops below 1e-4 of a loss of about 40.
    bend = np.einsum("sii->si", found.curvature())
    assert (np.asarray(slope) ** 2 / bend < 0.01).all()
    np.testing.assert_allclose(found.values[:, 2], sigma, rtol=0.25)
    np.testing.assert_allclose(found.values[:, 3], memory, atol=0.12)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_kling_gupta_is_brought_down_where_there_are_no_residuals():
    forcing = weather(2)
    truth = {"rain": np.array([0.3, 0.6]), "air": np.array([0.2, 0.9])}
    flow = by_hand(forcing, *truth.values(), (0.2, 0.1), 1.0)
    seen = flow + np.random.default_rng(0).normal(0.0, 0.3, flow.shape)
    targets = [Target("runoff", runoff, seen, KlingGupta())]
    problem = Calibration(Shares(), forcing, targets, list(truth))
    found = calibrate(problem, Lbfgs())
    assert (found.best_loss < loss_at(problem, truth)).all()
    np.testing.assert_allclose(found.values, np.stack([*truth.values()], axis=1), rtol=0.2)


@pytest.mark.slow
def test_searches_start_where_the_model_was_and_anywhere_else():
    problem = twin(sites=4, own={"rain": [0.3, 0.4, 0.0, 1.0]})
    found = np.asarray(places(problem, 50, jax.random.key(3)))
    assert found.shape == (4, 50, 2)
    np.testing.assert_array_equal(found[:2, 0], problem.before()[:2])
    values = problem.coordinates.table(found)
    # Not on a bound, where there is no slope.
    np.testing.assert_allclose(values[2:, 0, 0], [0.01, 0.99], rtol=1e-9)
    assert values[..., 0].min() > 0.009
    assert values[:, 1:, 0].min() < 0.1
    assert values[:, 1:, 0].max() > 0.9
    again = places(problem, 50, jax.random.key(3))
    np.testing.assert_array_equal(found, again)
    assert not np.array_equal(found, places(problem, 50, jax.random.key(4)))
    some = places(problem.of_sites([3, 1]), 50, jax.random.key(3))
    np.testing.assert_array_equal(some, found[[3, 1]])
    with pytest.raises(InputError, match="starts is 0"):
        places(problem, 0, None)


@pytest.mark.slow
def test_the_water_balance_finds_its_own_soil_again():
    names = ("upland.soil.theta_s", "upland.soil.b", "upland.soil.k_sat")
    model = WaterBalance(upland=Upland(soil=cosby(sand=43.0, clay=18.0)))
    forcing = by_site([climate(Climate(), 150, seed=0)])
    truth = {name: jnp.asarray([x]) for name, x in zip(names, (0.5, 4.0, 150.0), strict=True)}

    def surface(run):
        return probe(run, depth=50.0)

    theta = surface(put(model, truth).simulate(forcing, by_site=names))
    problem = Calibration(model, forcing, [Target("theta", surface, theta)], names)
    found = calibrate(problem, LevenbergMarquardt(most=12))
    assert found.best_loss[0] < 1e-3 * found.course[0, 0, 0]
    np.testing.assert_allclose(found.values[0, 0], 0.5, rtol=0.02)
