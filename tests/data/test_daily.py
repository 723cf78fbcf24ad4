"""Days from hours: enough records, the right side of midnight."""

import numpy as np
import pytest

from diffhydro.data.daily import daily

HOURS = np.datetime64("2020-03-01T00", "h") + np.arange(72)


def test_the_mean_of_rates_is_the_total():
    rain = np.zeros(72)
    rain[30] = 24.0 * 6.0  # 6 mm in an hour, as mm/day
    days, means = daily(HOURS, rain)
    np.testing.assert_allclose(means, [0.0, 6.0, 0.0])
    assert str(days[1]) == "2020-03-02"


@pytest.mark.parametrize(("missing", "kept"), [(6, True), (7, False)])
def test_a_day_needs_three_quarters(missing, kept):
    values = np.ones(72)
    values[24 : 24 + missing] = np.nan
    assert np.isfinite(daily(HOURS, values)[1][1]) == kept


def test_the_end_at_midnight_belongs_to_the_day_before():
    ends = HOURS[:24] + 1
    days, means = daily(ends, np.arange(24.0), stamp="end")
    assert len(days) == 1
    assert means[0] == pytest.approx(11.5)
    days, _ = daily(ends, np.arange(24.0), stamp="instant")
    assert len(days) == 2


def test_days_without_records_are_there_and_missing():
    times = HOURS[[*range(24), *range(48, 72)]]
    days, means = daily(times, np.ones(48))
    assert len(days) == 3
    assert np.isnan(means[1])
    assert daily(times[:0], np.ones(0))[0].size == 0
