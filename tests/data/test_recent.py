"""Recent means: limits, laws, and what is refused."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.recent import recent_mean, with_recent
from diffhydro.errors import InputError

RAIN = np.random.default_rng(0).gamma(0.3, 10.0, (2, 900))


def test_a_memory_of_one_record_is_the_series():
    np.testing.assert_allclose(recent_mean(RAIN, 1.0), RAIN, rtol=1e-12, atol=1e-13)


def test_a_constant_is_its_own_mean():
    assert np.allclose(recent_mean(np.full((1, 500), 3.0), 20.0), 3.0, rtol=1e-14)


def test_what_happened_fades_by_the_same_share_every_day():
    series = np.zeros((1, 800))
    series[0, 400] = 10.0
    found = recent_mean(series, 5.0)[0]
    assert found[399] == 0.0
    np.testing.assert_allclose(found[401:420] / found[400:419], 0.8, rtol=1e-12)


def test_the_future_does_not_count():
    other = RAIN.copy()
    other[:, 600:] += 7.0
    assert np.array_equal(recent_mean(RAIN, 30.0)[:, :600], recent_mean(other, 30.0)[:, :600])


def test_a_long_memory_keeps_the_mean():
    assert np.isclose(recent_mean(RAIN, 30.0).mean(), RAIN.mean(), rtol=0.1)


def test_a_memory_begins_with_the_mean_of_the_first_year():
    series = np.full((1, 900), 9.0)
    series[0, :365] = np.linspace(1.0, 3.0, 365)
    assert np.isclose(recent_mean(series, 4.0)[0, 0], 2.0 + (1.0 - 2.0) / 4.0, rtol=1e-12)


def test_single_precision_is_that_of_the_series_alone():
    small = RAIN.astype(np.float32)
    expected = recent_mean(small.astype(np.float64), 30.0).astype(np.float32)
    assert np.array_equal(recent_mean(small, 30.0), expected)


def test_gaps_and_short_memories_are_refused():
    with pytest.raises(InputError, match="1 or more"):
        recent_mean(RAIN, 0.5)
    with pytest.raises(InputError, match="fill them first"):
        recent_mean(np.array([[1.0, np.nan]]), 3.0)


def test_series_are_added_by_name():
    data = xr.Dataset({"precipitation": (("site", "time"), RAIN.astype(np.float32))})
    found = with_recent(data, {"precipitation": (3, 30)})
    assert found["precipitation_30"].dtype == np.float32
    assert np.array_equal(
        found["precipitation_3"].values, recent_mean(RAIN.astype(np.float32), 3.0)
    )
    turned = with_recent(data.transpose("time", "site"), {"precipitation": (3, 30)})
    xr.testing.assert_equal(turned.transpose("site", "time"), found)
    with pytest.raises(InputError, match="snow"):
        with_recent(data, {"snow": (3,)})
