import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.ease import EASE_36
from diffhydro.data.grids import RegularGrid, nearest_at, nearest_on
from diffhydro.data.grids.locate import OnGrid, OnProjection, locator_of
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE, dataset, globes, windows
from tests.data.grids.test_bilinear import sites

quick = settings(deadline=None, max_examples=60)


@quick
@given(st.one_of(globes(), windows()), st.integers(0, 2**32))
def test_the_cell_that_holds_a_place_is_found(grid, seed):
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-90, 90, 200), rng.uniform(-400, 400, 200)
    rows, columns = OnGrid(grid)(lat, lon)
    for row, column, phi, lam in zip(rows, columns, lat, lon, strict=True):
        above, below = grid.row_edges[:-1] >= phi, phi > grid.row_edges[1:]
        spellings = [lam + turn for turn in (-720.0, -360.0, 0.0, 360.0, 720.0)]
        meets = [
            (grid.column_edges[:-1] <= one) & (one < grid.column_edges[1:]) for one in spellings
        ]
        expected = np.argwhere((above & below)[:, None] & np.any(meets, axis=0))
        assert [[row, column]] == (expected.tolist() or [[-1, -1]])


@quick
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_on_ease_it_is_the_cell_of_the_projection(latitude, longitude):
    mine = OnGrid(EASE)(np.array(latitude), np.array(longitude))
    theirs = EASE_36.cell(latitude, longitude)
    for one, other, edges, at in zip(
        mine, theirs, (EASE.row_edges, EASE.column_edges), (latitude, longitude), strict=True
    ):
        on_an_edge = np.abs(edges - at).min() < 1e-9  # rounding decides
        assert int(one) == int(other) or on_an_edge


def test_places_on_edges_and_at_the_ends():
    grid = RegularGrid.globe(90.0)
    rows, columns = OnGrid(grid)(
        np.array([90.0, 0.0, -90.0, np.nan, 5.0]), np.array([180.0, 90.0, -180.0, 0.0, np.nan])
    )
    assert rows.tolist() == [0, 1, 1, -1, -1]
    assert columns.tolist() == [3, 3, 0, -1, -1]


def test_on_its_own_grid_nothing_changes_and_whole_numbers_stay_whole():
    grid = RegularGrid.globe(10.0)
    codes = dataset(grid, np.arange(18 * 36, dtype=np.int32).reshape(18, 36), "land_cover")
    same = nearest_on(codes, grid)["land_cover"]
    assert same.dtype == np.int32
    assert (same.values == codes["land_cover"].values).all()
    window = RegularGrid(20.0, 0.0, 0.0, 20.0, 2, 2)
    beyond = nearest_on(nearest_on(codes, window), RegularGrid(30.0, 0.0, 0.0, 20.0, 3, 2))
    np.testing.assert_array_equal(
        beyond["land_cover"], [[np.nan, np.nan], *codes["land_cover"][7:9, 18:20].values.tolist()]
    )


def test_fine_from_coarse_repeats_the_coarse_cells():
    coarse = RegularGrid(60.0, 0.0, 100.0, 260.0, 3, 8)
    values = np.random.default_rng(0).random((2, 3, 8)).astype(np.float32)
    fine = RegularGrid(60.0, 0.0, 100.0, 260.0, 12, 32)
    got = nearest_on(dataset(coarse, values), fine)["temperature"]
    assert (got.values == values.repeat(4, 1).repeat(4, 2)).all()
    turned = nearest_on(dataset(coarse, values), RegularGrid(60.0, 0.0, -180.0, -100.0, 3, 4))
    assert (turned["temperature"].values == values[:, :, 4:]).all()


def geotiff(path):
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(path) as file:
        step = file.transform
        x = step.c + step.a * (np.arange(file.width) + 0.5)
        y = step.f + step.e * (np.arange(file.height) + 0.5)
        made = xr.Dataset({"land_cover": (("y", "x"), file.read(1).astype(np.float32))})
        return made.assign_coords(y=y, x=x).assign_attrs(crs=f"EPSG:{file.crs.to_epsg()}")


def test_real_land_cover_of_a_projection_is_what_its_library_samples(real_data):
    rasterio = pytest.importorskip("rasterio")
    path = real_data / "raw" / "geotiff" / "nlcd2011_zion_west.tif"
    found = geotiff(path)
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(37.14, 37.50, 300), rng.uniform(-113.23, -113.06, 300)
    got = nearest_at(found, sites(lat, lon))["land_cover"].values
    with rasterio.open(path) as file:
        xs, ys = rasterio.warp.transform("EPSG:4326", file.crs, lon, lat)
        expected = [v[0] for v in file.sample(zip(xs, ys, strict=True))]
    assert np.isfinite(got).all()
    assert got.tolist() == [float(v) for v in expected]
    away = nearest_at(found, sites([37.3, -60.0, 90.0], [-100.0, 66.0, 0.0]))["land_cover"]
    assert away.isnull().all()


def test_projections_that_nobody_knows_are_refused():
    pytest.importorskip("rasterio")
    made = xr.Dataset({"land_cover": (("y", "x"), np.ones((3, 3)))})
    made = made.assign_coords(y=[300.0, 200.0, 100.0], x=[0.0, 100.0, 200.0])
    with pytest.raises(InputError, match="and crs None"):
        nearest_on(made, EASE)
    with pytest.raises(InputError, match="crs is 'EPSG:somewhere'; expected one such as EPSG:5070"):
        nearest_on(made.assign_attrs(crs="EPSG:somewhere"), EASE)
    assert isinstance(locator_of(made.assign_attrs(crs="EPSG:5070")), OnProjection)
    with pytest.raises(InputError, match="one pixel along y"):
        nearest_on(made.isel(y=[0]).assign_attrs(crs="EPSG:5070"), EASE)
