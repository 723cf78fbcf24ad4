"""Penalties, their slopes and curvatures, and the laws that they are of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest, logistic, norm

from diffhydro.calibration.prior import Near, Uniform

Z, CENTRE = jnp.asarray([-8.0, -0.5, 2.0]), jnp.asarray([0.3, -0.2, 1.0])
SPREADS = np.array([0.5, 1.0, 2.0])
PRIORS = {
    "near": Near(1.5),
    "strong": Near(1.5, strength=4.0),
    "of each its own": Near(SPREADS, strength=2.0),
    "uniform": Uniform(),
}
every_prior = pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS.keys())


@every_prior
def test_the_curvature_is_the_second_derivative(prior):
    bend = jax.jit(jax.hessian(prior.penalty))(Z, CENTRE)
    np.testing.assert_allclose(jnp.diag(prior.curvature(Z, CENTRE)), bend, rtol=1e-12, atol=1e-15)
    assert (prior.curvature(Z, CENTRE) >= 0).all()


@pytest.mark.parametrize("name", ["near", "strong", "of each its own"])
def test_near_is_a_normal_law_of_free_numbers(name):
    prior = PRIORS[name]
    mean, deviation = prior.moments(CENTRE)
    np.testing.assert_array_equal(mean, CENTRE)
    log_p = norm(mean, deviation).logpdf
    expected = np.sum(log_p(CENTRE) - log_p(Z))
    np.testing.assert_allclose(prior.penalty(Z, CENTRE), expected, rtol=1e-12)


def test_uniform_is_the_same_everywhere_between_bounds():
    log_p = logistic.logpdf
    expected = np.sum(log_p(0.0) - log_p(Z))
    np.testing.assert_allclose(Uniform().penalty(Z, CENTRE), expected, rtol=1e-12)
    np.testing.assert_allclose(Uniform().moments(CENTRE)[1], logistic.std(), rtol=1e-12)


@pytest.mark.parametrize("name", PRIORS)
def test_draws_are_from_the_law(name):
    prior = PRIORS[name]
    keys = jax.random.split(jax.random.key(1), 4000)
    drawn = np.asarray(jax.jit(jax.vmap(lambda key: prior.draw(key, CENTRE)))(keys))
    mean, deviation = prior.moments(CENTRE)
    law = logistic if name == "uniform" else norm
    for i in range(3):
        scale = float(deviation[i]) / float(law.std())
        assert kstest(drawn[:, i], law(float(mean[i]), scale).cdf).pvalue > 1e-4


@every_prior
def test_it_takes_the_type_of_the_numbers(prior):
    small = [x.astype(jnp.float32) for x in (Z, CENTRE)]
    for found in (prior.penalty(*small), prior.curvature(*small), *prior.moments(small[1])):
        assert found.dtype == jnp.float32


@every_prior
def test_of_some_entries_it_is_their_sum(prior):
    """A penalty of numbers in another order, and of some of them twice."""
    which = jnp.asarray([2, 0, 0])
    alone = [
        prior.of(which[i : i + 1]).penalty(Z[k : k + 1], CENTRE[k : k + 1])
        for i, k in enumerate(which.tolist())
    ]
    np.testing.assert_allclose(prior.of(which).penalty(Z[which], CENTRE[which]), sum(alone))
    in_order = prior.of(jnp.arange(3))
    np.testing.assert_array_equal(in_order.penalty(Z, CENTRE), prior.penalty(Z, CENTRE))
