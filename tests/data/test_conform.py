"""Conforming renames, converts, masks, and says so."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.conform import Origin, Source, conform, upright
from diffhydro.errors import InputError

ORIGIN = Origin("a product", (Path("somewhere/a.nc"), Path("b.nc")))


def dataset(values, **attributes):
    return xr.Dataset({"t2m": (("site", "time"), np.asarray(values), attributes)})


def test_units_missing_codes_and_impossible_values():
    found = dataset([[273.15, 300.0, -9999.0, 1e300, np.nan, 20.0]], units="K")
    made = conform(found, {"t2m": Source("temperature", missing=(-9999.0,))}, ORIGIN)
    values = made["temperature"]
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0, :2], [0.0, 26.85], atol=1e-5)
    assert np.isnan(values[0, 2:]).all()
    assert values.attrs["masked_outside_range"] == 2  # 1e300 K and 20 K; −9999 is a code
    assert values.attrs["units"] == "degC"
    assert (values.attrs["source_name"], values.attrs["source_unit"]) == ("t2m", "K")
    assert made.attrs["files"] == "a.nc, b.nc"


def test_lazy_stays_lazy_and_equal():
    pytest.importorskip("dask")
    found = dataset(np.linspace(250.0, 310.0, 40).reshape(4, 10), units="K")
    sources = {"t2m": Source("temperature")}
    eager, lazy = conform(found, sources, ORIGIN), conform(found.chunk(site=2), sources, ORIGIN)
    assert lazy["temperature"].chunks is not None
    np.testing.assert_array_equal(lazy["temperature"].values, eager["temperature"].values)


def test_keys_keep_all_their_digits():
    found = xr.Dataset({"mukey": (("y", "x"), np.array([[2**31 + 1]], np.uint32))})
    made = conform(found, {"mukey": Source("map_unit")}, ORIGIN)
    assert int(made["map_unit"][0, 0]) == 2**31 + 1


def test_nothing_known_and_unknown_units_are_refused():
    with pytest.raises(InputError, match=r"a\.nc has none of the variables of a product"):
        conform(dataset([[1.0]]), {"other": Source("temperature")}, ORIGIN)
    with pytest.raises(InputError, match=r"t2m in a\.nc is in 'furlong'"):
        conform(dataset([[1.0]], units="furlong"), {"t2m": Source("temperature")}, ORIGIN)


def test_maps_are_turned_without_being_computed():
    latitude, longitude = np.array([-10.0, 0.0, 10.0]), np.array([0.0, 90.0, 180.0, 270.0])
    values = np.arange(12.0).reshape(3, 4)
    found = xr.Dataset(
        {"t": (("y", "x"), values)},
        {"latitude": ("y", latitude), "longitude": ("x", longitude)},
    )
    made = upright(found)
    np.testing.assert_array_equal(made["latitude"], [10.0, 0.0, -10.0])
    np.testing.assert_array_equal(made["longitude"], [-180.0, -90.0, 0.0, 90.0])
    for row, column in ((0, 0), (2, 3)):
        north, east = float(made["latitude"][row]), float(made["longitude"][column]) % 360.0
        at = list(latitude).index(north), list(longitude).index(east)
        assert float(made["t"][row, column]) == values[at]


def test_a_thousand_files_are_named_by_their_ends():
    files = tuple(Path(f"{i:04d}.nc") for i in range(1000))
    assert Origin("p", files).attributes()["files"] == "0000.nc, … 998 more …, 0999.nc"
