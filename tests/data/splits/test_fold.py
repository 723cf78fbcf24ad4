import numpy as np
import pytest
import xarray as xr

from diffhydro.data.places import Places
from diffhydro.data.splits import Fold, Part
from diffhydro.errors import InputError

JANUARY = np.datetime64("2020-01-01") + np.arange(31)
PLACES = Places(tuple("abc"), np.array([0.0, 5.0, 9.0]), np.zeros(3), JANUARY)


def part(sites, first=0, last=31):
    times = np.zeros(31, bool)
    times[first:last] = True
    return Part.make(PLACES, np.array(sites), times)


def test_a_fold_that_leaks_cannot_be_made():
    Fold("fine", part([0, 1], 0, 10), part([1, 2], 10, 20))
    with pytest.raises(InputError, match="fold bad has records in both train and test"):
        Fold("bad", part([0, 1], 0, 11), part([1, 2], 10, 20))
    with pytest.raises(InputError, match="in both test and validation"):
        Fold("bad", part([0]), part([1]), Part.make(PLACES, np.array([1, 2])))
    with pytest.raises(InputError, match="nothing to test with"):
        Fold("bad", part([0]), part([1], 5, 5))


def test_parts_take_their_sites_and_times():
    found = xr.Dataset({"x": (("site", "time"), np.arange(93.0).reshape(3, 31))})
    taken = part([0, 2], 3, 5).take(found)
    np.testing.assert_array_equal(taken["x"], [[3.0, 4.0], [65.0, 66.0]])
    assert Part.make(PLACES, np.array([True, False, True])).names == ("a", "c")
