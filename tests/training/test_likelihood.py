"""The likelihood of errors that grow and last, against the multivariate normal law."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from diffhydro.core.parameters import specs
from diffhydro.training.likelihood import Gaussian

SIGMA, GROWTH, MEMORY = 0.04, 0.2, 0.7


def series(days=30, seed=0):
    rng = np.random.default_rng(seed)
    simulated = 0.3 + 0.1 * np.sin(np.arange(days) / 4.0)
    observed = simulated + rng.normal(0.0, 0.05, days)
    observed[[0, 4, 5, 6, 17, 29]] = np.nan
    return simulated, observed


@jax.jit
def likelihood(simulated, observed, sigma, growth=0.0, memory=0.0):
    """Give the loss and its slopes with its three parameters."""

    def loss(sigma, growth, memory):
        return Gaussian(sigma=sigma, growth=growth, memory=memory)(simulated, observed)

    given = [jnp.asarray(x, float) for x in (sigma, growth, memory)]
    return jax.value_and_grad(loss, argnums=(0, 1, 2))(*given)


def by_scipy(simulated, observed, sigma, growth, memory):
    there = np.flatnonzero(np.isfinite(observed))
    spread = sigma + growth * np.abs(simulated[there])
    apart = np.abs(there[:, None] - there)
    covariance = spread[:, None] * spread * memory**apart
    return -multivariate_normal(simulated[there], covariance).logpdf(observed[there])


@pytest.mark.parametrize("memory", [0.0, 0.3, MEMORY, 0.995])
@pytest.mark.parametrize("growth", [0.0, GROWTH])
def test_it_is_the_multivariate_normal_law_with_gaps(memory, growth):
    found, _ = likelihood(*series(), SIGMA, growth, memory)
    expected = by_scipy(*series(), SIGMA, growth, memory)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_without_memory_it_is_a_sum_of_normal_laws():
    simulated, observed = series()
    there = np.isfinite(observed)
    expected = -norm(simulated, SIGMA).logpdf(observed)[there].sum()
    found, _ = likelihood(simulated, observed, SIGMA)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_a_weight_is_a_power_of_the_likelihood():
    given = [jnp.asarray(x) for x in series()]
    loss = Gaussian(sigma=SIGMA, growth=GROWTH, memory=MEMORY)
    twice = loss(*given, jnp.full_like(given[0], 2.0))
    np.testing.assert_allclose(twice, 2.0 * loss(*given), rtol=1e-14)


def test_a_long_gap_makes_errors_independent():
    """Two observations 300 days apart have nothing in common at a correlation of 0.7 a day."""
    simulated, observed = np.full(301, 0.3), np.full(301, np.nan)
    observed[[0, -1]] = 0.33, 0.26
    found, _ = likelihood(simulated, observed, SIGMA, memory=MEMORY)
    expected = -norm(0.3, SIGMA).logpdf([0.33, 0.26]).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_slopes_of_its_parameters_agree_with_differences():
    step, start = 1e-6, np.array([SIGMA, GROWTH, MEMORY])
    _, slopes = likelihood(*series(), *start)
    for slope, way in zip(slopes, np.eye(3), strict=True):
        up, down = (likelihood(*series(), *(start + s * way))[0] for s in (step, -step))
        np.testing.assert_allclose(slope, (up - down) / (2.0 * step), rtol=1e-5)


def test_slopes_are_finite_at_the_bounds_of_its_parameters():
    bounds = [spec.bounds for spec in specs(Gaussian()).values()]
    for ends in product(*bounds):
        value, slopes = likelihood(*series(), *ends)
        assert np.isfinite([value, *slopes]).all()


def test_the_best_sigma_is_the_root_of_the_mean_square():
    simulated, observed = series()
    best = np.sqrt(np.nanmean((simulated - observed) ** 2))
    slope = likelihood(simulated, observed, best)[1][0]
    assert abs(float(slope)) < 1e-10 * np.isfinite(observed).sum() / best


def test_it_grows_with_the_simulated_value_whatever_its_sign():
    found, _ = likelihood(np.array([-2.0]), np.array([-1.5]), 0.1, 0.2)
    np.testing.assert_allclose(found, -norm(-2.0, 0.5).logpdf(-1.5), rtol=1e-14)
