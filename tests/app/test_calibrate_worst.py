"""What a report says of a site that fits badly."""

from types import SimpleNamespace

import numpy as np

from diffhydro.app.calibrate_output import Outcome
from diffhydro.app.calibrate_worst import explain

TIMES = np.datetime64("2001-01-01") + np.arange(730)
LAST = np.datetime64("2001-12-31")
TRAIN = LAST >= TIMES
WAVE = 0.3 + 0.05 * np.sin(np.arange(730) / 20.0)


def told(observed, fitted, *, name="soil_moisture_50mm", test=True, on_bound=(0, 0)):
    fitting = SimpleNamespace(
        observed={name: observed[None]},
        times=TIMES,
        train=TRAIN if test else np.ones(730, bool),
        test=~TRAIN if test else np.zeros(730, bool),
    )
    found = SimpleNamespace(on_bound=np.array([on_bound]), names=("soil.b", "soil.k_sat"))
    outcome = Outcome(fitting, found, {name: fitted[None]}, {name: fitted[None]})
    return explain(outcome, name, 0)


def noise(size=0.01, seed=0):
    return size * np.random.default_rng(seed).normal(size=730)


def test_a_good_fit_has_nothing_but_its_numbers():
    text = told(WAVE + noise(), WAVE)
    assert text.startswith("RMSE 0.010, of whose square 0 % is bias")
    assert "r 0.9" in text
    assert text.count(";") == 2


def test_a_year_that_is_not_known_is_not_compared():
    some = np.where(np.arange(730) % 365 < 100, np.nan, WAVE + noise())
    assert "the course of the year alone has 0.0" in told(some, WAVE)
    never = np.where(TRAIN, np.nan, WAVE + noise())
    assert "nan" not in told(never, WAVE)


def test_a_perfect_fit_is_told_too():
    assert told(WAVE, WAVE).startswith("RMSE 0.000, of whose square 0 % is bias")


def test_a_constant_error_is_a_bias_that_nothing_takes_up():
    text = told(WAVE + 0.1 + noise(), WAVE)
    assert "99 % is bias (-0.100)" in text
    assert "off by a constant" in text


def test_a_mean_that_moved_with_no_weather_behind_it():
    moved = WAVE + noise() + np.where(TRAIN, 0.0, 0.2)
    text = told(moved, WAVE)
    assert "the observed mean moved by +0.2" in text
    assert "on the days of the fit RMSE is 0.010: the years differ" in text
    assert "moved" not in told(moved, WAVE, test=False)


def test_jumps_are_a_probes_and_not_a_rivers():
    jumping = WAVE + noise()
    jumping[500::40] += 0.3
    assert "changes of more than 0.2 from one day to the next" in told(jumping, WAVE)
    assert "changes of more than" not in told(jumping, WAVE, name="runoff")


def test_a_model_that_varies_too_little_and_bounds_are_named():
    text = told(WAVE + noise(), 0.3 + 0.2 * (WAVE - 0.3), on_bound=(0, 1))
    assert "observations vary more" in text
    assert "on a bound: k_sat" in text
