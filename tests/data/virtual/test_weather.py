"""Weather has the statistics it was made with, and a product of it is wrong by as much as said."""

import numpy as np
import pytest

from diffhydro.data.virtual.places import describe
from diffhydro.data.virtual.presets import PRESETS
from diffhydro.data.virtual.weather import Calendar, leaf_area, reported, weather
from diffhydro.land import air
from diffhydro.land.forcing import Forcing

CALENDAR = Calendar(np.datetime64("2011-01-01"), 6 * 365)


@pytest.fixture(scope="module")
def places():
    latitude, longitude = PRESETS["tiny"].cells()
    return describe(0, latitude[::3], longitude[::3])


@pytest.fixture(scope="module")
def true(places):
    made = weather(0, CALENDAR, places.climate, places.longitude)
    made["leaf_area"] = leaf_area(places.climate, places.mapped.evergreen, made)
    return made


@pytest.fixture(scope="module")
def said(places, true):
    return reported(0, places.climate, places.longitude, true)


def test_models_accept_truth_and_report(true, said):
    for series in (true, said):
        accepted = Forcing(**{name: np.asarray(x, np.float32) for name, x in series.items()})
        assert accepted.length == CALENDAR.days


def test_rain_adds_up_to_the_normals(places, true):
    ratio = 365.25 * true["precipitation"].mean(axis=1) / places.climate.rain
    # Wet and dry years: the median of six of them differs by 4 % from seed to seed.
    assert np.median(ratio) == pytest.approx(1.0, abs=0.12)
    assert (np.abs(np.log(ratio)) < 0.7).mean() > 0.95


def test_wet_days_cling_together_and_are_heavy_tailed(true):
    rain = true["precipitation"]
    wet = rain > 0
    after_wet = (wet[:, 1:] & wet[:, :-1]).sum() / wet[:, :-1].sum()
    after_dry = (wet[:, 1:] & ~wet[:, :-1]).sum() / (~wet[:, :-1]).sum()
    assert after_wet > after_dry + 0.15
    scaled = np.concatenate([row[row > 0] / row[row > 0].mean() for row in rain])
    exponential = np.exp(-5.0)
    assert 1.3 * exponential < (scaled > 5.0).mean() < 6.0 * exponential


def test_neighbours_share_their_weather():
    near = describe(0, np.array([48.0, 48.3, 56.0]), np.array([10.0, 10.3, 30.0]))
    rain = weather(0, CALENDAR, near.climate, near.longitude)["precipitation"]
    close, far = (np.corrcoef(np.sqrt(rain[[0, i]]))[0, 1] for i in (1, 2))
    assert close > 0.7
    assert far < 0.4


def test_air_is_never_supersaturated_and_days_are_warmer_than_nights(true, said):
    for series in (true, said):
        assert (series["vapour_pressure"] <= 1.0001 * air.saturation(series["temperature"])).all()
        assert (series["temperature_max"] > series["temperature_min"]).all()


def test_leaves_follow_warmth_and_water(places, true):
    cold = places.climate.warmth < -12
    wet_tropics = (places.climate.warmth > 23) & (places.climate.aridity > 1.0)
    desert = places.climate.aridity < 0.15
    mean = true["leaf_area"].mean(axis=1)
    assert mean[wet_tropics].mean() > 3.0
    assert mean[desert].mean() < 0.8
    assert not cold.any() or mean[cold].mean() < 1.0


def test_the_report_is_wrong_by_as_much_as_it_says(true, said):
    rain, told = true["precipitation"], said["precipitation"]
    ratio = np.log(told[rain > 1] / rain[rain > 1])
    assert ratio.std() == pytest.approx(0.51, abs=0.08)  # √(0.5² + 0.1²)
    assert told.sum() / rain.sum() == pytest.approx(1.0, abs=0.1)
    assert (said["temperature"] - true["temperature"]).std() == pytest.approx(0.6, abs=0.1)
    assert not np.array_equal(said["leaf_area"], true["leaf_area"])
