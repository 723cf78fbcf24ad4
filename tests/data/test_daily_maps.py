"""Days of maps against days of single series, and against averages by hand."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.daily import daily
from diffhydro.data.daily_maps import daily_map
from diffhydro.errors import InputError


def maps(values, start="2020-03-01", step=1, name="temperature", stamp="instant", chunks=None):
    times = np.datetime64(start, "ns") + np.arange(len(values)) * np.timedelta64(step, "h")
    made = xr.Dataset(
        {name: (("time", "y", "x"), np.asarray(values, np.float32), {"stamp": stamp})},
        {"time": times, "latitude": ("y", np.arange(values.shape[1])[::-1] * 1.0)},
        {"product": "test"},
    )
    return made if chunks is None else made.chunk(chunks)


@settings(max_examples=40, deadline=None)
@given(
    hours=st.integers(48, 90),
    first=st.integers(0, 23),
    stamp=st.sampled_from(["start", "end", "instant"]),
    chunk=st.integers(1, 40),
    gaps=st.floats(0.0, 0.6),
    seed=st.integers(0, 99),
)
def test_every_cell_is_what_its_series_is(hours, first, stamp, chunk, gaps, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-20.0, 40.0, (hours, 2, 3)).astype(np.float32)
    values[rng.random(values.shape) < gaps] = np.nan
    start = f"2020-03-01T{first:02d}"
    eager = daily_map(maps(values, start, stamp=stamp))["temperature"]
    lazy = daily_map(maps(values, start, stamp=stamp, chunks={"time": chunk, "x": 2}))
    assert lazy["temperature"].chunks is not None
    np.testing.assert_array_equal(lazy["temperature"].values, eager.values)
    times = maps(values, start)["time"].values
    for y in range(2):
        for x in range(3):
            days, means = daily(times, values[:, y, x].astype(np.float64), stamp=stamp)
            here = np.isin(days, eager["time"].values.astype("datetime64[D]"))
            np.testing.assert_allclose(eager.values[:, y, x], means[here], rtol=1e-5, atol=1e-5)
            assert np.isnan(means[~here]).all()


@pytest.mark.parametrize("most", [1, 100, 1000])
def test_whole_days_of_large_maps_are_split_by_rows(monkeypatch, most):
    monkeypatch.setattr("diffhydro.data.daily_maps._MOST", most)
    values = np.random.default_rng(0).uniform(-20.0, 40.0, (48, 5, 3))
    lazy = daily_map(maps(values, chunks={"time": 1}))["temperature"]
    assert max(lazy.chunks[1]) == {1: 1, 100: 1, 1000: 5}[most]
    np.testing.assert_array_equal(lazy.values, daily_map(maps(values))["temperature"].values)


def test_the_last_hour_of_a_day_is_stamped_with_the_next():
    rain = np.zeros((49, 1, 1))
    rain[24] = 24.0  # ends at 00 of the second day: fell on the first
    found = daily_map(maps(rain, name="precipitation", stamp="end"))["precipitation"]
    assert found["time"].values.astype("datetime64[D]").astype(str).tolist() == [
        "2020-03-01", "2020-03-02"
    ]  # fmt: skip
    np.testing.assert_allclose(found.values[:, 0, 0], [1.0, 0.0])
    assert found.attrs["stamp"] == "start"


def test_maxima_stay_maxima_and_extremes_are_made_on_demand():
    hours = np.arange(48.0).reshape(48, 1, 1)
    given_max = maps(hours, name="temperature_max", stamp="end", start="2020-03-01T01")
    found = daily_map(given_max)["temperature_max"]
    np.testing.assert_array_equal(found.values[:, 0, 0], [23.0, 47.0])
    made = daily_map(maps(hours), extremes=("temperature",))
    np.testing.assert_array_equal(made["temperature_max"].values[:, 0, 0], [23.0, 47.0])
    np.testing.assert_array_equal(made["temperature_min"].values[:, 0, 0], [0.0, 24.0])
    np.testing.assert_array_equal(made["temperature"].values[:, 0, 0], [11.5, 35.5])
    assert made["temperature_max"].attrs["cell_methods"] == "time: maximum"
    with pytest.raises(InputError, match="no wind to take extremes of; there is temperature"):
        daily_map(maps(hours), extremes=("wind",))


def test_half_hours_and_three_hours_know_how_many_make_a_day():
    three = daily_map(maps(np.ones((16, 1, 1)), step=3))
    assert three.sizes["time"] == 2
    few = maps(np.ones((16, 1, 1)), step=3).isel(time=slice(0, 13))
    assert daily_map(few).sizes["time"] == 1  # 5 of 8 records, and 0.75 are asked for
    assert daily_map(few, least=0.6).sizes["time"] == 2
    times = np.datetime64("2020-03-01", "ns") + np.arange(96) * np.timedelta64(30, "m")
    half = xr.Dataset({"precipitation": ("time", np.full(96, 24.0, np.float32))}, {"time": times})
    np.testing.assert_allclose(daily_map(half)["precipitation"].values, 24.0)


def test_days_without_records_between_others_are_missing():
    whole = maps(np.ones((96, 1, 1)))
    found = daily_map(whole.isel(time=[*range(24), *range(72, 96)]))["temperature"]
    np.testing.assert_array_equal(found.values[:, 0, 0], [1.0, np.nan, np.nan, 1.0])


def test_sunshine_of_an_hour_passes_and_of_a_day_is_held_against_the_schema():
    noon = np.zeros((24, 1, 2))
    noon[10:14, 0, 0], noon[:, 0, 1] = 1000.0, 900.0
    found = daily_map(maps(noon, name="shortwave", stamp="start"))["shortwave"]
    np.testing.assert_allclose(found.values[0, 0], [4000.0 / 24.0, np.nan])
    assert found.attrs["valid_range"] == [-0.5, 650.0]


def test_depths_coordinates_and_what_has_no_time_are_kept():
    values = np.arange(48.0).reshape(24, 2, 1)
    found = maps(values, name="soil_moisture").rename(y="depth").drop_vars("latitude") / 100.0
    found = found.assign(elevation=("x", [3.0])).assign_coords(depth=[35.0, 175.0])
    made = daily_map(found)
    assert made["depth"].values.tolist() == [35.0, 175.0]
    np.testing.assert_allclose(made["soil_moisture"].values[0, :, 0], [0.23, 0.24])
    assert made["elevation"].item() == 3.0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d.isel(time=slice(None, None, -1)), "times are not in order"),
        (lambda d: d.isel(time=[0]), "one time tells no step"),
        (lambda d: d.isel(time=0), "there are no times"),
        (lambda d: d.isel(time=slice(0, 9)), "no day has 18 records, of 9"),
        (lambda d: d.rename(temperature="land_cover"), "land_cover is a class"),
    ],
)
def test_what_makes_no_days_is_refused(change, match):
    with pytest.raises(InputError, match=match):
        daily_map(change(maps(np.ones((48, 1, 1)))))
