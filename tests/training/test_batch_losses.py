"""Losses of batches against the plain formulas of what counts."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.training.batch_losses import ByWindow, Pooled, kge, mse, nse, rmse
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import MeanSquare, NashSutcliffe
from diffhydro.training.sample import Sample
from diffhydro.training.series_losses import RootMeanSquare
from tests.training.catalogue import LOSSES, batch, quick, value
from tests.training.test_losses import huber, kling_gupta, mean_square, nash_sutcliffe


def root(s, o, w):
    return np.sqrt(mean_square(s, o, w))


def absolute(s, o, w):
    return np.average(np.abs(s - o), weights=w)


def uncorrelated(s, o, w, least=1e-4):
    (var_s, both), (_, var_o) = np.cov(s, o, aweights=w, ddof=0)
    return 1.0 - both / np.sqrt((var_s + least**2) * (var_o + least**2))


def limited(s, o, w):
    return huber(s, o, w, limit=0.02)


POOLED = {
    "mse": mean_square,
    "rmse": root,
    "mae": absolute,
    "huber": limited,
    "correlation": uncorrelated,
}
BY_WINDOW = {
    "nse": nash_sutcliffe,
    "kge": kling_gupta,
    "nse of a profile": nash_sutcliffe,
    "mse by window": mean_square,
    "mae by window": absolute,
}


def given(name, seed=6):
    """Give predictions, observations and weights of a loss."""
    prediction, sample = batch(seed)
    loss = LOSSES[name]
    return prediction[loss.output], sample.observed[loss.source], sample.weights[loss.source]


@pytest.mark.parametrize("name", POOLED)
def test_pooled_losses_are_their_formulas(name):
    s, o, w = given(name)
    expected = POOLED[name](*(x[w > 0] for x in (s, o, w)))
    np.testing.assert_allclose(value(name, *batch(6)), expected, rtol=1e-12)


@pytest.mark.parametrize("name", BY_WINDOW)
def test_losses_by_window_are_means_of_their_formulas(name):
    s, o, w = (np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]) for x in given(name))
    each = [
        BY_WINDOW[name](*(x[i][w[i] > 0] for x in (s, o, w)))
        for i in range(len(s))
        if (w[i] > 0).any()
    ]
    np.testing.assert_allclose(value(name, *batch(6)), np.mean(each), rtol=1e-12)


def test_a_likelihood_of_a_batch_is_the_mean_of_those_of_its_windows():
    s, o, w = (jnp.asarray(x) for x in given("likelihood"))
    loss = quick(LOSSES["likelihood"].loss)
    each = [loss(*(x[i] for x in (s, o, w))) for i in range(len(s))]
    np.testing.assert_allclose(value("likelihood", *batch(6)), np.mean(each), rtol=1e-12)


def sample_of(observed, weights):
    return Sample(
        Inputs({}), {"stations": jnp.asarray(observed)}, {"stations": jnp.asarray(weights)}
    )


def test_windows_without_observations_are_no_part_of_the_mean():
    sample = sample_of(np.zeros((3, 2)), [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    predicted = jnp.asarray([[1.0, 1.0], [7.0, 7.0], [2.0, 9.0]])
    found = [quick(way(MeanSquare(), "stations"))(predicted, sample) for way in (ByWindow, Pooled)]
    np.testing.assert_allclose(found, [2.5, 2.0], rtol=1e-14)


def test_windows_with_few_observations_can_be_left_out():
    sample = sample_of(np.zeros((2, 3)), [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    predicted = jnp.asarray([[1.0] * 3, [2.0] * 3])
    for least, expected in ((2, 2.5), (3, 1.0), (4, 0.0)):
        found = quick(ByWindow(MeanSquare(), "stations", least=least))(predicted, sample)
        assert float(found) == pytest.approx(expected)


def test_an_efficiency_is_of_windows_that_vary():
    """One flat window would be all of the mean."""
    varying = 0.2 + 0.05 * np.sin(np.arange(12.0))
    observed = np.stack([varying, np.full(12, 0.2), varying])
    weights = np.ones_like(observed)
    weights[2, 1:] = 0.0  # a single observation
    sample, predicted = sample_of(observed, weights), jnp.asarray(observed + 0.01)
    alone = sample_of(observed[:1], weights[:1])
    for loss in (nse("stations"), kge("stations")):
        run = quick(loss)
        assert float(run(predicted, sample)) == pytest.approx(float(run(predicted[:1], alone)))
    assert float(quick(ByWindow(NashSutcliffe(), "stations"))(predicted, sample)) > 1e30


def test_a_root_of_a_perfect_fit_is_zero_exactly():
    sample = sample_of(np.full((1, 3), 0.2), np.ones((1, 3)))
    assert float(rmse("stations")(sample.observed["stations"], sample)) == 0.0


def test_weights_weigh():
    s, o, w = given("rmse")
    _, sample = batch(6)
    heavier = sample_of(sample.observed["stations"], 3.0 * w)
    again = quick(Pooled(RootMeanSquare(), "stations"))(jnp.asarray(s), heavier)
    np.testing.assert_allclose(again, value("rmse", *batch(6)), rtol=1e-13)
    doubled = sample_of(np.concatenate([o, o]), np.concatenate([w, 0.5 * w]))
    twice = quick(Pooled(RootMeanSquare(), "stations"))(
        jnp.asarray(np.concatenate([s, s])), doubled
    )
    np.testing.assert_allclose(twice, again, rtol=1e-13)


def test_observations_take_the_type_of_predictions():
    sample = sample_of(np.full((1, 2), 0.25, np.float64), np.ones((1, 2), np.float64))
    assert mse("stations")(jnp.zeros((1, 2), jnp.float32), sample).dtype == jnp.float32


def test_errors_that_last_do_not_go_from_window_to_window():
    Pooled(Gaussian(sigma=0.1), "stations")
    with pytest.raises(InputError, match="ByWindow"):
        Pooled(Gaussian(sigma=0.1, memory=0.5), "stations")
