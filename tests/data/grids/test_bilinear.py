import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.grids import RegularGrid, bilinear_at, bilinear_on, nearest_at
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE, dataset, windows

quick = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32)


def sites(latitude, longitude):
    names = [f"s{i}" for i in range(len(latitude))]
    return xr.Dataset(
        coords={
            "site": names,
            "latitude": ("site", np.array(latitude)),
            "longitude": ("site", np.array(longitude)),
            "network": ("site", ["N"] * len(names)),
        }
    )


@quick
@given(windows(), seeds, st.floats(-5, 5), st.floats(-5, 5))
def test_planes_are_kept_between_centres(grid, seed, down, right):
    rng = np.random.default_rng(seed)
    found = dataset(grid, down * grid.latitude[:, None] + right * grid.longitude)
    lat = rng.uniform(grid.latitude[-1], grid.latitude[0], 20)
    lon = rng.uniform(grid.longitude[0], grid.longitude[-1], 20)
    turned = (lon + 180.0) % 360.0 - 180.0  # a grid across the date line takes both spellings
    got = bilinear_at(found, sites(lat, turned))["temperature"]
    np.testing.assert_allclose(got, down * lat + right * lon, atol=1e-8)


@quick
@given(windows(), seeds)
def test_at_centres_and_on_grids_and_at_sites_are_one(grid, seed):
    values = np.random.default_rng(seed).random((3, len(grid.latitude), len(grid.longitude)))
    values[values < 0.2] = np.nan
    found = dataset(grid, values)
    np.testing.assert_allclose(bilinear_on(found, grid)["temperature"], values, rtol=1e-12)
    north, south = grid.row_edges[0], grid.row_edges[-1]
    west, east = grid.column_edges[0] - 0.2, grid.column_edges[-1]
    other = RegularGrid(north, south, west, east, 5, 7)
    on = bilinear_on(found, other)["temperature"].values
    lat, lon = np.meshgrid(other.latitude, other.longitude, indexing="ij")
    at = bilinear_at(found, sites(lat.ravel(), lon.ravel()))["temperature"]
    assert at.dims == ("site", "time")
    np.testing.assert_allclose(at.values.T.reshape(on.shape), on, rtol=1e-12)


def test_round_the_globe_the_last_column_meets_the_first():
    grid = RegularGrid.globe(90.0)
    found = dataset(grid, np.array([[0.0, 10.0, 20.0, 40.0], [0.0, 10.0, 20.0, 40.0]]))
    lon = [180.0, -180.0, 157.5, -157.5, 540.0 - 360.0, -135.0]
    got = bilinear_at(found, sites([0.0] * 6, lon))["temperature"]
    np.testing.assert_allclose(got, [20.0, 20.0, 30.0, 10.0, 20.0, 0.0])


def test_between_the_last_centre_and_the_edge_it_holds_and_beyond_is_nothing():
    grid = RegularGrid(20.0, 0.0, 10.0, 30.0, 2, 2)
    found = dataset(grid, np.array([[1.0, 2.0], [3.0, 4.0]]))
    got = bilinear_at(found, sites([20.0, 0.0, 20.1, 10.0], [10.0, 30.0, 15.0, 30.1]))
    np.testing.assert_allclose(got["temperature"], [1.0, 4.0, np.nan, np.nan])
    assert got["network"].values.tolist() == ["N"] * 4


def test_missing_corners_count_by_their_weight():
    grid = RegularGrid(20.0, 0.0, 10.0, 30.0, 2, 2)
    found = dataset(grid, np.array([[1.0, np.nan], [3.0, np.nan]]))
    place = sites([10.0, 10.0], [17.5, 22.5])  # the known column has 3/4 and 1/4 of the weight
    np.testing.assert_allclose(bilinear_at(found, place)["temperature"], [2.0, np.nan])
    np.testing.assert_allclose(bilinear_at(found, place, least=0.2)["temperature"], [2.0, 2.0])
    assert bilinear_at(found, place, least=1.0)["temperature"].isnull().all()


def test_classes_are_refused_and_nearest_takes_them():
    grid = RegularGrid.globe(90.0)
    found = dataset(grid, np.arange(8.0).reshape(2, 4), "land_cover")
    with pytest.raises(InputError, match="holds classes"):
        bilinear_on(found, EASE)
    with pytest.raises(InputError, match="holds classes"):
        bilinear_at(found, sites([1.0], [1.0]))
    assert nearest_at(found, sites([1.0], [1.0]))["land_cover"].item() == 2.0


def test_lazy_is_the_same():
    grid = RegularGrid.globe(10.0)
    found = dataset(grid, np.random.default_rng(0).random((5, 18, 36), np.float32))
    for make in (
        lambda d: bilinear_on(d, EASE),
        lambda d: bilinear_at(d, sites([3.0, 80.0], [179.0, 2.0])),
        lambda d: nearest_at(d, sites([3.0, 80.0], [179.0, 2.0])),
    ):
        lazy = make(found.chunk(time=2))
        assert lazy["temperature"].chunks is not None
        xr.testing.assert_identical(lazy.compute(), make(found))
