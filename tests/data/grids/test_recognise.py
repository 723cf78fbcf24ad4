import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

from diffhydro.data.grids import Rectilinear, RegularGrid, grid_of
from diffhydro.data.grids.grid import spans_globe
from diffhydro.data.tiles import TileGrid
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE, dataset, windows


def seen(grid):
    return grid_of(dataset(grid, np.zeros((len(grid.latitude), len(grid.longitude)))))


@pytest.mark.parametrize(
    "grid",
    [RegularGrid.globe(0.5), EASE, TileGrid(4, 0, 0, 1024, 1024), RegularGrid(10, 9, 3, 5, 7, 9)],
    ids=["regular", "ease", "mercator", "window"],
)
def test_edges_are_found_from_centres(grid):
    found = seen(grid)
    np.testing.assert_allclose(found.row_edges, grid.row_edges, atol=1e-9)
    np.testing.assert_allclose(found.column_edges, grid.column_edges, atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(windows())
def test_edges_of_small_windows_are_found(grid):
    found = seen(grid)
    np.testing.assert_allclose(found.row_edges, grid.row_edges, atol=1e-9)
    np.testing.assert_allclose(found.column_edges, grid.column_edges, atol=1e-9)


def test_single_precision_globes_still_close():
    step = np.float32(0.1)
    lon = (-179.95 + step * np.arange(3600)).astype(np.float32)
    lat = (89.95 - step * np.arange(1800)).astype(np.float32)
    made = xr.Dataset(
        {"temperature": (("y", "x"), np.zeros((1800, 3600), np.float32))},
        {"latitude": ("y", lat), "longitude": ("x", lon)},
    )
    found = grid_of(made)
    assert spans_globe(found)
    assert found.column_edges[-1] - found.column_edges[0] == pytest.approx(360.0, abs=1e-9)
    np.testing.assert_allclose(found.row_edges, np.linspace(90, -90, 1801), atol=1e-4)


def test_rows_on_the_poles_are_half_rows():
    lat, lon = np.linspace(90, -90, 721), np.arange(1440) * 0.25 - 180.0
    made = xr.Dataset({"a": (("y", "x"), np.zeros((721, 1440)))})
    found = grid_of(made.assign_coords(latitude=("y", lat), longitude=("x", lon)))
    assert found.row_edges[[0, 1, -1]].tolist() == [90.0, 89.875, -90.0]
    assert spans_globe(found)


def test_what_is_no_map_is_refused():
    grid = RegularGrid.globe(10.0)
    upside = dataset(grid, np.zeros((18, 36))).isel(y=slice(None, None, -1))
    with pytest.raises(InputError, match=r"turn the map with conform\.upright"):
        grid_of(upside)
    with pytest.raises(InputError, match="1 x 36 cells does not tell"):
        grid_of(dataset(grid, np.zeros((18, 36))).isel(y=[0]))
    with pytest.raises(InputError, match="found the coordinates x, y"):
        grid_of(xr.Dataset({"a": (("y", "x"), np.zeros((2, 2)))}, {"x": [0, 1], "y": [1, 0]}))


def test_grids_that_enclose_nothing_are_refused():
    with pytest.raises(InputError, match="north is above south"):
        RegularGrid(10.0, 20.0, 0.0, 1.0, 2, 2)
    with pytest.raises(InputError, match="add 360 to east"):
        RegularGrid(20.0, 10.0, 170.0, -170.0, 2, 2)
    with pytest.raises(InputError, match=r"cells of 0\.7 degrees do not fill"):
        RegularGrid.globe(0.7)
    globe = RegularGrid.globe(90.0)
    with pytest.raises(InputError, match="edges of rows"):
        Rectilinear(globe.row_edges[::-1], globe.column_edges, globe.latitude, globe.longitude)
