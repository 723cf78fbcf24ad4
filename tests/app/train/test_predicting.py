"""Predictions of a trained model: what they may know, and that parts equal the whole."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np

from diffhydro.app.train import predicting
from diffhydro.app.train.predicting import predict
from diffhydro.app.train.table import PAST
from diffhydro.coupling import AbstractPredictor, AbstractWindowed, Inputs
from diffhydro.coupling.window import Known

START, DAYS, LAGS = 10, 30, 3
RNG = np.random.default_rng(0)
RAIN, SEEN = RNG.gamma(0.5, 1.0, (5, DAYS)), RNG.uniform(0.1, 0.4, (5, DAYS))


class Walk(AbstractPredictor, AbstractWindowed):
    """Adds to yesterday's value shares of the oldest value, and of the rain now and then."""

    length: int = LAGS
    past: str = PAST

    def known(self, inputs, *, key=None):
        return Known(inputs.stacked(("rain",)), None)

    def ahead(self, window, known, *, key=None):
        rain = known.recent[..., 0]
        return 0.8 * window[..., -1] + 0.1 * window[..., 0] + rain[..., -1] + 0.5 * rain[..., 0]

    def __call__(self, inputs, *, key=None):
        raise AssertionError("it would be told what it is to predict")


class Rain(AbstractPredictor):
    """Says that it rains."""

    def __call__(self, inputs, *, key=None):
        return 2.0 * inputs.series["rain"]


def table(seen=SEEN):
    def inputs(sites):
        return Inputs({"rain": jnp.asarray(RAIN[sites]), PAST: jnp.asarray(seen[sites])})

    return SimpleNamespace(inputs=inputs)


def walked():
    y = SEEN.copy()
    for t in range(START, DAYS):
        y[:, t] = 0.8 * y[:, t - 1] + 0.1 * y[:, t - 3] + RAIN[:, t] + 0.5 * RAIN[:, t - 2]
    return y


def test_a_model_that_looks_back_runs_freely_from_what_was_before():
    found = predict(Walk(), table(), np.arange(5), START)
    assert np.isnan(found[:, :START]).all()
    np.testing.assert_allclose(found[:, START:], walked()[:, START:], rtol=1e-6)


def test_what_is_seen_after_the_start_is_not_known():
    other = SEEN.copy()
    other[:, START:] = 9.0
    found = [predict(Walk(), table(seen), np.arange(5), START) for seen in (SEEN, other)]
    np.testing.assert_array_equal(*found)


def test_parts_of_the_sites_equal_all_of_them(monkeypatch):
    sites = np.array([4, 0, 2, 3, 1])
    together = predict(Walk(), table(), sites, START)
    monkeypatch.setattr(predicting, "SITES", 2)
    np.testing.assert_array_equal(predict(Walk(), table(), sites, START), together)


def test_nothing_is_said_of_the_days_before():
    found = predict(Rain(), table(), np.array([3, 1]), START)
    assert np.isnan(found[:, :START]).all()
    np.testing.assert_allclose(found[:, START:], 2.0 * RAIN[[3, 1], START:], rtol=1e-6)
