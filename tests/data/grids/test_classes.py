import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.grids import RegularGrid, majority_on, mean_on, shares_on
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE, dataset, windows

quick = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**32)


def classes(seed, grid, holes=0.2, times=2):
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 6, (times, len(grid.latitude), len(grid.longitude))).astype(np.float32)
    values[rng.random(values.shape) < holes] = np.nan
    return dataset(grid, values, "land_cover")


@quick
@given(windows(), seeds)
def test_shares_add_up_to_one_where_enough_is_known(grid, seed):
    found = classes(seed, grid)
    target = RegularGrid(
        grid.row_edges[0], grid.row_edges[-1], grid.column_edges[0], grid.column_edges[-1], 2, 2
    )
    shares = shares_on(found, target)["land_cover_share"]
    known = mean_on(
        (found["land_cover"] * 0 + 1).to_dataset(name="temperature"), target, least=0.5
    )["temperature"]
    np.testing.assert_allclose(shares.sum("class", skipna=False), known, atol=1e-6)
    assert (shares.fillna(0) >= 0).all()


@quick
@given(windows(), seeds)
def test_the_majority_has_the_largest_share(grid, seed):
    found = classes(seed, grid)
    target = RegularGrid(
        grid.row_edges[0], grid.row_edges[-1], grid.column_edges[0], grid.column_edges[-1], 2, 3
    )
    shares = shares_on(found, target)["land_cover_share"]
    most = majority_on(found, target)["land_cover"]
    assert (most.isnull() == shares.isnull().any("class")).all()
    chosen = shares.sel({"class": most.fillna(shares["class"].values[0]).astype(int)})
    np.testing.assert_allclose(
        chosen.where(most.notnull()), shares.max("class").where(most.notnull()), atol=1e-6
    )


def test_counts_of_whole_cells():
    fine = RegularGrid(4.0, -4.0, 0.0, 8.0, 4, 4)
    values = np.array([[3, 3, 1, 2], [3, 5, 1, 2], [3, 7, np.nan, np.nan], [7, 3, np.nan, 9.0]])
    found = dataset(fine, values, "land_cover")
    found["land_cover"].attrs |= {
        "flag_values": np.array([9, 1, 2, 3, 5, 7, 11], np.uint8),
        "flag_meanings": "nine one two three five seven eleven",
    }
    coarse = RegularGrid(4.0, -4.0, 0.0, 8.0, 2, 2)
    shares = shares_on(found, coarse, least=0.2)["land_cover_share"]
    assert shares["class"].values.tolist() == [1, 2, 3, 5, 7, 9, 11]
    assert " ".join(shares["meaning"].values) == "one two three five seven nine eleven"
    # Rows of a degree or two differ in area by a little, so the upper left has not quite 3/4.
    np.testing.assert_allclose(shares.sel({"class": 3})[0, 0], 0.75, atol=2e-3)
    np.testing.assert_allclose(shares.sel({"class": 9})[1, 1], 1.0, atol=1e-6)
    np.testing.assert_allclose(shares.sel({"class": 11}), 0.0, atol=1e-6)
    most = majority_on(found, coarse)["land_cover"]
    assert most.values[0].tolist() == [3.0, 1.0]  # of two halves the lower number
    assert np.isnan(most.values[1, 1])  # one quarter known
    assert majority_on(found, coarse, least=0.2)["land_cover"].values[1, 1] == 9.0
    assert most.attrs["cell_methods"] == "area: mode"


def test_numbers_and_keys_are_refused():
    grid = RegularGrid.globe(5.0)
    with pytest.raises(InputError, match="holds numbers, not classes; use mean_on"):
        majority_on(dataset(grid, np.ones((36, 72))), EASE)
    with pytest.raises(InputError, match="has 2592 classes; expected 1000 at most"):
        majority_on(dataset(grid, np.arange(2592.0).reshape(36, 72), "map_unit"), EASE)
    two = dataset(grid, np.ones((36, 72)), "climate").assign(
        land_cover=(("y", "x"), np.ones((36, 72)))
    )
    with pytest.raises(InputError, match="one map of classes; found climate, land_cover"):
        shares_on(two, EASE)


def test_lazy_is_the_same_and_needs_no_values_before():
    grid = RegularGrid.globe(10.0)
    found = classes(1, grid, times=3)
    target = RegularGrid.globe(30.0)
    lazy = majority_on(found.chunk(time=1), target)
    assert lazy["land_cover"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), majority_on(found, target))
    given_codes = shares_on(found.chunk(time=1), target, [1, 2, 3, 4, 5])
    assert given_codes["land_cover_share"].dims == ("time", "class", "y", "x")
    assert given_codes["land_cover_share"].chunks is not None
    xr.testing.assert_identical(given_codes.compute(), shares_on(found, target))


@pytest.mark.slow
def test_real_climates_at_half_a_degree(real_data):
    rasterio = pytest.importorskip("rasterio")
    path = real_data / "raw" / "koppen_beck2023" / "1991_2020" / "koppen_geiger_0p1.tif"
    with rasterio.open(path) as file:
        codes = file.read(1).astype(np.float32)
    codes[codes == 0] = np.nan
    fine, half = RegularGrid.globe(0.1), RegularGrid.globe(0.5)
    found = dataset(fine, codes, "climate")
    most = majority_on(found, half)["climate"].values
    row, column = int((90 - 36.118) / 0.5), int((180 - 97.091) / 0.5)
    assert most[row, column] == 14  # Cfa, Stillwater
    block = codes.reshape(360, 5, 720, 5).transpose(0, 2, 1, 3).reshape(360, 720, 25)
    one = (block == block[..., :1]).all(-1)
    assert one.sum() > 40_000
    np.testing.assert_array_equal(most[one], block[one][:, 0])
    sea = np.isnan(block).sum(-1) > 13
    assert np.isnan(most[sea]).all()
