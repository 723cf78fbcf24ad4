import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.grids import RegularGrid, areas, grid_of, mean_on, part
from diffhydro.data.grids.area import overlap
from diffhydro.data.grids.equal_area import equal_area
from diffhydro.data.grids.separable import WeightedMean
from diffhydro.errors import InputError
from tests.data.grids.maps import EASE, dataset, globes, windows

quick = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**32)


def draw(seed, grid, holes=0.0):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0.0, 2.0, (len(grid.latitude), len(grid.longitude)))
    return np.where(rng.random(values.shape) < holes, np.nan, values)


def by_hand(values, source, target, least):
    """Every pair of cells, one after the other."""
    found = np.full((len(target.latitude), len(target.longitude)), np.nan)
    for j, (north, south) in enumerate(
        zip(target.row_edges[:-1], target.row_edges[1:], strict=True)
    ):
        for k, (west, east) in enumerate(
            zip(target.column_edges[:-1], target.column_edges[1:], strict=True)
        ):
            total = known = 0.0
            for r in range(len(source.latitude)):
                top = min(north, source.row_edges[r])
                bottom = max(south, source.row_edges[r + 1])
                if top <= bottom:
                    continue
                height = float(equal_area(np.array(top)) - equal_area(np.array(bottom)))
                for c in range(len(source.longitude)):
                    width = sum(
                        max(
                            0.0,
                            min(east, source.column_edges[c + 1] + turn)
                            - max(west, source.column_edges[c] + turn),
                        )
                        for turn in (-720.0, -360.0, 0.0, 360.0, 720.0)
                    )
                    if not np.isnan(values[r, c]):
                        total += height * width * values[r, c]
                        known += height * width
            whole = float(equal_area(np.array(north)) - equal_area(np.array(south))) * (east - west)
            if known / whole >= max(least, 1e-9):
                found[j, k] = total / known
    return found


@quick
@given(globes(), globes(), seeds)
def test_the_integral_over_the_globe_is_conserved(source, target, seed):
    values = draw(seed, source)
    found = WeightedMean(overlap(source, target))(values)
    before, after = (values * areas(source)).sum(), (found * areas(target)).sum()
    assert after == pytest.approx(before, rel=1e-12)


@quick
@given(windows(), globes(), seeds)
def test_the_integral_over_a_window_is_conserved(source, target, seed):
    values = draw(seed, source)
    weights = overlap(source, target)
    found = WeightedMean(weights, least=0.0)(values)
    covered = areas(target) * WeightedMean(weights, 0.0).weights.sums(
        np.ones_like(values), weights.room()
    )
    before = (values * areas(source)).sum()
    assert np.nansum(found * covered) == pytest.approx(before, rel=1e-11)
    assert covered.sum() == pytest.approx(areas(source).sum(), rel=1e-11)


def test_the_integral_over_all_of_ease_is_conserved():
    values, globe = draw(0, EASE), RegularGrid.globe(0.5)
    weights = overlap(EASE, globe)
    covered = areas(globe) * weights.sums(np.ones_like(values), weights.room())
    found = WeightedMean(weights, least=0.0)(values)
    before = (values * areas(EASE)).sum()
    assert np.nansum(found * covered) == pytest.approx(before, rel=1e-12)


@settings(deadline=None, max_examples=25)
@given(windows(), seeds, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(0, 2))
def test_every_pair_of_cells_counts_with_its_overlap(source, seed, least, shift):
    rng = np.random.default_rng(seed)
    north, south = source.row_edges[0] + 0.3, source.row_edges[-1] + 0.4
    west, east = source.column_edges[0] - 0.7, source.column_edges[-1] - 0.2
    turn = (-360.0, 0.0, 360.0)[shift]
    target = RegularGrid(
        min(north, 90.0), south, west + turn, east + turn, *map(int, rng.integers(2, 5, 2))
    )
    values = draw(seed, source, holes=0.3)
    found = WeightedMean(overlap(source, target), least)(values)
    expected = by_hand(values, source, target, least)
    share = by_hand(np.where(np.isnan(values), 0.0, 1.0), source, target, 0.0)
    clear = np.isnan(expected) == np.isnan(found)
    assert clear.all() or np.abs(share[~clear] - least).max() < 1e-6
    np.testing.assert_allclose(found[clear], expected[clear], rtol=1e-9)


