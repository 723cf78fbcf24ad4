"""Scores on named axes: what they are, and what they keep."""

import time

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from diffhydro.errors import InputError
from diffhydro.evaluation import score
from diffhydro.evaluation.anomalies import anomalies
from diffhydro.evaluation.metrics import scores
from diffhydro.evaluation.scoring import NAMES
from tests.evaluation.series import named, observed_and_simulated


def test_scores_are_those_of_arrays_and_of_scipy():
    observed, simulated = observed_and_simulated()
    found = score(simulated, observed)
    plain = scores(simulated.values, observed.values)
    for name in plain._fields:
        np.testing.assert_allclose(found[name], getattr(plain, name), rtol=1e-12, err_msg=name)
    for site, (s, o) in enumerate(zip(simulated.values, observed.values, strict=True)):
        there = np.isfinite(o)
        np.testing.assert_allclose(
            found.rank_r[site], stats.spearmanr(s[there], o[there]).statistic, rtol=1e-12
        )
        np.testing.assert_allclose(found.mae[site], np.mean(np.abs(s - o)[there]), rtol=1e-12)


def test_a_correlation_of_anomalies_is_one_of_departures_from_a_running_mean():
    observed, simulated = observed_and_simulated(sites=1)
    there = np.isfinite(observed.values[0])
    a, b = (pairwise_anomaly(np.where(there, x.values[0], np.nan)) for x in (simulated, observed))
    both = np.isfinite(a)
    expected = np.corrcoef(a[both], b[both])[0, 1]
    np.testing.assert_allclose(score(simulated, observed).anomaly_r, [expected], rtol=1e-9)


def pairwise_anomaly(values, half=17, least=10):
    found = np.full(len(values), np.nan)
    for t in range(len(values)):
        near = values[max(t - half, 0) : t + half + 1]
        if np.isfinite(near).sum() >= least:
            found[t] = values[t] - np.nanmean(near)
    return found


def test_a_season_is_no_anomaly():
    """A sine of 365 days leaves 1 − sinc of its amplitude over five weeks: 1.5 %."""
    at = np.arange(800)
    season = np.sin(2.0 * np.pi * at / 365.0)[None]
    left = anomalies(season, at)[0, 50:-50]
    assert np.abs(left).max() < 0.016
    noise = np.random.default_rng(0).normal(0.0, 1.0, (1, 800))
    np.testing.assert_allclose(
        anomalies(noise + 100.0, at), anomalies(noise, at), atol=1e-9, rtol=0.0
    )


def test_days_that_follow_each_other_unevenly_have_windows_of_days():
    at = np.array([0, 1, 2, 40, 41, 42])
    found = anomalies(np.array([[1.0, 2.0, 3.0, 10.0, 10.0, 13.0]]), at, least=3)
    np.testing.assert_allclose(found, [[-1, 0, 1, -1, -1, 2]], atol=1e-12)


def test_a_series_against_itself_is_perfect():
    observed, _ = observed_and_simulated()
    found = score(observed, observed)
    for name in ("r", "rank_r", "nse", "kge", "anomaly_r"):
        np.testing.assert_allclose(found[name], 1.0, rtol=1e-12, err_msg=name)
    for name in ("rmse", "ubrmse", "bias", "mae"):
        np.testing.assert_array_equal(found[name], 0.0, err_msg=name)


def test_ranks_do_not_see_a_monotone_map_but_bias_does():
    observed, simulated = observed_and_simulated()
    one, other = score(simulated, observed), score(np.exp(5.0 * simulated), observed)
    np.testing.assert_allclose(one.rank_r, other.rank_r, rtol=1e-12)
    assert (np.abs(one.bias - other.bias) > 1.0).all()


def test_coordinates_are_kept_and_models_stand_side_by_side():
    observed, simulated = observed_and_simulated()
    models = xr.concat([simulated, simulated + 0.1], "model").assign_coords(model=["a", "b"])
    found = score(models, observed)
    assert set(found.rmse.dims) == {"model", "site"}
    assert list(found.data_vars) == list(NAMES)
    np.testing.assert_array_equal(found.latitude, observed.latitude)
    alone = score(simulated + 0.1, observed)
    for name in NAMES:
        np.testing.assert_allclose(found[name].sel(model="b"), alone[name], rtol=1e-12)
        assert found[name].attrs["long_name"]
    assert found.rmse.attrs["units"] == "m3 m-3"
    assert "units" not in found.r.attrs


def test_other_axes_and_their_order_do_not_matter():
    observed, simulated = observed_and_simulated(sites=4)
    observed, simulated = (
        x.drop_vars(["site", "latitude"]).coarsen(site=2).construct(site=("y", "x"))
        for x in (observed, simulated)
    )
    found = score(simulated.transpose("time", "x", "y"), observed)
    flat = score(simulated.isel(y=1, x=0), observed.isel(y=1, x=0))
    np.testing.assert_allclose(found.r.isel(y=1, x=0), flat.r, rtol=1e-12)


def test_times_need_not_be_the_same():
    observed, simulated = observed_and_simulated()
    found = score(simulated.isel(time=slice(100, None)), observed.isel(time=slice(0, 300)))
    part = slice(100, 300)
    expected = score(simulated.isel(time=part), observed.isel(time=part))
    xr.testing.assert_allclose(found, expected)


def test_blocks_do_not_show(monkeypatch):
    observed, simulated = observed_and_simulated(sites=7, days=120)
    whole = score(simulated, observed)
    monkeypatch.setattr("diffhydro.evaluation.scoring._BLOCK", 250)
    xr.testing.assert_identical(whole, score(simulated, observed))


def test_too_few_days_have_no_score():
    observed, simulated = observed_and_simulated()
    observed[0, 59:] = np.nan
    observed[0, :59] = 0.3
    found = score(simulated, observed)
    assert int(found.days[0]) == 59
    assert all(np.isnan(found[name][0]) for name in NAMES if name != "days")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.isel(site=[0, 1]), "not of the same places"),
        (lambda x: x.assign_coords(site=["p", "q", "r"]), "not of the same places"),
        (lambda x: x.rename(time="day"), "no dimension time"),
        (lambda x: x.assign_coords(time=x.time + np.timedelta64(9999, "D")), "no step of time"),
        (lambda x: x.isel(time=[0, 0, 1]), "twice"),
    ],
)
def test_series_that_do_not_belong_together(change, message):
    observed, simulated = observed_and_simulated()
    with pytest.raises(InputError, match=message):
        score(change(simulated), observed)


def test_a_score_of_one_step_is_refused():
    observed, simulated = observed_and_simulated()
    with pytest.raises(InputError, match="least is 1"):
        score(simulated, observed, least=1)


@pytest.mark.slow
def test_a_thousand_sites_of_five_years_take_seconds():
    rng = np.random.default_rng(0)
    observed = named(rng.normal(size=(1000, 1827)).cumsum(axis=1))
    simulated = observed + rng.normal(size=(1000, 1827))
    start = time.perf_counter()
    score(simulated, observed)
    assert time.perf_counter() - start < 10.0
