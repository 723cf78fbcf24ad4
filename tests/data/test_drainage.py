import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diffhydro.data.drainage import drainage, flow_accumulation
from diffhydro.data.terrain import Spacing
from diffhydro.errors import InputError


def even(rows, size=1.0):
    return Spacing(np.full(rows, size), np.full(rows, size))


MAPS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays(
        np.float64, shape, elements=st.one_of(st.integers(0, 4).map(float), st.just(np.nan))
    )
)


@settings(max_examples=100, deadline=None)
@given(MAPS)
def test_every_cell_leaves_the_map(z):
    """What drains through the outlets is the number of cells, and no way leads in circles."""
    found = drainage(z, even(len(z)))
    known = ~np.isnan(z)
    outlets = known & (found.into < 0)
    assert found.upstream[outlets].sum() == known.sum()
    assert (found.upstream[known] >= 1).all()
    assert (found.upstream[~known] == 0).all()
    flat, into = found.filled.ravel(), found.into.ravel()
    for start in np.flatnonzero(known.ravel()):
        here, steps = start, 0
        while into[here] >= 0:
            assert flat[into[here]] <= flat[here]
            assert known.ravel()[into[here]]
            here, steps = into[here], steps + 1
            assert steps <= z.size


@settings(max_examples=60, deadline=None)
@given(MAPS)
def test_filling_is_the_least_that_lets_all_water_out(z):
    """Filled heights are the lowest barrier on the way out, by another algorithm (relaxation)."""
    found = drainage(z, even(len(z))).filled
    rows, columns = z.shape
    padded = np.pad(z, 1, constant_values=np.nan)
    level = np.where(np.isnan(padded), -np.inf, np.inf)
    for _ in range(z.size + 1):
        lowest = np.full(level.shape, np.inf)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if dy or dx:
                    lowest = np.minimum(lowest, np.roll(level, (dy, dx), (0, 1)))
        level = np.where(np.isnan(padded), -np.inf, np.maximum(padded, lowest))
    expected = np.where(np.isnan(z), np.nan, level[1 : rows + 1, 1 : columns + 1])
    np.testing.assert_array_equal(found, expected)


def test_a_valley_gathers_and_a_ridge_parts():
    rows, columns = 9, 11
    y, x = np.mgrid[:rows, :columns]
    valley = 10.0 * np.abs(x - 5) - 1.0 * y
    found = drainage(valley, even(rows))
    assert found.upstream[-1, 5] == rows * columns
    assert (found.into[:, 4] - np.arange(rows) * columns == 5).all()
    assert (np.diff(found.upstream[:, 5]) == columns).all()
    ridge = drainage(-valley - 2.0 * y, even(rows))
    assert (ridge.upstream[1:-1, 5] == 1).all()
    assert ridge.upstream[-1, 0] + ridge.upstream[-1, -1] == rows * columns
    np.testing.assert_array_equal(ridge.filled, -valley - 2.0 * y)


def test_the_steepest_way_weighs_distance():
    z = np.array([[9.0, 9.0, 9.0], [9.0, 9.0, 7.9], [9.0, 9.0, 7.5]])
    assert drainage(z, even(3)).into[1, 1] == 5  # 1.1 over 1 is more than 1.5 over √2
    narrow = Spacing(np.full(3, 1.0), np.full(3, 0.2))
    assert drainage(z, narrow).into[1, 1] == 8  # 1.5 over 1.02 is more


def test_a_pit_spills_over_its_lowest_lip():
    z = np.full((7, 7), 9.0)
    z[1:6, 1:6] = 8.0
    z[2:5, 2:5] = 2.0
    z[3, 5], z[3, 6] = 5.0, 4.0
    found = drainage(z, even(7))
    np.testing.assert_array_equal(found.filled[2:5, 2:5], 5.0)
    assert found.filled[1, 1] == 8.0
    assert found.upstream[3, 6] >= 25 + 1
    assert found.upstream[3, 5] >= 9


def test_a_level_map_drains_to_its_edge():
    found = drainage(np.zeros((6, 8)), even(6))
    edge = np.ones((6, 8), bool)
    edge[1:-1, 1:-1] = False
    np.testing.assert_array_equal(found.into < 0, edge)
    assert found.upstream[edge].sum() == 48


def test_a_lake_of_missing_cells_takes_water():
    z = np.abs(np.mgrid[-4:5, -4:5]).max(0).astype(float)
    z[4, 4] = np.nan
    found = drainage(z, even(9))
    np.testing.assert_array_equal(found.filled, z)
    assert found.upstream[3:6, 3:6].sum() == 80
    assert found.into[4, 4] == -1


def test_maps_and_their_attributes():
    z = np.add.outer(np.arange(4.0)[::-1], np.zeros(3))
    z[0, 0] = np.nan
    maps = xr.Dataset(
        {"elevation": (("y", "x"), z)}, {"y": [90.0, 60.0, 30.0, 0.0], "x": [0.0, 30.0, 60.0]}
    )
    found = flow_accumulation(maps)
    np.testing.assert_array_equal(found.values, [[np.nan, 1, 1], [1, 2, 2], [2, 3, 3], [3, 4, 4]])
    assert found.attrs["units"] == "1"
    with pytest.raises(InputError, match="no elevation"):
        flow_accumulation(maps.rename(elevation="z"))
    with pytest.raises(InputError, match="infinite"):
        drainage([[np.inf]], even(1))
    with pytest.raises(InputError, match="expected a map"):
        drainage(np.zeros(3), even(3))


def test_real_heights(real_data):
    """The canyon of the Virgin River gathers far more than any slope."""
    from diffhydro.data.readers.raster.dem import read_dem

    maps = read_dem(real_data / "raw" / "geotiff" / "srtm_zion_west.tif")
    cells = flow_accumulation(maps).values
    height = maps["elevation"].values
    known = np.isfinite(height)
    assert np.isfinite(cells[known]).all()
    assert np.nanmax(cells) > 0.05 * known.sum()
    rivers = cells > 2000
    assert height[rivers].mean() < height[known].mean()
