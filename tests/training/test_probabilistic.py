"""Losses of distributions against scipy, and quantiles against their definition."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.training.probabilistic import NegativeLogLikelihood, OwnLoss, Pinball
from diffhydro.training.sample import Sample
from tests.training.catalogue import LEVELS, batch, quick, value


def seen(sample, source="stations"):
    weight = sample.weights[source]
    return sample.observed[source], weight, weight > 0


def test_a_normal_law_is_that_of_scipy():
    prediction, sample = batch(7)
    observed, weight, there = seen(sample)
    for loss, name in (("normal", "normal"), ("normal with one scale", "shared")):
        law = prediction[name]
        each = -norm(law.location, law.scale).logpdf(observed)
        expected = np.average(each[there], weights=weight[there])
        np.testing.assert_allclose(value(loss, prediction, sample), expected, rtol=1e-12)


def test_a_mixture_is_the_logarithm_of_a_sum():
    prediction, sample = batch(7)
    observed, weight, there = seen(sample)
    law = prediction["mixture"]
    density = norm(law.locations, law.scales).pdf(observed[..., None])
    each = -np.log(np.sum(np.exp(law.log_weights) * density, axis=-1))
    expected = np.average(each[there], weights=weight[there])
    np.testing.assert_allclose(value("mixture", prediction, sample), expected, rtol=1e-12)


def pinball(quantiles, observed, weight, there):
    error = observed[..., None] - quantiles
    each = np.maximum(np.array(LEVELS) * error, (np.array(LEVELS) - 1.0) * error).mean(axis=-1)
    return np.average(each[there], weights=weight[there])


def test_quantiles_have_the_pinball_loss_their_own_and_ours():
    prediction, sample = batch(7)
    values = prediction["quantiles"].values
    for name, source in (("quantiles", "satellite"), ("pinball", "stations")):
        expected = pinball(values, *seen(sample, source))
        np.testing.assert_allclose(value(name, prediction, sample), expected, rtol=1e-12)


def test_the_pinball_loss_is_least_at_the_quantile():
    rng = np.random.default_rng(0)
    observed = jnp.asarray(rng.exponential(1.0, (1, 999)))
    sample = Sample(Inputs({}), {"x": observed}, {"x": jnp.ones_like(observed)})
    loss = quick(Pinball("x", (0.8,)))
    best = np.quantile(np.asarray(observed), 0.8)

    def at(quantile):
        return float(loss(jnp.full((1, 999, 1), quantile), sample))

    assert at(best) < at(best + 0.05)
    assert at(best) < at(best - 0.05)


def test_what_is_no_distribution_is_refused():
    prediction, sample = batch()
    with pytest.raises(
        InputError, match=r"log_prob\(observed\) is asked for; there is a Quantiles"
    ):
        NegativeLogLikelihood("stations", "quantiles")(prediction, sample)
    with pytest.raises(InputError, match=r"loss\(observed\) is asked for"):
        OwnLoss("stations", "theta")(prediction, sample)
    with pytest.raises(InputError, match=r"has shape \(3, 16\) and probes has"):
        NegativeLogLikelihood("probes", "shared")(flat(prediction), sample)


def flat(prediction):
    class Flat:
        def log_prob(self, observed):
            return observed[..., 0]

    return {"shared": Flat()}


def test_levels_that_are_none_are_refused():
    for levels in ((), (0.5, 1.0), (0.0,)):
        with pytest.raises(InputError, match="levels of quantiles"):
            Pinball("stations", levels)
    prediction, sample = batch()
    with pytest.raises(
        InputError, match=r"shape \(3, 16, 3\) and a set of quantiles has \(3, 16, 2"
    ):
        Pinball("stations", (0.1, 0.9), "quantiles.values")(prediction, sample)
