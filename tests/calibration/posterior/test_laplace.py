import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import Calibration, Near, Target
from diffhydro.calibration.posterior import laplace, parameter_coverage
from diffhydro.calibration.posterior.information import information
from diffhydro.calibration.posterior.laplace import factorise
from diffhydro.calibration.posterior.posterior import Posterior
from diffhydro.errors import InputError
from diffhydro.land.hbv import Hbv
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import KlingGupta, MeanSquare
from tests.calibration.posterior.twins import (
    MEMORY,
    SIGMA,
    SPREAD,
    hessian,
    posterior,
    runoff,
    twin,
    unfitted,
    weather,
)

EPS = float(np.finfo(np.float64).eps)


def _spd(sites: int, entries: int) -> np.ndarray:
    half = np.random.default_rng(0).normal(size=(sites, entries, entries))
    return half @ np.swapaxes(half, 1, 2)


def test_the_factors_are_of_the_inverse_of_data_and_prior():
    data, deviation = _spd(5, 4), np.array([[0.3, 1.0, 2.0, 9.0]] * 5)
    root, _ = factorise(data, deviation, EPS)
    prior = np.stack([np.diag(1.0 / d**2) for d in deviation])
    wanted = np.linalg.inv(data + prior)
    np.testing.assert_allclose(root @ np.swapaxes(root, 1, 2), wanted, rtol=1e-10, atol=1e-12)


def test_directions_that_data_do_not_feel_keep_the_prior():
    along = np.array([1.0, 1.0, 0.0])
    root, felt = factorise(1e12 * np.outer(along, along)[None], np.full((1, 3), 0.5), EPS)
    covariance = (root @ np.swapaxes(root, 1, 2))[0]
    assert (felt > 0).sum() == 1
    across = np.array([1.0, -1.0, 0.0]) / 2**0.5
    np.testing.assert_allclose(across @ covariance @ across, 0.25, rtol=1e-12)
    np.testing.assert_allclose(covariance[2], [0.0, 0.0, 0.25], atol=1e-12)


def test_rounding_is_no_information_and_no_curvature_is_negative():
    noise = np.diag([1e9, 1e-1, -1e-1])[None]
    root, _ = factorise(noise, np.ones((1, 3)), float(np.finfo(np.float32).eps))
    np.testing.assert_allclose((root**2).sum(axis=2)[0, 1:], 1.0, rtol=1e-12)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_covariance_is_the_inverse_hessian_of_a_linear_model():
    found = posterior()
    wanted = np.linalg.inv(hessian(found.problem, found.z))
    np.testing.assert_allclose(found.covariance, wanted, rtol=1e-9, atol=1e-14)
    assert found.distance.max() < 1e-4
    assert found.reasons == {}
    assert found.notes == ()


@pytest.mark.exhaustive
@pytest.mark.slow
def test_information_is_exact_of_errors_too():
    """Gauss–Newton would have half of what the data say of ln σ."""
    train = ("rain", "errors.runoff.sigma", "errors.runoff.memory", "air")
    problem = twin().problem(train=train, prior=None)
    z = np.asarray(problem.before())[:3] + np.random.default_rng(0).normal(size=(3, 4))
    found = information(problem, z, np.arange(3))
    exact = hessian(problem, z)
    np.testing.assert_allclose(found.curvature, exact, rtol=1e-9, atol=1e-9 * exact.max())


@pytest.mark.exhaustive
@pytest.mark.slow
def test_intervals_hold_the_truth_at_the_nominal_rate():
    found = parameter_coverage(posterior(), twin().truth, (0.5, 0.9))
    # 80 intervals: standard errors of 0.056 and 0.034, two of each.
    np.testing.assert_allclose(found.pooled, found.levels, atol=0.11)
    assert found.pooled[1] == pytest.approx(0.9, abs=0.07)


