"""Sums since 00 UTC against hours added up by hand."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.readers.maps.accumulation import day_totals, not_below, per_hour
from diffhydro.errors import InputError

START = np.datetime64("2020-03-01T05", "ns")
# What came in the hours that end at 05, 06, … on the first day, and on through the third.
CAME = np.arange(1.0, 1.0 + 48.0)


def growing(came=CAME, start=START, keep=None, step=1):
    """Add up hours from the first of each day, as ERA5-Land does; 00 UTC ends a day."""
    times = start + np.arange(len(came)) * np.timedelta64(step, "h")
    days = (times - np.timedelta64(1, "ns")).astype("datetime64[D]")
    sums = [
        came[(days == day) & (times <= time)].sum() for time, day in zip(times, days, strict=True)
    ]
    made = xr.DataArray(sums, {"time": times}, ["time"])
    return made if keep is None else made.isel(time=np.flatnonzero(keep))


@pytest.mark.parametrize("dask", [False, True])
def test_hours_are_differences_that_begin_anew_after_midnight(dask):
    sums = growing()
    found = per_hour(sums.chunk(time=5) if dask else sums)
    assert (found.chunks is not None) == dask
    # The first hour is the sum since 00 UTC of five: what came in it is not known.
    assert np.isnan(found.values[0])
    np.testing.assert_allclose(found.values[1:], CAME[1:])


def test_a_series_that_starts_with_the_first_hour_of_a_day_is_whole():
    sums = growing(start=np.datetime64("2020-03-01T01", "ns"))
    np.testing.assert_allclose(per_hour(sums).values, CAME)


def test_the_hour_after_a_missing_one_is_missing_and_no_other():
    keep = np.ones(48, bool)
    keep[[6, 19, 30]] = False  # 11 UTC, 00 UTC, 11 UTC
    found = per_hour(growing(keep=keep))
    expected = np.where(np.isin(np.arange(48), [0, 7, 31]), np.nan, CAME)[keep]
    # After 00 UTC sums begin anew: the hour until 01 UTC needs nothing before it.
    np.testing.assert_allclose(found.values, expected)


def test_a_value_that_is_missing_takes_the_next_hour_with_it():
    sums = growing()
    sums[8] = np.nan
    found = per_hour(sums).values
    assert np.flatnonzero(np.isnan(found)).tolist() == [0, 8, 9]


def test_every_third_hour_gives_means_of_three():
    sums = growing(came=np.full(16, 6.0), start=np.datetime64("2020-03-01T03", "ns"), step=3)
    np.testing.assert_allclose(per_hour(sums).values, 2.0)


def test_only_midnights_give_days():
    times = np.datetime64("2020-03-01", "ns") + np.arange(3) * np.timedelta64(1, "D")
    sums = xr.DataArray([24.0, 48.0, 12.0], {"time": times}, ["time"])
    np.testing.assert_allclose(per_hour(sums).values, [1.0, 2.0, 0.5])


def test_one_noon_a_day_is_refused():
    times = np.datetime64("2020-03-01T12", "ns") + np.arange(3) * np.timedelta64(1, "D")
    with pytest.raises(InputError, match="expected every hour, or 00 UTC of every day"):
        per_hour(xr.DataArray([1.0, 1.0, 1.0], {"time": times}, ["time"]))


def test_a_day_is_the_sum_at_00_utc_of_the_next():
    found = day_totals(growing())
    assert found["time"].values.astype("datetime64[D]").astype(str).tolist() == [
        "2020-03-01", "2020-03-02"
    ]  # fmt: skip
    np.testing.assert_allclose(found.values, [CAME[:20].sum(), CAME[20:44].sum()])
    with pytest.raises(InputError, match="no 00 UTC"):
        day_totals(growing(came=CAME[:3]))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 50.0), min_size=24, max_size=24), st.integers(1, 7))
def test_hours_of_a_day_add_up_to_its_total(came, chunk):
    start = np.datetime64("2020-03-01T01", "ns")
    sums = growing(came=np.array(came), start=start)
    hours = per_hour(sums.chunk(time=chunk)).values
    np.testing.assert_allclose(hours.sum(), day_totals(sums).values[0], rtol=1e-9, atol=1e-9)


def test_rounding_below_zero_is_zero_and_a_real_loss_is_not():
    values = xr.DataArray([-1e-6, -1e-3, 0.0, 2.0, np.nan])
    np.testing.assert_array_equal(not_below(values, 1e-5), [0.0, -1e-3, 0.0, 2.0, np.nan])
