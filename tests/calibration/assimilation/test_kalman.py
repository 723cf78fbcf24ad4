"""The two laws of analysis, and the laws that keep members apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.innovations import NONE, Innovations, ranks
from diffhydro.calibration.assimilation.kalman import PerturbedObservations, Seen, SquareRoot
from diffhydro.calibration.assimilation.spreading import AsItIs, Inflation, RelaxToPrior
from diffhydro.errors import InputError

ENTRIES, SERIES = 4, 3
KEY = jax.random.key(3)


def sample(members, seed=0):
    """Members with correlated entries, and three linear instruments of which one saw nothing."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(ENTRIES, ENTRIES))
    prior = rng.normal(size=(members, ENTRIES)) @ mixing + rng.normal(size=ENTRIES)
    look = rng.normal(size=(ENTRIES, SERIES))
    values = np.array([0.7, np.nan, -1.2])
    errors = np.array([0.5, 0.8, 1.1])
    seen = Seen(jnp.asarray(values), jnp.asarray(errors), jnp.asarray(prior @ look))
    return prior, look, seen


def kalman(mean, covariance, look, seen):
    """Kalman's update from numbers that are known."""
    known = np.asarray(seen.known)
    h = look[:, known].T
    r = np.diag(np.asarray(seen.errors)[known] ** 2)
    gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + r)
    miss = np.asarray(seen.values)[known] - h @ mean
    return mean + gain @ miss, (np.eye(len(mean)) - gain @ h) @ covariance


@pytest.mark.parametrize("members", [3, 20])
def test_the_square_root_is_kalmans_update_of_the_samples_covariance(members):
    """Exactly, also with fewer members than entries, and with something missing."""
    prior, look, seen = sample(members)
    found = jax.jit(SquareRoot())(jnp.asarray(prior), seen, key=KEY)
    mean, covariance = kalman(prior.mean(axis=0), np.cov(prior.T), look, seen)
    np.testing.assert_allclose(found.mean(axis=0), mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.cov(found.T), covariance, rtol=1e-9, atol=1e-11)


def test_the_square_root_is_symmetric():
    """Hunt et al. 2007, eq. 24, with the root of the matrix of the members themselves."""
    prior, _, seen = sample(12)
    c = np.asarray(seen.scaled)
    share, axes = np.linalg.eigh(np.eye(12) + c @ c.T / 11)
    apart = axes @ np.diag(share**-0.5) @ axes.T @ (prior - prior.mean(axis=0))
    found = np.asarray(SquareRoot()(jnp.asarray(prior), seen, key=KEY))
    np.testing.assert_allclose(found - found.mean(axis=0), apart, rtol=1e-9, atol=1e-11)


def test_of_one_observation_the_square_root_is_the_serial_filter():
    """Whitaker & Hamill 2002, eqs 10 and 13."""
    prior, _, seen = sample(9)
    one = Seen(seen.values[:1], seen.errors[:1], seen.predicted[:, :1])
    apart, y = prior - prior.mean(axis=0), np.asarray(one.predicted)[:, 0]
    dy, r = y - y.mean(), float(one.errors[0]) ** 2
    whole = dy @ dy / 8 + r
    gain = apart.T @ dy / 8 / whole
    alpha = 1.0 / (1.0 + np.sqrt(r / whole))
    wanted = prior.mean(axis=0) + gain * (float(one.values[0]) - y.mean())
    wanted = wanted + apart - alpha * np.outer(dy, gain)
    found = SquareRoot()(jnp.asarray(prior), one, key=KEY)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_perturbed_observations_come_to_kalmans_update():
    members = 20_000
    prior, look, seen = sample(members)
    found = jax.jit(PerturbedObservations())(jnp.asarray(prior), seen, key=KEY)
    mean, covariance = kalman(prior.mean(axis=0), np.cov(prior.T), look, seen)
    # The noise averages to nothing, so the mean is exact; its sample correlations are not.
    np.testing.assert_allclose(found.mean(axis=0), mean, rtol=1e-9, atol=1e-11)
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert np.abs((np.cov(found.T) - covariance) / scale).max() < 5.0 / np.sqrt(members)


@pytest.mark.parametrize("law", [SquareRoot(), PerturbedObservations()])
def test_in_single_precision_members_stay_finite_where_all_agree(law):
    prior = jnp.ones((5, 2), jnp.float32)
    seen = Seen(jnp.ones(2, jnp.float32), jnp.ones(2, jnp.float32), jnp.zeros((5, 2), jnp.float32))
    found = law(prior, seen, key=KEY)
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, prior)


def test_laws_of_spread():
    prior, _, _ = sample(30)
    prior = jnp.asarray(prior)
    posterior = 0.4 * prior + 1.0
    one = AsItIs()
    assert one.before(prior) is prior
    assert one.after(prior, posterior) is posterior
    wide = Inflation(1.21).before(prior)
    np.testing.assert_allclose(wide.mean(axis=0), prior.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(wide.std(axis=0), 1.1 * prior.std(axis=0), rtol=1e-12)
    for share in (0.0, 0.5, 1.0):
        kept = RelaxToPrior(share).after(prior, posterior)
        wanted = (share + 0.4 * (1.0 - share)) * prior.std(axis=0)
        np.testing.assert_allclose(kept.std(axis=0), wanted, rtol=1e-12)
        np.testing.assert_allclose(kept.mean(axis=0), posterior.mean(axis=0), rtol=1e-12)
    flat = jnp.ones_like(prior)
    np.testing.assert_array_equal(RelaxToPrior(1.0).after(prior, flat), flat)


def test_ranks_of_a_reliable_ensemble_are_all_alike():
    """χ² of the counts against equal ones, 10 members: 11 ranks, 1 % of right ones exceed 23.2."""
    members, days = 10, 4000
    keys = jax.random.split(KEY, 3)
    truth = jax.random.normal(keys[0], (days, 1))
    errors = jnp.full((days,), 0.7)
    values = truth[:, 0] + errors * jax.random.normal(keys[1], (days,))
    predicted = jax.random.normal(keys[2], (members, days))
    found = ranks(Seen(values, errors, predicted), key=jax.random.key(9))
    told = Innovations(
        ("probe",),
        members,
        (values - predicted.mean(axis=0))[None],
        (predicted.var(axis=0, ddof=1) + errors**2)[None],
        found[None],
    ).quality()["probe"]
    assert told.number == days == told.ranks.sum()
    expected = days / (members + 1)
    assert ((told.ranks - expected) ** 2 / expected).sum() < 23.2
    # Fortin et al. 2014: a mean of N members errs by (N + 1)/N of their variance.
    ratio = np.sqrt((1.0 + 0.49) / (1.0 * (members + 1) / members + 0.49))
    assert told.ratio == pytest.approx(ratio, abs=0.03)


def test_what_was_not_observed_has_no_rank():
    _, _, seen = sample(6)
    found = ranks(seen, key=KEY)
    assert int(found[1]) == NONE
    none = Innovations(("a",), 6, *(jnp.full((1, 2), x) for x in (jnp.nan, 1.0)), found[None, 1:2])
    quality = none.quality()["a"]
    assert quality.number == 0
    assert np.isnan(quality.rmse)


def test_bad_numbers_teach():
    with pytest.raises(InputError, match="the factor is 1 or more"):
        Inflation(0.9)
    with pytest.raises(InputError, match="between 0 and 1"):
        RelaxToPrior(1.5)
