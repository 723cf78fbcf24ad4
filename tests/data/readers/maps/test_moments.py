import numpy as np
import pytest

from diffhydro.data.readers.maps.moments import moments
from diffhydro.errors import InputError


@pytest.mark.parametrize(
    ("number", "units", "time"),
    [
        (964248, "hours since 1900-01-01 00:00:00.0", "2010-01-01"),
        (7889580.0, " minutes since 2000-01-01 03:00:00", "2015-01-01"),
        (1736899200, "seconds since 1970-01-01", "2025-01-15"),
        (643852800, "seconds since 1980-01-06 00:00:00 UTC", "2000-06-01"),
        (43819.5, "days since 1901-1-1", "2020-12-21T12:00"),
        (0, "seconds since 1970-01-01T00:00:00", "1970-01-01"),
    ],
)
def test_epochs_as_products_write_them(number, units, time):
    found = moments(np.array([number]), {"units": units}, "here")
    assert found[0] == np.datetime64(time, "ns")


def test_other_calendars_are_refused_by_name():
    about = {"units": "days since 1901-01-01", "calendar": "noleap"}
    with pytest.raises(InputError, match=r"a\.nc counts its days by the calendar noleap"):
        moments(np.array([0]), about, "a.nc")
    assert moments(np.array([0]), about | {"calendar": "julian"}, "a.nc")[0].astype(str) == (
        "1901-01-01T00:00:00.000000000"
    )


@pytest.mark.parametrize("units", [None, 3, "days since yesterday", "days since 1901-13-01"])
def test_what_is_no_epoch_is_refused(units):
    with pytest.raises(InputError, match="here has"):
        moments(np.array([0]), {"units": units}, "here")
