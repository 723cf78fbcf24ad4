"""Start windows: where they may begin, and what they tell."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.start_windows import StartWindows
from diffhydro.errors import InputError

DAYS = 200
WINDOWS = StartWindows(series=("warmth",), days=10, least=4)


def sites() -> xr.Dataset:
    rng = np.random.default_rng(0)
    seen = rng.uniform(0.1, 0.4, (3, DAYS))
    seen[rng.uniform(size=seen.shape) < 0.5] = np.nan
    seen[1, :50] = np.nan
    held = {"soil_moisture": seen, "warmth": rng.normal(size=seen.shape)}
    return xr.Dataset({name: (("site", "time"), x) for name, x in held.items()}, {"site": [*"abc"]})


def test_a_window_may_begin_where_enough_was_observed():
    data = sites()
    known = np.isfinite(data["soil_moisture"].values)
    possible = WINDOWS.possible(data)
    for site in range(3):
        for day in range(DAYS):
            whole = day + 10 <= DAYS
            assert possible[site, day] == (whole and known[site, day : day + 10].sum() >= 4)


def test_the_first_window_is_the_first_that_may_be():
    found = WINDOWS.first(sites())
    possible = WINDOWS.possible(sites())
    for site, day in enumerate(found):
        assert possible[site, day]
        assert not possible[site, :day].any()
    assert found[1] > 40


def test_windows_are_drawn_where_they_may_be_and_from_one_seed():
    drawn = WINDOWS.drawn(sites(), 500, seed=3)
    possible = WINDOWS.possible(sites())
    assert possible[np.arange(3)[:, None], drawn].all()
    assert np.array_equal(drawn, WINDOWS.drawn(sites(), 500, seed=3))
    assert not np.array_equal(drawn, WINDOWS.drawn(sites(), 500, seed=4))
    assert len(np.unique(drawn[0])) > 0.8 * possible[0].sum()


def test_what_is_told_is_of_the_observed_days_of_the_window_alone():
    data = sites()
    told = WINDOWS.describe(data, WINDOWS.first(data))
    assert tuple(told) == WINDOWS.names
    seen, warmth = data["soil_moisture"].values, data["warmth"].values
    for site, day in enumerate(WINDOWS.first(data)):
        mine = seen[site, day : day + 10]
        there = np.isfinite(mine)
        expected = [mine[there].mean(), mine[there].min(), mine[there].max(), mine[there].std()]
        expected.append(warmth[site, day : day + 10][there].mean())
        np.testing.assert_allclose([told[n][site] for n in WINDOWS.names], expected, rtol=1e-6)


def test_many_windows_are_described_as_one_by_one():
    data = sites()
    drawn = WINDOWS.drawn(data, 5, seed=0)
    together = WINDOWS.describe(data, drawn)
    for i in range(5):
        for name, x in WINDOWS.describe(data, drawn[:, i]).items():
            assert np.array_equal(together[name][:, i], x)


def test_judged_days_come_after_the_window():
    judged = WINDOWS.after(np.array([0, 7]), DAYS)
    assert judged[0].tolist() == [False] * 10 + [True] * (DAYS - 10)
    assert judged[1].sum() == DAYS - 17


def test_sites_without_a_window_are_named():
    data = sites()
    data["soil_moisture"][2] = np.nan
    with pytest.raises(InputError, match="first: c"):
        WINDOWS.first(data)
    with pytest.raises(InputError, match="first: c"):
        WINDOWS.drawn(data, 3, seed=0)


@pytest.mark.parametrize(("days", "least"), [(10, 11), (10, 0)])
def test_impossible_windows_are_refused(days: int, least: int):
    with pytest.raises(InputError, match="start windows"):
        StartWindows(days=days, least=least)


def test_a_record_that_is_shorter_than_a_window_has_none():
    assert not WINDOWS.possible(sites().isel(time=slice(6))).any()


def test_names_and_depths_are_checked():
    data = sites()
    with pytest.raises(InputError, match="need warmth"):
        WINDOWS.describe(data.drop_vars("warmth"), WINDOWS.first(data))
    with pytest.raises(InputError, match="one depth"):
        WINDOWS.possible(data.expand_dims(depth=2))
