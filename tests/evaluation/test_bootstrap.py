"""Intervals of scores: how often they hold the truth, and what they rest on."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.errors import InputError
from diffhydro.evaluation import bootstrap, score
from diffhydro.evaluation.bootstrap import block_length, drawn
from tests.evaluation.series import ar1, named, observed_and_simulated

LEVEL = 0.9


@pytest.fixture(scope="module")
def many():
    """A hundred pairs of series, whose errors and truth remember 0.8 of the day before."""
    rng = np.random.default_rng(0)
    truth, errors = (ar1(rng, (100, 600), 0.8) for _ in range(2))
    return named(truth + errors), named(truth)


TRUE = {"bias": 0.0, "rmse": 1.0, "r": np.sqrt(0.5)}


def share(found, name):
    low, high = found[name].sel(bound="low"), found[name].sel(bound="high")
    return float(((low <= TRUE[name]) & (TRUE[name] <= high)).mean())


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say(many):
    """Of 100 intervals at 90 %, 90 ± 3 should; 600 days that remember ten fall short of it a bit.

    One by one, days give an interval of the bias that is √9 too narrow: 1.645/3 covers 42 %.
    """
    blocks = bootstrap(*many, seed=0, draws=150, level=LEVEL)
    alone = bootstrap(*many, seed=0, draws=150, level=LEVEL, block=1.0)
    for name in TRUE:
        assert 0.76 <= share(blocks, name) <= 0.98, name
        assert share(alone, name) < share(blocks, name) - 0.1, name
    assert share(alone, "bias") < 0.6
    assert 5.0 < float(blocks.block.mean()) < 60.0


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    """The standard error of an AR(1) mean is √[(1 + φ)/(1 − φ)/n]; of white noise √(1/n)."""
    rng = np.random.default_rng(1)
    for memory, slack in ((0.0, 0.1), (0.8, 0.25)):
        spreads = []
        for _ in range(40):
            x = ar1(rng, (1, 2000), memory)[0]
            days = drawn(2000, 200, block_length(x), rng)
            spreads.append(x[days].mean(axis=1).std())
        theory = np.sqrt((1.0 + memory) / (1.0 - memory) / 2000.0)
        np.testing.assert_allclose(np.mean(spreads), theory, rtol=slack)


def test_blocks_grow_with_memory():
    """For AR(1) the sums are known: b = [2φ/(1 − φ²)]^⅔ n^⅓, which is 43 at φ = 0.8, n = 4000."""
    rng = np.random.default_rng(2)

    def usual(memory):
        return np.mean([block_length(ar1(rng, (1, 4000), memory)[0]) for _ in range(20)])

    assert usual(0.0) < 4.0
    for memory in (0.5, 0.8):
        expected = np.cbrt((2.0 * memory / (1.0 - memory**2)) ** 2 * 4000)
        np.testing.assert_allclose(usual(memory), expected, rtol=0.3)


def test_gaps_hardly_change_the_blocks():
    rng = np.random.default_rng(3)
    x = ar1(rng, (1, 4000), 0.7)[0]
    holed = np.where(rng.random(4000) < 0.3, np.nan, x)
    np.testing.assert_allclose(block_length(holed), block_length(x), rtol=0.35)
    assert block_length(np.full(100, 0.3)) == 1.0
    assert block_length(np.full(100, np.nan)) == 1.0


def test_days_follow_each_other_within_blocks():
    days = drawn(500, 300, 20.0, np.random.default_rng(0))
    assert days.min() >= 0
    assert days.max() < 500
    follows = np.diff(days, axis=1) % 500 == 1
    np.testing.assert_allclose(follows.mean(), 1.0 - 1.0 / 20.0, atol=0.005)
    counts = np.bincount(days.ravel(), minlength=500)
    assert counts.min() > 100  # of 300: every day is as likely as any other


def test_scores_lie_within_and_places_do_not_see_each_other():
    observed, simulated = observed_and_simulated()
    found = bootstrap(simulated, observed, seed=4, draws=60)
    value = score(simulated, observed)
    for name in ("rmse", "ubrmse", "bias", "mae", "r", "rank_r", "nse", "kge", "anomaly_r"):
        assert (found[name].sel(bound="low") < value[name]).all(), name
        assert (value[name] < found[name].sel(bound="high")).all(), name
    one = (simulated.isel(site=[1]), observed.isel(site=[1]))
    alone = bootstrap(*one, seed=4, draws=60)
    xr.testing.assert_identical(found.isel(site=[1]), alone)
    xr.testing.assert_identical(alone, bootstrap(*one, seed=4, draws=60))
    other = bootstrap(*one, seed=5, draws=60)
    assert (other.rmse != alone.rmse).any()
    assert found.rmse.dims == ("site", "bound")


def test_too_few_days_have_no_interval():
    observed, simulated = observed_and_simulated()
    observed[0, 50:] = np.nan
    found = bootstrap(simulated, observed, seed=0, draws=20)
    assert np.isnan(found.rmse[0]).all()
    assert np.isfinite(found.rmse[1]).all()


@pytest.mark.parametrize("wrong", [{"draws": 3}, {"level": 95.0}, {"block": 0.5}])
def test_what_makes_no_interval(wrong):
    observed, simulated = observed_and_simulated()
    with pytest.raises(InputError, match="20 draws or more"):
        bootstrap(simulated, observed, seed=0, **wrong)


def test_uneven_days_have_no_blocks():
    observed, simulated = observed_and_simulated()
    with pytest.raises(InputError, match="even steps"):
        bootstrap(simulated.isel(time=[*range(100), *range(101, 300)]), observed, seed=0)
