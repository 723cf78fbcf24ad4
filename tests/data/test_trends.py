import numpy as np
import pytest
from scipy.stats import kendalltau, norm, theilslopes

from diffhydro.data.trends import monthly, trend

DAYS = np.datetime64("2000-01-01") + np.arange(12 * 365 + 3)


def noise(sites, seed=0, memory=0.9):
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 0.02, (sites, len(DAYS)))
    for t in range(1, len(DAYS)):
        x[:, t] += memory * x[:, t - 1]
    return x


def season():
    return 0.1 * np.cos(2.0 * np.pi * np.arange(len(DAYS)) / 365.25)


def test_months_are_means_of_enough_days():
    x = np.arange(60.0)[None]
    x[0, 31:50] = np.nan
    days = np.datetime64("2019-01-01") + np.arange(60)
    found = monthly(x, days, 15)
    assert found.shape == (1, 1, 12)
    assert found[0, 0, 0] == 15.0
    assert np.isnan(found[0, 0, 1:]).all()
    assert monthly(x, days, 9)[0, 0, 1] == np.mean(np.arange(50, 59))


def test_one_month_a_year_is_the_plain_test_of_mann_and_kendall_and_sen():
    rng = np.random.default_rng(2)
    years = np.arange(14)
    values = 0.01 * years + rng.normal(0.0, 0.05, 14)
    values[[3, 7]] = values[5]  # ties
    days = np.datetime64("2000-01-01") + np.arange(14 * 365)
    x = np.full((1, len(days)), np.nan)
    for year, value in zip(years, values, strict=True):
        x[0, np.flatnonzero(days.astype("datetime64[M]").astype(str) == f"{2000 + year}-06")] = (
            value
        )
    found = trend(x, days)
    tau = kendalltau(years, values, method="asymptotic")
    assert found.slope[0] == pytest.approx(theilslopes(values, years).slope)
    # Mann and Kendall take one off the score, for it is a whole number; scipy does not.
    sign = np.sign(np.subtract.outer(values, values))[np.tril_indices(14, -1)]
    score, z = sign.sum(), abs(_quantile(tau.pvalue))
    assert abs(_quantile(found.chance[0])) == pytest.approx(z * (abs(score) - 1.0) / abs(score))


def _quantile(chance):
    return norm.isf(chance / 2.0)


def test_a_trend_is_found_with_its_size_under_season_and_noise():
    x = season() + noise(20) + 0.01 * np.arange(len(DAYS)) / 365.25
    x[:, ::7] = np.nan
    found = trend(x, DAYS)
    assert np.median(found.slope) == pytest.approx(0.01, abs=0.002)
    assert (found.chance < 0.05).mean() > 0.8
    down = trend(-x, DAYS)
    np.testing.assert_allclose(down.slope, -found.slope)
    np.testing.assert_allclose(down.chance, found.chance)


def test_without_a_trend_it_is_found_as_often_as_said():
    found = trend(season() + noise(400, seed=5), DAYS)
    # Twelve years are few for the covariance: the test may be a little bold, not reckless.
    assert 0.02 < (found.chance < 0.05).mean() < 0.09
    assert 0.4 < (found.chance < 0.5).mean() < 0.6


def test_five_years_that_rise_without_exception():
    """All months say the same, so it is one score of 10 with variance 50/3, and twelvefold."""
    days = DAYS[: 5 * 365]
    found = trend(0.01 * np.arange(len(days))[None] / 365.25, days)
    assert found.chance[0] == pytest.approx(2.0 * norm.sf(119.0 / (12.0 * np.sqrt(50.0 / 3.0))))


def test_what_tells_nothing():
    x = np.full((3, len(DAYS)), np.nan)
    x[1] = 0.25
    x[2, :200] = 0.1
    found = trend(x, DAYS)
    assert np.isnan(found.slope[[0, 2]]).all()
    assert found.slope[1] == 0.0
    assert found.chance[1] == 1.0
