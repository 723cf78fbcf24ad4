import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.grids import RegularGrid, cell_means, nearest_at, spread_on
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE

GLOBE = RegularGrid.globe(30.0)


def stations(seed, count=12, times=4):
    rng = np.random.default_rng(seed)
    values = rng.random((count, times, 2)).astype(np.float32)
    values[rng.random(values.shape) < 0.4] = np.nan
    return xr.Dataset(
        {
            "soil_moisture": (("site", "time", "depth"), values),
            "elevation": ("site", rng.random(count) * 1000),
        },
        {
            "site": [f"s{i}" for i in range(count)],
            "latitude": ("site", rng.uniform(-85, 85, count)),
            "longitude": ("site", rng.uniform(-180, 180, count)),
            "depth": [50.0, 100.0],
            "top": ("depth", [0.0, 75.0]),
        },
        {"product": "p"},
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
def test_means_and_counts_are_those_of_the_sites_in_a_cell(seed):
    found = stations(seed)
    cells = cell_means(found, GLOBE)
    rows = np.floor((90 - found["latitude"].values) / 30).astype(int)
    columns = np.floor((found["longitude"].values + 180) / 30).astype(int)
    assert cells["sites"].sum() == 12
    for i, name in enumerate(cells["site"].values):
        row, column = map(int, name.split("_"))
        here = (rows == row) & (columns == column)
        values = found["soil_moisture"].values[here].astype(np.float64)
        count = (~np.isnan(values)).sum(0)
        total = np.nansum(values, axis=0)
        expected = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        np.testing.assert_allclose(cells["soil_moisture"].values[i], expected, rtol=1e-6)
        assert (cells["soil_moisture_count"].values[i] == count).all()
        assert cells["elevation"].values[i] == pytest.approx(found["elevation"].values[here].mean())
        assert cells["latitude"].values[i] == GLOBE.latitude[row]
    assert cells["soil_moisture"].dims == ("site", "time", "depth")
    assert cells["soil_moisture"].dtype == np.float32


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_maps_of_cells_give_the_cells_back(seed):
    cells = cell_means(stations(seed), GLOBE)
    maps = spread_on(cells, GLOBE)
    assert maps["soil_moisture"].dims == ("time", "depth", "y", "x")
    assert maps["soil_moisture"].notnull().sum() == cells["soil_moisture"].notnull().sum()
    assert maps["soil_moisture_count"].dtype == np.int16
    assert maps["soil_moisture_count"].sum() == cells["soil_moisture_count"].sum()
    back = nearest_at(maps, cells)
    np.testing.assert_array_equal(back["soil_moisture"], cells["soil_moisture"])
    np.testing.assert_array_equal(back["elevation"], cells["elevation"])


def test_lazy_is_the_same():
    found = stations(5)
    eager = spread_on(cell_means(found, EASE), EASE)
    lazy = spread_on(cell_means(found.chunk(time=1, site=5), EASE).chunk(time=2), EASE)
    assert lazy["soil_moisture"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), eager)


def test_what_has_no_cell_or_no_mean_is_refused():
    found = stations(2)
    with pytest.raises(InputError, match=r"sites lie outside the grid \(s"):
        cell_means(found, RegularGrid(10.0, 0.0, 0.0, 10.0, 2, 2))
    with pytest.raises(InputError, match="holds classes"):
        cell_means(found.assign(climate=("site", np.ones(12))), GLOBE)
    with pytest.raises(InputError, match="two of the sites lie in one cell"):
        spread_on(found, RegularGrid.globe(90.0))
    nowhere = found.assign_coords(latitude=("site", np.full(12, np.nan)))
    with pytest.raises(InputError, match="s0 lies at latitude nan"):
        cell_means(nowhere, GLOBE)
    with pytest.raises(InputError, match="expected site among them"):
        cell_means(found.assign(a=("time", np.ones(4))), GLOBE)
