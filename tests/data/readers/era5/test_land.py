"""ERA5-Land from files whose hours were added up by hand."""

import numpy as np
import pytest

from diffhydro.data.readers.era5.land import (
    looks_like_era5_land,
    read_era5_land,
    read_era5_land_days,
)
from diffhydro.errors import InputError
from tests.data.readers.map_files import grid, write

NAMES = ("latitude", "longitude")
VALID = ("valid_time", *NAMES)
ROWS, COLUMNS = [45.1, 45.0], [359.8, 359.9]
HOUR = np.timedelta64(1, "h")


def came(length, seed=0):
    """Give rain of hours, m: a third of them wet."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(length) < 0.3, rng.uniform(0.0, 0.004, length), 0.0)


def since_midnight(hours, times):
    days = (times - np.timedelta64(1, "s")).astype("datetime64[D]")
    both = zip(times, days, strict=True)
    return np.array([hours[(days == d) & (times <= t)].sum() for t, d in both])


def download(folder, start, length, name="download.nc", fields=("tp", "t2m"), keep=None):
    """Write hours as the store gives them, the same in all cells but one, which is sea."""
    times = np.datetime64(start, "s") + np.arange(length) * HOUR
    everywhere = np.ones((1, 2, 2), np.float32)
    everywhere[0, 1, 1] = np.nan
    series = {
        "tp": (since_midnight(came(length), times), "m"),
        "e": (-since_midnight(came(length, 1), times) / 10.0, "m of water equivalent"),
        "ssrd": (since_midnight(np.full(length, 3.6e5), times), "J m**-2"),
        "t2m": (280.0 + np.arange(length) % 24, "K"),
    }
    nothing = {"_FillValue": np.float32(np.nan)}
    chosen = slice(None) if keep is None else keep
    made = {
        n: (VALID, (series[n][0][:, None, None] * everywhere).astype(np.float32)[chosen],
            {"units": series[n][1], **nothing})
        for n in fields
    }  # fmt: skip
    about = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
    axes = grid(ROWS, COLUMNS, NAMES, np.float64)
    time = {"valid_time": (("valid_time",), times.astype(np.int64)[chosen], about)}
    return write(folder / name, axes | time | made)


def test_hours_are_the_rain_that_was_added_up(tmp_path):
    found = read_era5_land(download(tmp_path, "2020-02-28T05", 50))["precipitation"]
    expected = came(50) * 24_000.0
    assert np.isnan(found.values[0]).all()  # five hours in one sum
    np.testing.assert_allclose(found.values[1:, 0, 0], expected[1:], atol=0.02)
    assert np.isnan(found.values[:, 1, 1]).all()
    assert (found.values[1:, 0, 0][expected[1:] == 0.0] == 0.0).all()  # and not rounding
    assert found.attrs["stamp"] == "end"


def test_files_join_before_hours_are_taken_apart(tmp_path):
    whole = read_era5_land(download(tmp_path, "2020-02-28T01", 72, "whole.nc")).load()
    parts = [
        download(tmp_path, "2020-02-28T01", 72, "first.nc", keep=slice(0, 30)),
        download(tmp_path, "2020-02-28T01", 72, "second.nc", keep=slice(30, 72)),
    ]
    np.testing.assert_array_equal(read_era5_land(parts)["precipitation"], whole["precipitation"])


def test_a_missing_hour_costs_the_next_one(tmp_path):
    keep = np.ones(48, bool)
    keep[30] = False
    found = read_era5_land(download(tmp_path, "2020-02-28T01", 48, keep=keep))
    bad = np.isnan(found["precipitation"].values[:, 0, 0])
    assert found["time"].values[bad].tolist() == [np.datetime64("2020-02-29T08", "ns").astype(int)]


def test_signs_and_units(tmp_path):
    fields = ("e", "ssrd", "t2m")
    found = read_era5_land(download(tmp_path, "2020-02-28T01", 48, fields=fields))
    np.testing.assert_allclose(found["shortwave"].values[:, 0, 0], 100.0, rtol=1e-5)
    expected = came(48, 1) / 10.0 * 24_000.0
    np.testing.assert_allclose(found["evaporation"].values[:, 0, 0], expected, atol=0.02)


def test_days_are_the_sums_of_midnight_and_the_means_of_the_rest(tmp_path):
    path = download(tmp_path, "2020-02-28T01", 72, fields=("tp", "t2m", "ssrd"))
    days = read_era5_land_days(path)
    assert days["time"].values.astype("datetime64[D]").astype(str).tolist() == [
        "2020-02-28", "2020-02-29", "2020-03-01"
    ]  # fmt: skip
    totals = came(72).reshape(3, 24).sum(axis=1) * 1000.0
    np.testing.assert_allclose(days["precipitation"].values[:, 0, 0], totals, rtol=1e-5)
    np.testing.assert_allclose(days["shortwave"].values[:, 0, 0], 100.0, rtol=1e-5)
    hours = (280.0 + np.arange(72) % 24) - 273.15
    # Instants belong to the day that they are in: the first has 23, from 01 UTC.
    assert days["temperature"].values[0, 0, 0] == pytest.approx(hours[:23].mean(), rel=1e-5)
    assert days["precipitation"].attrs["stamp"] == "start"


def test_days_need_only_the_hours_at_midnight(tmp_path):
    keep = np.arange(96) % 24 == 23
    path = download(tmp_path, "2020-02-28T01", 96, fields=("tp",), keep=keep)
    totals = came(96).reshape(4, 24).sum(axis=1) * 1000.0
    found = read_era5_land_days(path)["precipitation"]
    np.testing.assert_allclose(found.values[:, 0, 0], totals, rtol=1e-5)
    rates = read_era5_land(path)["precipitation"]
    np.testing.assert_allclose(rates.values[:, 0, 0], totals, rtol=1e-5)


def test_days_of_what_has_no_sums(tmp_path):
    path = download(tmp_path, "2020-02-28T00", 48)
    found = read_era5_land_days(path, variables=["temperature"])
    np.testing.assert_allclose(found["temperature"].values[:, 0, 0], 11.5 + 6.85, rtol=1e-5)


def test_what_it_is_called_and_what_it_is_not(tmp_path):
    path = download(tmp_path, "2020-02-28T01", 24)
    assert looks_like_era5_land(path)
    assert looks_like_era5_land(tmp_path)
    assert not looks_like_era5_land(tmp_path / "nothing.nc")
    with pytest.raises(InputError, match="tp is in 'mm'; expected m or"):
        read_era5_land(_in_millimetres(path))


def _in_millimetres(path):
    import h5py

    with h5py.File(path, "a") as file:
        file["tp"].attrs["units"] = "mm"
    return path
