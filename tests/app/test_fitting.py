"""From files and words to a calibration: days, spin-up, observations, clusters."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.app.config import Config
from diffhydro.app.fitting import prepare_fitting, simulate_targets
from diffhydro.data.embedded import embedded_weather
from diffhydro.errors import InputError

pytest.importorskip("h5netcdf", reason="the data extra is not installed")
DAYS = 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of three sites, with a gap in the weather and gaps in the runoff."""
    folder = tmp_path_factory.mktemp("sites")
    source = embedded_weather(DAYS).isel(site=[3, 4, 11])
    rng = np.random.default_rng(0)
    runoff = rng.gamma(2.0, 0.3, (3, DAYS))
    runoff[rng.random(runoff.shape) < 0.3] = np.nan
    source["temperature"][1, 40:42] = np.nan
    units = {"units": "mm day-1"}
    source.assign(
        runoff=(("site", "time"), runoff, units),
        evaporation=(("site", "time"), 2.0 + 0.1 * runoff, units),
        region=("site", np.array([1.0, np.nan, 2.0])),
    ).to_netcdf(folder / "sites.nc", engine="h5netcdf")
    return folder


def config(**changed):
    given = {
        "model": "hbv",
        "data": {"sites": "sites.nc"},
        "observed": [{"variable": "runoff"}],
        "train": ["k1"],
        "period": {"train": ["2001-02-01", "2001-03-02"], "spin_up": 20},
    }
    return Config.model_validate(given | changed)


def seen(folder, name):
    with xr.open_dataset(folder / "sites.nc", engine="h5netcdf") as found:
        return found[name].transpose("site", "time").values


def test_the_first_days_come_twice_and_the_last_are_not_needed(folder):
    found = prepare_fitting(config(), folder)
    rain = seen(folder, "precipitation").astype(np.float32)
    np.testing.assert_array_equal(found.forcing.precipitation[:, 20:], rain)
    np.testing.assert_array_equal(found.forcing.precipitation[:, :20], rain[:, :20])
    # The fit ends on day 61 of the year, of which the spin-up has seen 20 before.
    assert found.problem.forcing.precipitation.shape == (3, 20 + 61)
    assert found.train.sum() == 30
    assert found.times[found.train][[0, -1]].astype(str).tolist() == ["2001-02-01", "2001-03-02"]
    assert not found.test.any()


def test_only_days_of_the_fit_are_fitted_and_all_are_kept(folder):
    found = prepare_fitting(config(), folder)
    runoff = seen(folder, "runoff").astype(np.float32)
    np.testing.assert_array_equal(found.observed["runoff"], runoff)
    target = np.asarray(found.problem.targets[0].observed)
    assert np.isnan(target[:, : 20 + 31]).all()
    np.testing.assert_array_equal(target[:, 20 + 31 :], runoff[:, 31:61])


def test_what_is_not_held_out_is_fitted(folder):
    period = {"test": ["2001-03-01", "2009-01-01"], "spin_up": 500}
    found = prepare_fitting(config(period=period), folder)
    np.testing.assert_array_equal(found.train, ~found.test)
    assert found.train.sum() == 59
    assert found.spin_up == DAYS


def test_evapotranspiration_is_what_the_data_call_evaporation(folder):
    found = prepare_fitting(config(observed=[{"variable": "evapotranspiration"}]), folder)
    series = seen(folder, "evaporation").astype(np.float32)
    np.testing.assert_array_equal(found.observed["evapotranspiration"], series)


def test_gaps_of_the_weather_are_filled_and_told(folder):
    notes = prepare_fitting(config(), folder).notes
    assert "temperature: of 300 values, 2 by linear" in notes
    assert "evaporation: PenmanMonteith" in notes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_numbers_are_of_one_type(folder, dtype):
    observed = [
        {"variable": "runoff", "loss": "gaussian"},
        {"variable": "evapotranspiration", "loss": "huber"},
    ]
    train = ["k1", "errors.runoff.sigma"]
    found = prepare_fitting(config(observed=observed, train=train, dtype=dtype), folder)
    assert found.problem.before().dtype == dtype
    assert found.problem.forcing.precipitation.dtype == dtype
    assert found.problem.targets[1].loss.limit.dtype == dtype


def test_a_cluster_that_is_missing_is_named(folder):
    sharing = {"by_cluster": ["k1"], "clusters": "region"}
    with pytest.raises(InputError, match=r"region is missing at 1 sites \(first: temperate"):
        prepare_fitting(config(sharing=sharing), folder)
    data = {"sites": "sites.nc", "only": ["oceanic meadow", "southern pampa"]}
    found = prepare_fitting(config(sharing=sharing, data=data), folder)
    assert found.clusters.tolist() == [1.0, 2.0]


@pytest.mark.slow
def test_a_twin_is_the_model_with_its_truth_and_noise(folder):
    """Its sigma is the noise; what the errors do not have is at its bound."""
    train = ["k1", "errors.runoff.sigma", "errors.runoff.memory"]
    observed = [{"variable": "runoff", "loss": "gaussian"}]
    given = config(train=train, observed=observed, twin={"noise": 0.1})
    found = prepare_fitting(given, folder)
    truth = found.problem.coordinates.table(found.truth)
    np.testing.assert_allclose(truth[:, 1], 0.1, rtol=1e-5)
    np.testing.assert_allclose(truth[:, 2], 0.0, atol=2e-4)
    assert len({*truth[:, 0]}) == 3
    numbers = {**found.problem.own, "k1": np.asarray(truth[:, 0], np.float32)}
    series = simulate_targets(found.problem, numbers, found.forcing, found.spin_up)["runoff"]
    noise = found.observed["runoff"] - series
    assert noise.shape == (3, DAYS)
    # Three standard deviations of the estimate from 300 draws.
    np.testing.assert_allclose(noise.std(), 0.1, rtol=3.0 / 600**0.5)
    again = prepare_fitting(given, folder)
    np.testing.assert_array_equal(again.observed["runoff"], found.observed["runoff"])
