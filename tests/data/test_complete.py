"""Weather made whole: estimates are marked and counted, and nothing observed changes."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.complete import complete, daily_from_monthly
from diffhydro.data.embedded import embedded_weather
from diffhydro.data.gaps.filled import Method


@pytest.fixture(scope="module")
def whole():
    return embedded_weather().isel(site=[3, 5])


@pytest.fixture
def holes(whole):
    """Short and long gaps of what changes smoothly, and of rain."""
    found = whole.copy(deep=True)
    found["temperature"][0, 100:103] = np.nan
    found["temperature"][1, 300:320] = np.nan
    found["precipitation"][0, 50:52] = np.nan
    return found


def test_what_is_whole_stays_as_it_is(whole):
    same, notes = complete(whole)
    xr.testing.assert_identical(same, whole)
    assert notes == []


def test_nothing_observed_changes_and_every_estimate_is_marked(holes):
    filled, _ = complete(holes)
    for name in ("temperature", "precipitation"):
        observed = np.isfinite(holes[name].values)
        np.testing.assert_array_equal(filled[name].values[observed], holes[name].values[observed])
        assert np.isfinite(filled[name]).all()
        np.testing.assert_array_equal(filled[f"{name}_filled"].values > 0, ~observed)
    untouched = set(holes.data_vars) - {"temperature", "precipitation"}
    xr.testing.assert_identical(filled[sorted(untouched)], holes[sorted(untouched)])


def test_short_gaps_are_bridged_and_the_rest_is_as_usual(holes):
    filled, notes = complete(holes)
    how = filled["temperature_filled"].values
    assert (how[0, 100:103] == Method.LINEAR).all()
    assert (how[1, 300:320] == Method.CLIMATOLOGY).all()
    ends = holes["temperature"].values[0, [99, 103]]
    line = np.interp(np.arange(100, 103), [99, 103], ends)
    np.testing.assert_allclose(filled["temperature"].values[0, 100:103], line)
    assert "temperature: of 2190 values, 3 by linear, 20 by climatology" in notes


def test_rain_is_never_a_line(holes):
    """A line between two wet days would make rain of every gap."""
    filled, notes = complete(holes)
    assert (filled["precipitation_filled"].values[0, 50:52] == Method.CLIMATOLOGY).all()
    assert "precipitation: of 2190 values, 2 by climatology" in notes


def test_what_cannot_be_filled_is_told(whole):
    nothing = whole.copy(deep=True)
    nothing["wind"] = nothing["temperature"] * np.nan
    filled, notes = complete(nothing)
    assert np.isnan(filled["wind"]).all()
    assert notes == ["wind: of 2190 values, 2190 left missing"]


MONTHLY = 2.0 + np.array([[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 5.5, 5.0, 4.0, 3.0, 2.0, 1.2]])


def days(first, last):
    return np.arange(np.datetime64(first), np.datetime64(last) + 1)


def test_leaves_are_the_same_in_every_year_and_join_at_new_year():
    times = days("2018-01-01", "2021-12-31")
    leaves = daily_from_monthly(MONTHLY, times)[0]
    np.testing.assert_array_equal(leaves[:365], leaves[365:730])
    steps = np.abs(np.diff(leaves))
    new_year = np.flatnonzero((times[1:] - times[1:].astype("datetime64[Y]")).astype(int) == 0)
    # The steepest line between two middles of months, for at most the 1.25 days that a year of
    # 365 or 366 is off 365.2425.
    slope = np.abs(np.diff(MONTHLY[0])).max() / 29.5
    assert steps.max() <= 1.25 * slope + 1e-12
    assert steps[new_year].max() <= 1.25 * np.abs(MONTHLY[0, 0] - MONTHLY[0, -1]) / 31.2 + 1e-12


def test_leaves_meet_their_months_in_the_middle():
    times = days("2019-01-01", "2019-12-31")
    leaves = daily_from_monthly(MONTHLY, times)[0]
    middle = times.astype("datetime64[M]").astype("datetime64[D]") + 15 == times
    np.testing.assert_allclose(leaves[middle], MONTHLY[0], atol=0.05)
    flat = daily_from_monthly(np.full((2, 12), 3.0), times)
    np.testing.assert_array_equal(flat, 3.0)


def test_monthly_leaves_are_drawn_only_where_there_are_no_daily_ones(whole):
    monthly = np.repeat(MONTHLY, 2, axis=0)
    both = whole.assign(leaf_area_monthly=(("site", "month"), monthly))
    xr.testing.assert_identical(complete(both)[0], both)
    made, notes = complete(both.drop_vars("leaf_area"))
    expected = daily_from_monthly(monthly, whole["time"].values)
    np.testing.assert_allclose(made["leaf_area"], expected, rtol=1e-6)
    assert notes == ["leaf area from its monthly means, the same in every year"]
