"""Losses against their formulas, their slopes against differences, and where series say nothing."""

from functools import cache
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import Huber, KlingGupta, MeanSquare, NashSutcliffe

LOSSES = {
    "mean square": MeanSquare(),
    "Nash–Sutcliffe": NashSutcliffe(),
    "Kling–Gupta": KlingGupta(),
    "Huber": Huber(limit=0.05),
    "likelihood": Gaussian(sigma=0.05, growth=0.1, memory=0.6),
}
TYPES = [np.float32, np.float64]
every_loss = pytest.mark.parametrize("name", LOSSES)


def series(seed=0, days=40):
    """Draw a simulated and an observed series with gaps, and weights of which some are zero."""
    rng = np.random.default_rng(seed)
    truth = 0.3 + 0.1 * np.sin(np.arange(days) / 4.0)
    simulated = truth + rng.normal(0.0, 0.05, days)
    observed = np.where(rng.random(days) < 0.3, np.nan, truth + rng.normal(0.0, 0.05, days))
    weight = np.where(rng.random(days) < 0.2, 0.0, rng.uniform(0.5, 2.0, days))
    return simulated, observed, weight


def seen(simulated, observed, weight):
    there = np.isfinite(observed) & (weight > 0)
    return simulated[there], observed[there], weight[there]


def mean_square(s, o, w):
    return np.average((s - o) ** 2, weights=w)


def nash_sutcliffe(s, o, w):
    return np.sum(w * (s - o) ** 2) / np.sum(w * (o - np.average(o, weights=w)) ** 2)


def kling_gupta(s, o, w):
    (var_s, both), (_, var_o) = np.cov(s, o, aweights=w, ddof=0)
    ratio = np.average(s, weights=w) / np.average(o, weights=w)
    r = both / np.sqrt(var_s * var_o)
    return np.sqrt((r - 1.0) ** 2 + (np.sqrt(var_s / var_o) - 1.0) ** 2 + (ratio - 1.0) ** 2)


def huber(s, o, w, limit=0.05):
    size = np.abs(s - o)
    each = np.where(size <= limit, size**2, 2.0 * limit * size - limit**2)
    return np.average(each, weights=w)


FORMULAS = {
    "mean square": mean_square,
    "Nash–Sutcliffe": nash_sutcliffe,
    "Kling–Gupta": kling_gupta,
    "Huber": huber,
}


@cache
def program(name):
    """Compile loss, parts and gradient of many series at once."""
    loss = LOSSES[name]

    def one(simulated, observed, weight):
        value, slope = jax.value_and_grad(loss)(simulated, observed, weight)
        return value, slope, loss.parts(simulated, observed, weight)

    return jax.jit(jax.vmap(one))


def found(name, *given):
    """Give loss, gradient and parts of one series."""
    return jax.tree.map(lambda x: np.asarray(x)[0], program(name)(*(x[None] for x in given)))


@pytest.mark.parametrize("name", FORMULAS)
def test_losses_are_their_formulas(name):
    given = series()
    expected = FORMULAS[name](*seen(*given))
    np.testing.assert_allclose(found(name, *given)[0], expected, rtol=1e-13)


@every_loss
def test_residuals_and_the_rest_make_the_loss(name):
    value, _, parts = found(name, *series())
    squares = 0.0
    if parts.residuals is not None:
        assert parts.residuals.shape == series()[0].shape
        squares = np.sum(parts.residuals**2)
    np.testing.assert_allclose(squares + parts.rest, value, rtol=1e-14)


@every_loss
def test_gradients_agree_with_differences(name):
    simulated, observed, weight = series()
    step, days = 1e-6, len(simulated)
    moved = simulated + step * np.concatenate([np.eye(days), -np.eye(days)])
    rest = [np.broadcast_to(x, moved.shape) for x in (observed, weight)]
    up, down = np.split(np.asarray(program(name)(moved, *rest)[0]), 2)
    gradient = found(name, simulated, observed, weight)[1]
    largest = np.abs(gradient).max()
    np.testing.assert_allclose(gradient, (up - down) / (2.0 * step), rtol=1e-5, atol=1e-7 * largest)


@every_loss
def test_nothing_comes_from_where_nothing_was_seen(name):
    simulated, observed, weight = series()
    hidden = np.isnan(observed) | (weight == 0)
    value, gradient, _ = found(name, simulated, observed, weight)
    assert (gradient[hidden] == 0).all()
    assert (gradient[~hidden] != 0).all()
    strange = np.where(np.isfinite(observed), simulated, np.nan)
    again, slope, _ = found(name, strange, observed, weight)
    assert again == value
    np.testing.assert_array_equal(slope, gradient)


LITTLE = {
    "constant": [0.3] * 4,
    "dry": [0.0] * 4,
    "one": [0.3, np.nan, np.nan, np.nan],
    "none": [np.nan] * 4,
    "met": [0.1, 0.2, 0.3, 0.4],
}
SIMULATED = [5.0, 4.0, 3.0, 2.0], [0.2] * 4, [0.0] * 4, [0.1, 0.2, 0.3, 0.4]


@every_loss
@pytest.mark.parametrize("dtype", TYPES)
def test_series_that_say_little_give_finite_numbers(name, dtype):
    cases = list(product(SIMULATED, LITTLE.values(), ([1.0] * 4, [0.0] * 4)))
    given = [np.asarray(x, dtype) for x in zip(*cases, strict=True)]
    values, slopes = (np.asarray(x) for x in program(name)(*given)[:2])
    assert values.dtype == slopes.dtype == dtype
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()
    nothing = ~(np.isfinite(given[1]) & (given[2] > 0)).any(axis=1)
    assert (values[nothing] == 0.0).all()
    assert (slopes[nothing] == 0.0).all()


def test_without_weights_all_times_weigh_alike():
    simulated, observed, _ = map(jnp.asarray, series())
    each = MeanSquare()(simulated, observed), MeanSquare()(simulated, observed, 1.0 + 0 * simulated)
    np.testing.assert_array_equal(*each)


@pytest.mark.parametrize("name", ["mean square", "Nash–Sutcliffe", "Huber"])
def test_a_perfect_fit_costs_nothing(name):
    simulated, _, weight = series()
    assert found(name, simulated, simulated, weight)[0] == 0.0


def test_kling_gupta_of_a_perfect_fit_is_as_good_as_zero():
    simulated, _, weight = series()
    # What three terms round to, under a root.
    assert found("Kling–Gupta", simulated, simulated, weight)[0] < 1e-14


def test_the_mean_of_the_observations_has_an_efficiency_of_zero():
    _, observed, _ = series()
    mean = np.full(observed.shape, np.nanmean(observed))
    value = found("Nash–Sutcliffe", mean, observed, np.ones_like(mean))[0]
    np.testing.assert_allclose(value, 1.0, rtol=1e-13)


def test_huber_is_smooth_at_its_limit():
    simulated, observed = np.full((2, 40), 0.3), np.full((2, 40), np.nan)
    observed[:, 3] = simulated[:, 3] + 0.05 + np.array([-1e-9, 1e-9])
    slopes = program("Huber")(simulated, observed, np.ones_like(simulated))[1]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-6)


def test_weights_have_gradients_where_they_are_zero():
    simulated, observed, weight = series()
    slope = jax.jit(jax.grad(lambda w: NashSutcliffe()(simulated, observed, w)))(weight)
    assert np.isfinite(slope).all()
