import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.grids.mercator import LIMIT
from diffhydro.data.tiles import PIXELS, TileGrid, bounds, neighbours, pixel_of, tile_of
from diffhydro.data.tiles.quadkey import children, neighbour
from diffhydro.errors import InputError

keys = st.text("0123", min_size=1, max_size=23)
latitudes, longitudes = st.floats(-LIMIT, LIMIT), st.floats(-180.0, 180.0, exclude_max=True)


def by_the_book(latitude, longitude, level):
    """The listing of "Bing Maps Tile System": pixels of 256 to a tile, in its own order."""
    sine = np.sin(latitude * np.pi / 180)
    x = (longitude + 180) / 360
    y = 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)
    size = 256 << level
    column, row = (int(min(max(v * size + 0.5, 0), size - 1)) for v in (x, y))
    key = ""
    for i in range(level, 0, -1):
        mask = 1 << (i - 1)
        digit = (1 if (column // 256) & mask else 0) + (2 if (row // 256) & mask else 0)
        key += str(digit)
    return key


@given(latitudes, longitudes, st.integers(1, 20))
def test_keys_are_those_of_the_published_listing(latitude, longitude, level):
    # The listing rounds to whole pixels of 256, so places within one of an edge may fall beyond.
    found = tile_of(latitude, longitude, level)
    listed = by_the_book(latitude, longitude, level)
    assert listed == found or listed in neighbours(found)
    edges = bounds(found)
    near = 0.6 / 256
    height, width = edges.north - edges.south, edges.east - edges.west
    inside = (
        edges.south + 1.1 * near * height < latitude < edges.north - 1.1 * near * height
        and edges.west + near * width < longitude < edges.east - near * width
    )
    assert listed == found or not inside


@given(latitudes, longitudes, st.integers(1, 23))
def test_a_tile_holds_its_place_and_its_quarters_do(latitude, longitude, level):
    key = tile_of(latitude, longitude, level)
    edges = bounds(key)
    near = 1e-9
    assert edges.south - near <= latitude <= edges.north + near
    # 180 less a rounding error is the date line, whose tile is the first one.
    assert any(
        edges.west - near <= one <= edges.east + near for one in (longitude, longitude - 360.0)
    )
    assert tile_of(latitude, longitude, max(level - 1, 1)) == key[: max(level - 1, 1)]


@given(keys)
def test_pixels_know_their_centres(key):
    grid = TileGrid.of(key)
    row, column = pixel_of(grid.latitude[:, None], grid.longitude, len(key))
    assert (row[:, 0] == grid.row + np.arange(PIXELS)).all()
    assert (column[0] == grid.column + np.arange(PIXELS)).all()
    assert ((grid.latitude < grid.row_edges[:-1]) & (grid.latitude > grid.row_edges[1:])).all()


@given(keys)
def test_edges_of_neighbours_are_the_same_numbers(key):
    edges = bounds(key)
    below, right = neighbour(key, 1, 0), neighbour(key, 0, 1)
    if below is not None:
        assert bounds(below).north == edges.south
    assert right is not None
    assert bounds(right).west in (edges.east, edges.east - 360.0)
    if len(key) < 23:
        north_west, north_east, south_west, _ = (bounds(child) for child in children(key))
        assert (north_west.north, north_west.west) == (edges.north, edges.west)
        assert north_west.east == north_east.west
        assert north_west.south == south_west.north


def test_the_whole_map_is_a_square_that_ends_at_85_degrees():
    edges = [bounds(key) for key in "0123"]
    assert edges[0].north == pytest.approx(85.0511287798066, abs=1e-12)
    assert edges[2].south == pytest.approx(-85.0511287798066, abs=1e-12)
    assert (edges[0].west, edges[0].east, edges[1].east) == (-180.0, 0.0, 180.0)
    assert edges[0].south == pytest.approx(0.0, abs=1e-13)


def test_pixels_of_level_14_are_those_of_30_m_data():
    # Circumference over pixels: 38.2 m at the equator (2 pi a / (64 * 2**14)), 30.1 m at 38.
    grid = TileGrid.of(tile_of(38.0, -97.0, 14))
    width = np.diff(grid.column_edges)[0] / 360 * 2 * np.pi * 6378137.0
    assert width == pytest.approx(38.22, abs=0.01)
    assert width * np.cos(np.radians(38.0)) == pytest.approx(30.1, abs=0.05)


@settings(deadline=None)
@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=9))
def test_many_places_at_once(places):
    lat, lon = np.array(places).T
    row, column = pixel_of(lat, lon, 12)
    assert [tile_of(*place, 12) for place in places] == [
        tile_of(*place, 12) for place in zip(lat, lon + 360.0, strict=True)
    ] or np.abs(lon * 2**12 / 360 - np.round(lon * 2**12 / 360)).min() < 1e-9
    assert row.shape == column.shape == lat.shape


def test_places_without_a_tile_are_refused():
    for place in ((86.0, 0.0), (np.nan, 0.0), (0.0, np.inf)):
        with pytest.raises(InputError, match="is on no tile"):
            pixel_of(*place, 14)
    with pytest.raises(InputError, match=r"level 0 is none .* 1 to 23"):
        tile_of(0.0, 0.0, 0)
    with pytest.raises(InputError, match="rows 0 to 200 are not on the map; level 1"):
        TileGrid(1, 0, 0, rows=201)
    with pytest.raises(InputError, match="129 columns from 0 on; level 1 has 128"):
        TileGrid(1, 0, 0, columns=129)
