import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.ease import EASE_36
from diffhydro.data.grids import RegularGrid, nearest_on
from diffhydro.data.tiles import (
    MISSING,
    Channel,
    TileGrid,
    Tiles,
    cut,
    cut_extents,
    extent_of,
    extents_of,
    from_unit_range,
    into_unit_range,
    mosaic_of,
    neighbours,
    tile_of,
)
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE, dataset
from tests.data.grids.test_nearest import geotiff

quick = settings(deadline=None, max_examples=30)
GLOBE = RegularGrid.globe(1.0)
INDEX = dataset(GLOBE, np.arange(180.0 * 360.0).reshape(180, 360), "elevation")


@quick
@given(st.floats(-84.0, 84.0), st.floats(-180.0, 179.99), st.integers(2, 12))
def test_every_pixel_has_the_value_of_the_cell_below_it(latitude, longitude, level):
    key = tile_of(latitude, longitude, level)
    tiles = cut(INDEX, [key])
    grid = TileGrid.of(key)
    rows = np.floor(90.0 - grid.latitude).astype(int)
    columns = np.floor(grid.longitude + 180.0).astype(int)
    expected = rows[:, None] * 360.0 + columns
    assert tiles.mask.all()
    assert (tiles.values[0, 0] == expected).all()


def test_channels_are_variables_and_depths_in_their_order():
    rng = np.random.default_rng(0)
    found = dataset(GLOBE, rng.random((1, 180, 360)).astype(np.float32), "precipitation")
    found["sand"] = (("depth", "y", "x"), rng.random((2, 180, 360)).astype(np.float32))
    found = found.assign_coords(depth=[25.0, 100.0])
    tiles = cut(found, ["0213", "0231"])
    assert tiles.channels == (
        Channel("precipitation"),
        Channel("sand", 25.0),
        Channel("sand", 100.0),
    )
    assert [str(channel) for channel in tiles.channels] == ["precipitation", "sand_25", "sand_100"]
    assert tiles.values.shape == (2, 3, 64, 64)
    assert tiles.values.dtype == np.float32
    on = nearest_on(found, TileGrid.of("0231"))
    np.testing.assert_array_equal(tiles.values[1, 2], on["sand"].sel(depth=100.0))
    np.testing.assert_array_equal(tiles.values[1, 0], on["precipitation"].isel(time=0))
    with pytest.raises(InputError, match=r"has the dimension time; .*found\.sel"):
        cut(dataset(GLOBE, np.zeros((2, 180, 360))), ["0"])


def test_beyond_a_map_is_missing_and_nothing_is_read():
    window = RegularGrid(10.0, 0.0, 0.0, 10.0, 10, 10)
    found = dataset(window, np.full((10, 10), 3.0), "elevation")
    key = tile_of(10.0, 10.0, 4)  # the window's north-east corner lies inside this tile
    tiles = cut(found, [key, tile_of(-50.0, 100.0, 4)])
    grid = TileGrid.of(key)
    inside = (grid.latitude <= 10.0)[:, None] & (grid.longitude <= 10.0)
    assert 0 < inside.sum() < inside.size
    assert (tiles.mask[0, 0] == inside).all()
    assert (tiles.values[0, 0][inside] == 3.0).all()
    assert np.isnan(tiles.values[1]).all()
    assert not tiles.mask[1].any()


def test_only_the_chunks_below_a_tile_are_read():
    dask = pytest.importorskip("dask.array")
    read = []

    def block(values, block_info=None):
        read.append(block_info[0]["chunk-location"])
        return values

    whole = dask.zeros((180, 360), chunks=(30, 30), dtype=np.float32)
    found = dataset(GLOBE, np.zeros((180, 360)), "elevation")
    lazy = whole.map_blocks(block, dtype=np.float32, meta=np.zeros((0, 0), np.float32))
    found["elevation"] = (("y", "x"), lazy)
    cut(found, [tile_of(20.0, 20.0, 6)])
    assert set(read) == {(2, 6)}


def test_ease_cells_and_keys_of_map_units_are_exact():
    rows, columns = np.meshgrid(np.arange(406), np.arange(964), indexing="ij")
    found = dataset(EASE, (rows * 964 + columns).astype(np.float64) + 2.0**30, "map_unit")
    key = tile_of(36.118, -97.091, 8)
    tiles = cut(found, [key])
    grid = TileGrid.of(key)
    row, column = EASE_36.cell(grid.latitude[:, None], grid.longitude)
    assert tiles.values.dtype == np.float64
    assert (tiles.values[0, 0] - 2.0**30 == row * 964 + column).all()


def test_real_land_cover_in_tiles_is_what_its_library_warps(real_data):
    rasterio = pytest.importorskip("rasterio")
    path = real_data / "raw" / "geotiff" / "nlcd2011_zion_west.tif"
    key = tile_of(37.3, -113.15, 14)
    tiles = cut(geotiff(path), [key, *neighbours(key)])
    assert tiles.mask.all()
    side = 2 * np.pi * 6378137.0 / (64 * 2**14)  # metres of EPSG:3857 to a pixel
    for name, tile in zip(tiles.keys, tiles.values[:, 0], strict=True):
        grid = TileGrid.of(name)
        left, top = grid.column * side - np.pi * 6378137.0, np.pi * 6378137.0 - grid.row * side
        with rasterio.open(path) as file:
            warped = np.zeros((64, 64), np.uint8)
            rasterio.warp.reproject(
                rasterio.band(file, 1),
                warped,
                dst_transform=rasterio.Affine(side, 0, left, 0, -side, top),
                dst_crs="EPSG:3857",
                tolerance=0,
            )
        # The warper takes the other cell where a centre is within 0.0013 cells of an edge
        # (measured against exact transformation of the centres), about one pixel in 800.
        assert (tile == warped).mean() > 0.997