@quick
@given(globes(), globes(), seeds)
def test_means_lie_between_the_values_and_constants_stay(source, target, seed):
    weights = WeightedMean(overlap(source, target), least=0.0)
    values = draw(seed, source, holes=0.4)
    found = weights(values)
    known = values[~np.isnan(values)]
    if len(known):
        assert np.nanmin(found) >= known.min() * (1 - 1e-12)
        assert np.nanmax(found) <= known.max() * (1 + 1e-12)
    np.testing.assert_allclose(weights(np.full_like(values, 7.0)), 7.0, rtol=1e-12)


@quick
@given(globes(), seeds)
def test_onto_its_own_grid_nothing_changes(grid, seed):
    values = draw(seed, grid, holes=0.3)
    np.testing.assert_allclose(WeightedMean(overlap(grid, grid))(values), values, rtol=1e-12)


@quick
@given(seeds, st.integers(1, 3), st.sampled_from([2, 3, 5]))
def test_finer_and_back_is_the_identity(seed, rows, times):
    coarse = RegularGrid(50.0, -10.0, -30.0, 60.0, 4 * rows, 9)
    fine = RegularGrid(50.0, -10.0, -30.0, 60.0, 4 * rows * times, 9 * times)
    found = dataset(coarse, draw(seed, coarse, holes=0.2))
    back = mean_on(mean_on(found, fine), coarse)
    # Edges are recognised to 1e-14 of a cell, through which the largest neighbour is felt.
    near = 1e-12 * found["temperature"].max().item()
    np.testing.assert_allclose(back["temperature"], found["temperature"], rtol=1e-12, atol=near)


@quick
@given(globes(), globes(), seeds, st.integers(1, 5))
def test_it_does_not_matter_at_which_meridian_a_globe_begins(source, target, seed, by):
    by = by % len(source.longitude)
    values = draw(seed, source, holes=0.3)
    edges = np.concatenate([source.column_edges[by:], source.column_edges[1 : by + 1] + 360.0])
    centres = np.concatenate([source.longitude[by:], source.longitude[:by] + 360.0])
    turned = type(source)(source.row_edges, edges, source.latitude, centres)
    one = WeightedMean(overlap(source, target))(values)
    other = WeightedMean(overlap(turned, target))(np.roll(values, -by, axis=1))
    np.testing.assert_allclose(one, other, rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(0, 300), st.integers(0, 900))
def test_a_part_of_the_result_is_the_result_on_a_part(seed, row, column):
    source = RegularGrid.globe(2.0)
    found = dataset(source, draw(seed, source, holes=0.2))
    window = part(EASE, slice(row, row + 6), slice(column, column + 8))
    whole = mean_on(found, EASE).isel(y=slice(row, row + 6), x=slice(column, column + 8))
    got = mean_on(found, window)["temperature"]
    np.testing.assert_allclose(got, whole["temperature"], rtol=1e-9)


def test_a_cell_needs_its_share_of_values():
    source = RegularGrid(10.0, -10.0, 0.0, 4.0, 2, 4)
    target = RegularGrid(10.0, -10.0, 0.0, 4.0, 1, 2)
    values = np.array([[1.0, np.nan, np.nan, np.nan], [3.0, np.nan, 5.0, np.nan]])
    found = dataset(source, values)
    half = mean_on(found, target)["temperature"]
    np.testing.assert_allclose(half, [[2.0, np.nan]])  # one half known, one quarter
    np.testing.assert_allclose(mean_on(found, target, least=0.25)["temperature"], [[2.0, 5.0]])
    assert mean_on(found, target, least=0.51)["temperature"].isnull().all()
    with pytest.raises(InputError, match=r"least valid share is 1\.5"):
        mean_on(found, target, least=1.5)


