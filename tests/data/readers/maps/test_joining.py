from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.readers.maps.joining import joined
from diffhydro.errors import InputError


def piece(name, start, length, row=50.0, value=0.0, dask=True):
    times = np.datetime64(start, "ns") + np.arange(length) * np.timedelta64(1, "h")
    numbers = np.full((length, 2, 2), value) + np.arange(length)[:, None, None]
    made = xr.Dataset(
        {name: (("time", "y", "x"), numbers)},
        {"time": times, "latitude": ("y", [row, row - 1.0]), "longitude": ("x", [0.0, 1.0])},
    )
    return made.chunk({}) if dask else made


@pytest.mark.parametrize("dask", [True, False])
def test_files_in_any_order_are_put_in_order_and_gaps_stay(dask):
    late, early = (piece("rain", day, 3, dask=dask) for day in ("2020-01-02", "2020-01-01"))
    found = joined([(Path("late.nc"), late), (Path("early.nc"), early)])
    assert found["time"].values[3] == np.datetime64("2020-01-02")
    assert found.sizes["time"] == 6
    assert found["rain"].values[:, 0, 0].tolist() == [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]


def test_times_within_each_other_are_sorted():
    even, odd = piece("rain", "2020-01-01", 4), piece("rain", "2020-01-01", 4, value=10.0)
    parts = [(Path("even"), even.isel(time=[0, 2])), (Path("odd"), odd.isel(time=[1, 3]))]
    assert joined(parts)["rain"].values[:, 0, 0].tolist() == [0.0, 11.0, 2.0, 13.0]


def test_a_time_that_is_there_twice_is_refused_with_its_files():
    parts = [(Path("one.nc"), piece("rain", "2020-01-01", 3)),
             (Path("two.nc"), piece("rain", "2020-01-01T02", 3))]  # fmt: skip
    match = r"rain has 2020-01-01T02:00 twice, in one\.nc and in two\.nc \(1 such times\)"
    with pytest.raises(InputError, match=match):
        joined(parts)


def test_variables_of_other_times_are_missing_where_they_are_not():
    parts = [
        (Path("a"), piece("rain", "2020-01-01", 2)),
        (Path("b"), piece("sun", "2020-01-01T01", 2)),
    ]
    found = joined(parts)
    assert found.sizes["time"] == 3
    np.testing.assert_array_equal(found["rain"].values[:, 0, 0], [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(found["sun"].values[:, 0, 0], [np.nan, 0.0, 1.0])


def test_grids_that_differ_are_refused_and_those_of_other_precision_are_not():
    first = piece("rain", "2020-01-01", 1)
    for row, same in ((50.00001, True), (50.1, False)):
        parts = [(Path("a.nc"), first), (Path("b.nc"), piece("rain", "2020-01-02", 1, row=row))]
        if same:
            assert joined(parts)["latitude"].values[0] == 50.0
        else:
            with pytest.raises(InputError, match=r"a\.nc and b\.nc have different grids"):
                joined(parts)