def test_extents_are_nine_tiles_round_the_station():
    extent = extent_of(36.118, -97.091)
    assert set(extent.keys) == {extent.keys[4], *neighbours(extent.keys[4])}
    assert extent.keys[4] == tile_of(36.118, -97.091)
    edges = extent.grid
    assert edges.row_edges[extent.row] >= 36.118 > edges.row_edges[extent.row + 1]
    assert edges.column_edges[extent.column] <= -97.091 < edges.column_edges[extent.column + 1]
    assert 64 <= extent.row < 128
    assert 64 <= extent.column < 128


@quick
@given(st.floats(-84.0, 84.0), st.floats(-180.0, 180.0), st.integers(6, 14))
def test_an_extent_is_the_mosaic_of_its_tiles(latitude, longitude, level):
    extent = extent_of(latitude, longitude, level)
    values, mask = cut_extents(INDEX, [extent])
    together = mosaic_of(cut(INDEX, extent.keys))
    np.testing.assert_array_equal(together["elevation"].values, values[0, 0])
    assert mask.all()
    at = pixel_value(latitude, longitude)
    assert values[0, 0, extent.row, extent.column] in at


def pixel_value(latitude, longitude):
    """The cells within a pixel's width of a place, the widest of which is 0.09 degrees."""
    near = np.array([-0.09, 0.0, 0.09])
    rows = np.clip(np.floor(90.0 - latitude - near), 0, 179)
    columns = np.floor(longitude + 180.0 + near) % 360
    return {float(row * 360 + column) for row in rows for column in columns}


def test_extents_across_the_date_line_and_at_the_ends():
    extent = extent_of(10.0, 179.9999, 10)
    assert extent.grid.longitude[-1] > 180.0
    assert extent.keys[5] == tile_of(10.0, -179.9999, 10)
    with pytest.raises(InputError, match="no 3 x 3 tiles round it"):
        extent_of(85.05, 0.0, 10)
    sites = xr.Dataset(
        coords={"site": ["a"], "latitude": ("site", [1.0]), "longitude": ("site", [2.0])}
    )
    assert extents_of(sites, 12) == (extent_of(1.0, 2.0, 12),)


def test_tiles_that_do_not_fit_are_refused():
    values = np.zeros((1, 1, 64, 64))
    with pytest.raises(InputError, match="2 keys and 1 channels make"):
        Tiles(("01", "02"), (Channel("a"),), values, values > 0)
    with pytest.raises(InputError, match="of one level"):
        Tiles(("01", "021"), (Channel("a"),), np.zeros((2, 1, 64, 64)), np.zeros((2, 1, 64, 64)))
    with pytest.raises(InputError, match="given twice"):
        Tiles(("01", "01"), (Channel("a"),), np.zeros((2, 1, 64, 64)), np.zeros((2, 1, 64, 64)))
    with pytest.raises(InputError, match="got none"):
        cut(INDEX, [])
    with pytest.raises(InputError, match="'9' is no quadkey"):
        cut(INDEX, ["9"])


@quick
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_scaling_lies_in_the_unit_range_and_can_be_undone(seed, channels):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 100, (3, channels, 8, 8))
    values[rng.random(values.shape) < 0.3] = np.nan
    mask = ~np.isnan(values)
    least = np.nanmin(np.where(mask, values, np.inf), axis=(0, 2, 3))
    most = np.nanmax(np.where(mask, values, -np.inf), axis=(0, 2, 3))
    scaled = into_unit_range(values, mask, least, most)
    assert (scaled[~mask] == MISSING).all()
    assert scaled[mask].min() == 0.0
    assert scaled[mask].max() == 1.0
    np.testing.assert_allclose(from_unit_range(scaled, mask, least, most), values, atol=1e-10)


def test_scaling_holds_what_lies_beyond_and_refuses_what_was_not_fitted():
    values = np.array([[[-5.0, 0.0, 5.0, 20.0]]])
    mask = np.ones(values.shape, bool)
    got = into_unit_range(values, mask, np.array([0.0]), np.array([10.0]))
    assert got.tolist() == [[[0.0, 0.0, 0.5, 1.0]]]
    same = into_unit_range(values, mask, np.array([5.0]), np.array([5.0]))
    assert same.tolist() == [[[0.0, 0.0, 0.0, 1.0]]]
    with pytest.raises(InputError, match="channel 0 ranges from nan to 1"):
        into_unit_range(values, mask, np.array([np.nan]), np.array([1.0]))
    with pytest.raises(InputError, match="one of each for the 1 channels"):
        into_unit_range(values, mask, np.zeros(2), np.ones(2))