def test_what_lies_beyond_the_source_is_missing():
    found = dataset(RegularGrid(20.0, 0.0, 170.0, 190.0, 4, 4), np.ones((4, 4)))
    across = mean_on(found, RegularGrid(20.0, 0.0, -180.0, 180.0, 1, 36))["temperature"]
    assert np.flatnonzero(across.notnull().values[0]).tolist() == [0, 35]
    assert mean_on(found, RegularGrid(60.0, 40.0, 0.0, 9.0, 3, 3))["temperature"].isnull().all()


def test_classes_and_directions_have_no_mean():
    grid = RegularGrid.globe(30.0)
    for name in ("land_cover", "aspect"):
        with pytest.raises(InputError, match=f"{name} .*nearest_on for it, and leave it out"):
            mean_on(dataset(grid, np.ones((6, 12)), name), RegularGrid.globe(60.0))
    flags = dataset(grid, np.ones((6, 12)), "precipitation_source")
    flags["precipitation_source"].attrs["flag_meanings"] = "none a b"
    with pytest.raises(InputError, match="holds classes"):
        mean_on(flags, RegularGrid.globe(60.0))


def test_lazy_is_lazy_and_the_same():
    grid = RegularGrid.globe(5.0)
    rng = np.random.default_rng(3)
    values = rng.random((7, 2, 36, 72)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    found = dataset(grid, values, product="x", crs="EPSG:4326")
    found = found.assign_coords(time=np.arange(7), depth=[50.0, 200.0], z=("y", np.arange(36)))
    found["elevation"] = ("site", np.arange(3.0))
    eager = mean_on(found, EASE)
    lazy = mean_on(found.chunk(time=2, y=10, x=30), EASE)
    assert lazy["temperature"].chunks[0] == (2, 2, 2, 1)
    xr.testing.assert_identical(lazy.compute(), eager)
    assert eager["temperature"].dtype == np.float32
    assert eager["temperature"].dims == ("time", "depth", "y", "x")
    assert eager["temperature"].attrs["cell_methods"] == "area: mean"
    assert eager.attrs == {"product": "x"}
    assert "z" not in eager.coords
    xr.testing.assert_identical(eager["elevation"], found["elevation"])
    np.testing.assert_allclose(grid_of(eager).row_edges, EASE.row_edges, atol=1e-9)


def test_real_soil_moisture_on_ease(real_data):
    path = real_data / "raw" / "era5_netcdf" / "ERA5_AN_20100101_0000.nc"
    with xr.open_dataset(path, engine="h5netcdf") as file:
        raw = file["swvl1"].squeeze().astype(np.float64).load()
    raw = raw.assign_coords(longitude=(raw["longitude"] + 180.0) % 360.0 - 180.0)
    raw = raw.sortby("longitude").rename(latitude="y", longitude="x")
    coords = {"latitude": ("y", raw["y"].values), "longitude": ("x", raw["x"].values)}
    found = xr.Dataset({"soil_moisture": (("y", "x"), raw.values)}, coords)
    on_ease = mean_on(found, EASE)["soil_moisture"].values
    row, column = 83, 222  # Stillwater, Oklahoma
    north, south = EASE.row_edges[row], EASE.row_edges[row + 1]
    west, east = EASE.column_edges[column], EASE.column_edges[column + 1]
    total = area = 0.0
    for i in range(721):
        lat = raw["y"].values[i]
        top, bottom = min(lat + 0.125, north), max(lat - 0.125, south)
        if top <= bottom:
            continue
        for j in range(1440):
            lon = raw["x"].values[j]
            width = min(lon + 0.125, east) - max(lon - 0.125, west)
            if width > 0 and not np.isnan(raw.values[i, j]):
                piece = width * (np.sin(np.radians(top)) - np.sin(np.radians(bottom)))
                total, area = total + piece * raw.values[i, j], area + piece
    # By the sphere instead of the ellipsoid: the weights within one cell differ by 1e-5.
    assert on_ease[row, column] == pytest.approx(total / area, rel=1e-5)
    assert 0.05 < on_ease[row, column] < 0.6
