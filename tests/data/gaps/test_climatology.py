import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.gaps import Climatology, Method, day_of_year
from diffhydro.errors import InputError
from tests.data.gaps.series import check_law, days, holed, weather


def test_days_of_the_year_do_not_slip_after_a_leap_day():
    times = np.array(["2019-02-28", "2019-03-01", "2020-02-29", "2020-12-31"], "datetime64[D]")
    assert day_of_year(times).tolist() == [58, 60, 59, 365]
    year = np.datetime64("2020-01-01") + np.arange(366)
    np.testing.assert_array_equal(day_of_year(year), np.arange(366))


@settings(deadline=None)
@given(holed(), st.integers(0, 40), st.integers(1, 30))
def test_fills_only_where_enough_is_known(values, limit, least):
    filled = Climatology(reach=10, least=least, limit=limit).fill(values, days(values.shape[1]))
    check_law(filled, values)
    assert set(np.unique(filled.methods)) <= {Method.AS_FOUND, Method.CLIMATOLOGY}
    for row, made in zip(values, filled.filled, strict=True):
        there = ~np.isnan(row)
        for t in np.flatnonzero(made):
            assert there[max(t - 10, 0) : t + 11].sum() >= least


def by_hand(values, times, reach, day):
    """The definition, one value after the other."""
    total = weight = 0.0
    for value, other in zip(values, day_of_year(times), strict=True):
        apart = min(abs(day - other), 366 - abs(day - other))
        k = max(1.0 - (apart / (reach + 1.0)) ** 2, 0.0)
        if not np.isnan(value):
            total, weight = total + k * value, weight + k
    return total / weight


def test_the_course_is_its_definition_over_new_year_too():
    length = 3 * 365
    values = weather(1, length)
    values[0, 100:180] = np.nan
    course = Climatology(reach=12).course(values, days(length))
    for day in (0, 1, 59, 150, 364, 365):
        assert course[0, day] == pytest.approx(by_hand(values[0], days(length), 12, day), rel=1e-12)


@settings(deadline=None)
@given(st.integers(0, 365), st.integers(0, 30))
def test_a_constant_is_its_own_climatology(shift, reach):
    times = days(800) + shift
    course = Climatology(reach=reach, least=1).course(np.full((1, 800), 0.3), times)
    # The 29th of February is in these 800 days only for some shifts; reach 0 has it only then.
    there = ~np.isnan(course)
    assert there.sum() >= 365
    np.testing.assert_allclose(course[there], 0.3, rtol=1e-12)


def test_only_the_period_is_learned_from():
    length = 4 * 365
    values = weather(1, length)
    times = days(length)
    values[0, 100:110] = np.nan
    early = Climatology(period=("2018-11-15", "2020-11-14"))
    expected = early.fill(values, times).values[0, 100:110]
    changed = values.copy()
    changed[0, times > np.datetime64("2020-11-14")] += 5.0
    np.testing.assert_array_equal(early.fill(changed, times).values[0, 100:110], expected)
    assert (Climatology().fill(changed, times).values[0, 100:110] > expected + 1.0).all()
    with pytest.raises(InputError, match="no record lies in the period from 1990-01-01"):
        Climatology(period=("1990-01-01", "1991-01-01")).fill(values, times)
