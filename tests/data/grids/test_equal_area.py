import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from diffhydro.data.ease import EASE_9, EASE_36, FLATTENING, RADIUS
from diffhydro.data.grids import RegularGrid, areas, ease_grid
from diffhydro.data.grids.equal_area import equal_area, latitude_of

E2 = FLATTENING * (2.0 - FLATTENING)


def zone(south, north):
    """Area between two parallels over one radian, by the radii of curvature M and N."""

    def ring(phi):
        w = 1.0 - E2 * np.sin(phi) ** 2
        return RADIUS**2 * (1.0 - E2) / w**2 * np.cos(phi)

    return quad(ring, np.radians(south), np.radians(north), epsabs=0.0, epsrel=1e-12)[0]


def test_the_globe_has_the_area_of_the_ellipsoid():
    # Moritz 2000, Geodetic Reference System 1980: 510 065 621.7 km2 to the digits given here.
    assert areas(RegularGrid.globe(0.5)).sum() / 1e6 == pytest.approx(510_065_621.7, abs=0.1)


@pytest.mark.parametrize("north", [90.0, 60.0, 45.5, 0.25, -89.5])
def test_areas_are_those_of_the_curved_surface(north):
    grid = RegularGrid(north, north - 0.5, 10.0, 11.0, 1, 4)
    expected = zone(north - 0.5, north) * np.radians(0.25)
    np.testing.assert_allclose(areas(grid), expected, rtol=1e-10)


@pytest.mark.parametrize("cells", [EASE_36, EASE_9])
def test_cells_of_ease_are_equal_and_hold_their_centres(cells):
    grid = ease_grid(cells)
    np.testing.assert_allclose(areas(grid), cells.size**2, rtol=1e-9)
    rows, columns = cells.cell(grid.latitude[:, None], grid.longitude)
    assert (rows == np.arange(cells.rows)[:, None]).all()
    assert (columns == np.arange(cells.columns)).all()


@given(st.floats(-90.0, 90.0))
def test_there_and_back(latitude):
    # The northing is flat at the poles, so the last digits of it are 1e-8 radians there.
    back = float(latitude_of(equal_area(np.array(latitude))))
    assert back == pytest.approx(latitude, abs=1e-12 if abs(latitude) < 80.0 else 2e-6)
    assert float(equal_area(np.array(back))) == pytest.approx(
        float(equal_area(np.array(latitude))), rel=1e-13, abs=1e-8
    )
