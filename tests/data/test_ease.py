import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhydro.data.ease import EASE_9, EASE_36, LEFT, TOP, grid_of, project, unproject
from diffhydro.errors import InputError

ACROSS, ALONG = st.floats(-89.999, 89.999), st.floats(-180.0, 179.999)


def test_published_corners_rows_and_columns():
    """Brodzik et al. 2012, and the centres in SMAP's granules."""
    assert abs(LEFT + 17367530.44516138) < 1e-7
    for grid in (EASE_36, EASE_9):
        assert grid.columns * grid.size == pytest.approx(-2.0 * LEFT, abs=1e-5)
        assert grid.rows * grid.size == pytest.approx(2.0 * TOP, abs=1e-5)
    rows = EASE_36.latitude
    np.testing.assert_allclose(rows[[0, 1]], [83.63197, 81.48033], atol=5e-6)
    np.testing.assert_allclose(rows[[202, 203]], [0.1412218, -0.1412218], atol=5e-8)
    assert EASE_36.longitude[0] == pytest.approx(-179.81328, abs=5e-6)
    np.testing.assert_allclose(np.diff(EASE_36.longitude), 0.3734440, atol=5e-8)
    np.testing.assert_allclose(rows, -rows[::-1], atol=1e-9)


@given(ACROSS, ALONG)
def test_there_and_back(latitude, longitude):
    back = unproject(*project(latitude, longitude))
    assert float(back[0]) == pytest.approx(
        latitude, abs=2e-10 + 1e-13 / np.cos(np.radians(latitude))
    )
    assert float(back[1]) == pytest.approx(longitude, abs=1e-12)


def test_against_another_implementation():
    from rasterio.warp import transform

    rng = np.random.default_rng(0)
    latitude, longitude = rng.uniform(-89.9, 89.9, 500), rng.uniform(-180.0, 180.0, 500)
    x, y = transform("EPSG:4326", "EPSG:6933", longitude, latitude)
    np.testing.assert_allclose(project(latitude, longitude), [x, y], atol=1e-7)


def test_equal_areas():
    """Rows hold equal areas of the ellipsoid: ∫ M N cos φ dφ between their edges."""
    edges = unproject(0.0, TOP - EASE_36.size * np.arange(EASE_36.rows + 1))[0]
    nodes, weights = np.polynomial.legendre.leggauss(20)
    north, south = np.radians(edges[:-1, None]), np.radians(edges[1:, None])
    phi = (north + south) / 2 + (north - south) / 2 * nodes
    a, e2 = 6378137.0, 0.0066943799901413165
    w = 1.0 - e2 * np.sin(phi) ** 2
    strips = (a**2 * (1.0 - e2) / w**2 * np.cos(phi) * weights).sum(1) * ((north - south) / 2)[:, 0]
    cell = strips * 2.0 * np.pi / EASE_36.columns
    np.testing.assert_allclose(cell, EASE_36.size**2, rtol=1e-10)


@pytest.mark.parametrize("grid", [EASE_36, EASE_9])
def test_cells_hold_their_centres(grid):
    rows, columns = np.meshgrid(np.arange(0, grid.rows, 5), np.arange(0, grid.columns, 3))
    back = grid.cell(*grid.centre(rows, columns))
    np.testing.assert_array_equal(back[0], rows)
    np.testing.assert_array_equal(back[1], columns)


def test_edges_of_the_world():
    row, column = EASE_36.cell([0.0, 0.0, 0.0, 85.05, -85.05, np.nan], [-180, 180, 540, 0, 0, 0])
    assert row.tolist() == [203, 203, 203, -1, -1, -1]
    assert column.tolist() == [0, 0, 0, -1, -1, -1]
    assert np.isnan(unproject(0.0, 7.4e6)[0])
    assert EASE_36.cell(0.0, np.nan)[0] == -1


def test_boxes_and_shapes():
    rows, columns = EASE_36.within((-180.0, -90.0, 180.0, 90.0))
    assert (rows, columns) == (slice(0, 406), slice(0, 964))
    rows, columns = EASE_36.within((-97.1, 36.1, -97.0, 36.2))
    row, column = EASE_36.cell([36.1, 36.2], [-97.1, -97.0])
    assert rows == slice(row.min(), row.max() + 1)
    assert columns == slice(column.min(), column.max() + 1)
    assert grid_of((1624, 3856, 3), "") == EASE_9
    with pytest.raises(InputError, match="2000 × 2000 cells; expected 406"):
        grid_of((2000, 2000), "here")


def test_the_files_of_the_product_say_the_same(real_data):
    import h5py

    with h5py.File(real_data / "raw" / "smap" / "SPL3SMP_009_geolocation_subset.nc4") as file:
        for overpass, suffix in (("AM", ""), ("PM", "_pm")):
            group = file[f"Soil_Moisture_Retrieval_Data_{overpass}"]
            latitude, longitude = (group[n + suffix][:] for n in ("latitude", "longitude"))
            known = latitude != -9999.0
            assert 0.3 < known.mean() < 0.7
            rows, columns = np.nonzero(known)
            np.testing.assert_allclose(latitude[known], EASE_36.latitude[rows], atol=8e-6)
            np.testing.assert_allclose(longitude[known], EASE_36.longitude[columns], atol=1.6e-5)
            found = EASE_36.cell(latitude[known], longitude[known])
            np.testing.assert_array_equal(found, (rows, columns))
