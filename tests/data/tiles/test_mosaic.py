import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.grids import mean_on, nearest_on
from diffhydro.data.tiles import (
    PIXELS,
    Channel,
    TileGrid,
    Tiles,
    blend,
    cut,
    grid_round,
    mosaic_of,
    pieces_of,
)
from diffhydro.data.tiles.channels import as_maps
from diffhydro.data.tiles.mosaic import taper
from diffhydro.data.tiles.quadkey import key_of, place_of, side
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE

quick = settings(deadline=None, max_examples=30)
CHANNELS = (Channel("elevation"), Channel("sand", 25.0), Channel("sand", 100.0))


@st.composite
def tiles(draw):
    """A few tiles of one level, side by side or not, across the date line too."""
    level = draw(st.integers(3, 16))
    size = side(level)
    first = (draw(st.integers(0, size - 4)), draw(st.integers(0, size - 1)))
    places = draw(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5))
    keys = tuple(key_of(first[1] + x, first[0] + y, level) for y, x in sorted(places))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.random((len(keys), 3, PIXELS, PIXELS)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    return Tiles(keys, CHANNELS, values, ~np.isnan(values))


@quick
@given(tiles())
def test_cutting_a_mosaic_gives_its_tiles_back(given_tiles):
    together = mosaic_of(given_tiles)
    again = cut(together, given_tiles.keys)
    assert again.keys == given_tiles.keys
    assert again.channels == given_tiles.channels
    np.testing.assert_array_equal(again.values, given_tiles.values)
    np.testing.assert_array_equal(again.mask, given_tiles.mask)
    known = sum(int(together[name].notnull().sum()) for name in together.data_vars)
    assert known == given_tiles.mask.sum()


@quick
@given(st.integers(3, 14), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32))
def test_the_mosaic_of_all_tiles_of_a_map_is_the_map(level, down, right, seed):
    rng = np.random.default_rng(seed)
    size = side(level)
    row, column = int(rng.integers(0, size - 3)), int(rng.integers(0, size))
    grid = TileGrid(level, row * PIXELS, column * PIXELS, down * PIXELS, right * PIXELS)
    found = as_maps(rng.random((3, down * PIXELS, right * PIXELS)), CHANNELS, grid)
    keys = [key_of(column + x, row + y, level) for y in range(down) for x in range(right)]
    rng.shuffle(keys)
    back = mosaic_of(cut(found, keys))
    np.testing.assert_array_equal(back["sand"], found["sand"])
    np.testing.assert_array_equal(back["elevation"], found["elevation"])
    np.testing.assert_array_equal(back["latitude"], found["latitude"])
    np.testing.assert_array_equal(back["longitude"], found["longitude"])
    assert back["depth"].values.tolist() == [25.0, 100.0]
    assert back["sand"].attrs["units"] == "%"


@quick
@given(st.integers(2, 10), st.integers(0, 2**32))
def test_the_smallest_map_holds_all_tiles(level, seed):
    rng = np.random.default_rng(seed)
    size = side(level)
    columns = {int(c) for c in (rng.integers(0, size) + rng.integers(-3, 4, 4)) % size}
    keys = [key_of(column, 1, level) for column in columns]
    grid = grid_round(keys)
    first = grid.column // PIXELS
    width = grid.columns // PIXELS
    held = {(first + i) % size for i in range(width)}
    assert columns <= held
    spans = [max((c - start) % size for c in columns) + 1 for start in columns]
    assert width == min(spans)
    assert place_of(keys[0])[1] * PIXELS == grid.row


def test_maps_go_on_beyond_180_degrees():
    keys = [key_of(side(5) - 1, 9, 5), key_of(0, 9, 5)]
    values = np.stack([np.full((1, 64, 64), 1.0), np.full((1, 64, 64), 2.0)])
    together = mosaic_of(Tiles(tuple(keys), (Channel("elevation"),), values, values > 0))
    assert together["elevation"].shape == (64, 128)
    assert together["longitude"].values[[0, 63]].max() < 180.0 < together["longitude"].values[64]
    assert (np.diff(together["longitude"].values) > 0).all()
    assert together["elevation"].values[0, 63:65].tolist() == [1.0, 2.0]
    on = nearest_on(together, EASE)["elevation"].values
    assert set(np.unique(on[np.isfinite(on)])) == {1.0, 2.0}
    assert np.isfinite(mean_on(together, EASE)["elevation"].values).sum() > 10


@quick
@given(st.integers(64, 200), st.integers(64, 200), st.integers(1, 64), st.integers(0, 2**32))
def test_overlapping_pieces_of_a_map_blend_into_the_map(height, width, stride, seed):
    rng = np.random.default_rng(seed)
    stride = max(stride, 16)
    whole = rng.random((2, height, width)).astype(np.float32)
    whole[rng.random(whole.shape) < 0.2] = np.nan
    corners = pieces_of(height, width, 64, stride)
    pieces = [whole[:, row : row + 64, column : column + 64] for row, column in corners]
    np.testing.assert_allclose(blend(pieces, corners, whole.shape), whole, rtol=1e-6)


@quick
@given(st.integers(64, 150), st.integers(1, 64))
def test_weights_add_up_to_one_everywhere(height, stride):
    # Blending constants is a sum of the weights over themselves; of two values in two halves of
    # the pieces the result lies between them.
    corners = pieces_of(height, 64, 64, max(stride, 8))
    values = np.arange(float(len(corners)))
    pieces = [np.full((1, 64, 64), value) for value in values]
    found = blend(pieces, corners, (1, height, 64))
    assert np.isfinite(found).all()
    weight = taper(64)
    for row in range(0, height, 13):
        shares = np.array([weight[row - top] if 0 <= row - top < 64 else 0.0 for top, _ in corners])
        assert found[0, row, 5] == pytest.approx((shares / shares.sum()) @ values, abs=1e-5)


def test_pieces_and_tiles_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="do not cover a map of 50 x 100"):
        pieces_of(50, 100)
    with pytest.raises(InputError, match="is not within"):
        blend([np.zeros((1, 64, 64))], [(40, 0)], (1, 100, 100))
    with pytest.raises(InputError, match="expected"):
        as_maps(np.zeros((1, 3, 3)), CHANNELS, TileGrid.of("0"))
