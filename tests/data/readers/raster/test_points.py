import numpy as np
import pytest
import xarray as xr

from diffhydro.data.ease import EASE_36
from diffhydro.data.readers.raster.dem import read_dem
from diffhydro.data.readers.raster.gnatsgo import read_gnatsgo
from diffhydro.data.readers.raster.points import at_points
from diffhydro.errors import InputError
from tests.data.readers.raster.tiff import write


def test_cells_of_a_geographic_map(tmp_path):
    cells = np.arange(12, dtype=np.int16).reshape(3, 4)
    found = at_points(
        read_dem(write(tmp_path / "a.tif", cells)),
        [37.95, 37.8501, 37.71, 38.01, 37.95, 37.95, np.nan],
        [-96.95, -96.6001, 263.01, -96.9, -97.01, -96.59, -96.9],
    )
    np.testing.assert_array_equal(
        found["elevation"].values, [0, 7, 8, np.nan, np.nan, np.nan, np.nan]
    )
    assert found["latitude"].values[1] == 37.8501


def test_the_globe_has_no_edge(tmp_path):
    cells = np.arange(36, dtype=np.int16).reshape(1, 36).repeat(18, 0)
    found = read_dem(write(tmp_path / "a.tif", cells, left=-180.0, top=90.0, size=10.0))
    at = at_points(found, 0.0, [-180.0, 180.0, 179.9, 360.0, -0.1])
    assert at["elevation"].values.tolist() == [0, 0, 35, 18, 17]


def test_cells_of_a_projected_map_and_what_it_cannot_show(tmp_path):
    from rasterio.warp import transform

    cells = np.arange(12, dtype=np.int16).reshape(3, 4)
    path = write(tmp_path / "a.tif", cells, left=5e5, top=4e6, size=30.0, crs="EPSG:32612")
    x, y = 5e5 + 30 * np.array([0.1, 3.9, 2.5]), 4e6 - 30 * np.array([0.1, 2.9, 1.5])
    longitude, latitude = transform("EPSG:32612", "EPSG:4326", x, y)
    found = at_points(read_dem(path), [*latitude, 0.0, 90.0, 0.0], [*longitude, 0.0, 0.0, 159.0])
    np.testing.assert_array_equal(found["elevation"].values, [0, 11, 6, *[np.nan] * 3])


def test_keys_stay_whole_and_are_0_outside(tmp_path):
    cells = np.array([[16_777_217, 16_777_219], [3_000_000_001, 5]], np.uint32)
    found = at_points(read_gnatsgo(write(tmp_path / "a.tif", cells)), [37.95, 37.85, 0], -96.95)
    assert found["map_unit"].dtype == np.uint32
    assert found["map_unit"].values.tolist() == [16_777_217, 3_000_000_001, 0]


def test_ease_cells_are_those_of_the_grid():
    rng = np.random.default_rng(1)
    latitude, longitude = rng.uniform(-84.9, 84.9, 2000), rng.uniform(-180, 360, 2000)
    numbers = np.arange(EASE_36.rows * EASE_36.columns, dtype=np.float64)
    maps = xr.Dataset(
        {"number": (("y", "x"), numbers.reshape(EASE_36.rows, EASE_36.columns))},
        {"latitude": ("y", EASE_36.latitude), "longitude": ("x", EASE_36.longitude)},
        {"crs": "EPSG:6933"},
    )
    row, column = EASE_36.cell(latitude, longitude)
    found = at_points(maps, latitude, longitude)["number"].values
    np.testing.assert_array_equal(found, row * EASE_36.columns + column)
    assert np.isnan(at_points(maps, 85.1, 0.0)["number"].values).all()


def test_a_single_row_has_square_cells(tmp_path):
    path = write(tmp_path / "a.tif", np.arange(12, dtype=np.int16).reshape(3, 4))
    maps = read_dem(path)
    row = at_points(maps.isel(y=[1]), [37.851, 37.849, 37.91], -96.85)["elevation"].values
    np.testing.assert_array_equal(row, [5.0, 5.0, np.nan])
    with pytest.raises(InputError, match="a single cell"):
        at_points(maps.isel(y=[1], x=[1]), 37.85, -96.85)


def test_maps_that_do_not_say_where_they_lie_are_refused():
    bare = xr.Dataset({"a": (("y", "x"), np.zeros((2, 2)))})
    with pytest.raises(InputError, match="needs latitude over y"):
        at_points(bare, 0.0, 0.0)
    uneven = bare.assign_coords(latitude=("y", [3.0, 1.0]), longitude=("x", [0.0, 1.0]))
    uneven = xr.concat([uneven, uneven.assign_coords(latitude=("y", [0.5, 0.1]))], "y")
    with pytest.raises(InputError, match="rows of the map are not evenly spaced"):
        at_points(uneven, 0.0, 0.0)