@pytest.mark.slow
def test_evidence_is_that_of_a_normal_law():
    """For a linear model ln p(o) is known: o ~ N(0, X S Xᵀ + C)."""
    found, world = posterior(), twin()
    for site in (0, 7):
        seen = np.flatnonzero(np.isfinite(world.seen[site]))
        rows = [world.forcing.precipitation, world.forcing.potential_evaporation]
        x = np.stack([np.asarray(r)[site] for r in rows], axis=1)[seen]
        lag = np.abs(seen[:, None] - seen[None])
        total = SPREAD**2 * x @ x.T + SIGMA**2 * MEMORY**lag
        o = world.seen[site, seen]
        _, logdet = np.linalg.slogdet(2.0 * np.pi * total)
        wanted = -0.5 * (logdet + o @ np.linalg.solve(total, o))
        assert found.log_evidence[site] == pytest.approx(wanted, rel=1e-8)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_without_a_prior_all_is_alike_and_what_is_not_felt_stays_so():
    """Of a parameter that does nothing, and at a site that nobody saw."""
    demand = np.asarray(twin().forcing.potential_evaporation)
    seen = twin().seen - twin().truth[:, 1:] * demand
    seen[3] = np.nan
    found = laplace(unfitted(twin().problem(train=("more", "idle"), prior=None, seen=seen)))
    assert any("Uniform" in note for note in found.notes)
    low, high = found.interval(0.9)
    # A normal law of the logistic one's deviation: its ends are off by less than 0.003.
    np.testing.assert_allclose((low[:, 1] - 2.0) / 4.0, 0.05, atol=0.003)
    np.testing.assert_allclose((high[:, 1] - 2.0) / 4.0, 0.95, atol=0.003)
    np.testing.assert_allclose(found.deviation[:, 1], np.pi / 3**0.5, rtol=1e-9)
    np.testing.assert_allclose(found.deviation[3], np.pi / 3**0.5, rtol=1e-9)
    assert not found.is_identified()[:, 1].any()
    assert found.is_identified()[4:, 0].all()
    assert list(found.reasons) == [3]
    assert "prior" in found.reasons[3]
    assert found.degrees[4:] == pytest.approx(1.0, abs=0.05)
    assert found.degrees[3] == pytest.approx(0.0, abs=1e-9)


def test_same_key_same_draws():
    one = _made()
    key = jax.random.key(4)
    np.testing.assert_array_equal(one.draw(5, key=key), one.draw(5, key=key))
    assert not (one.draw(5, key=key) == one.draw(5, key=jax.random.key(5))).any()
    drawn = one.draw(20_000, key=key)[:, 1] - one.z[1]
    # The standard error of a variance of 20 000 draws is 1 %.
    np.testing.assert_allclose(np.cov(drawn.T), one.covariance[1], rtol=0.05, atol=0.01)
    with pytest.raises(InputError, match="at least one"):
        one.draw(0, key=key)


def test_a_parameter_known_to_be_near_its_bound_is_identified():
    one = _made()
    wide = dataclasses.replace(one, z=np.array([[0.0, 6.0]] * 2), root=np.eye(2)[None].repeat(2, 0))
    assert wide.is_identified().tolist() == [[False, True]] * 2


def test_losses_that_are_no_likelihood_are_refused():
    for loss in (MeanSquare(), KlingGupta()):
        problem = twin().problem(loss=loss)
        with pytest.raises(InputError, match=r"runoff, \w+, is no likelihood.*with_likelihood"):
            laplace(unfitted(problem))


def test_no_observation_at_all_is_refused():
    problem = twin().problem(seen=np.full_like(twin().seen, np.nan))
    with pytest.raises(
        InputError, match="none of the 40 sites can be fitted: no observation of runoff"
    ):
        laplace(unfitted(problem))


def test_a_uniform_prior_needs_bounds():
    problem = twin().problem(prior=None)
    with pytest.raises(InputError, match=r"rain, air: without two bounds.*Near"):
        laplace(unfitted(problem))


def _made() -> Posterior:
    """Return a posterior of two bounded entries at two sites, without a fit."""
    target = Target("runoff", runoff, jnp.zeros((2, 3)), Gaussian())
    problem = Calibration(Hbv(), weather(2, 3, 0), [target], ["beta", "k1"], prior=Near())
    root = np.array([[[0.3, 0.0], [0.4, 0.2]]] * 2)
    nothing = np.zeros((2, 2))
    return Posterior(
        problem, nothing, root, nothing, nothing + np.pi / 3**0.5, nothing[0], nothing[0]
    )
