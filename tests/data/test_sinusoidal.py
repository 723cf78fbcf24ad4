import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhydro.data.sinusoidal import CRS, TILE, corner, project, unproject


@given(st.floats(-89.0, 89.0), st.floats(-180.0, 179.999))
def test_there_and_back(latitude, longitude):
    back = unproject(*project(latitude, longitude))
    assert float(back[0]) == pytest.approx(latitude, abs=1e-12)
    assert float(back[1]) == pytest.approx(longitude, abs=1e-10)


def test_against_another_implementation():
    from rasterio.warp import transform

    rng = np.random.default_rng(0)
    latitude, longitude = rng.uniform(-89.0, 89.0, 300), rng.uniform(-180.0, 180.0, 300)
    x, y = transform("EPSG:4326", CRS, longitude, latitude)
    np.testing.assert_allclose(project(latitude, longitude), [x, y], atol=1e-6)


def test_tiles_as_the_product_has_them():
    assert pytest.approx(1111950.5197, abs=1e-4) == TILE
    assert pytest.approx(463.312716528, abs=1e-7) == TILE / 2400
    assert corner(18, 4)[0] == 0.0
    np.testing.assert_allclose(corner(0, 0), (-20015109.354, 10007554.677), atol=1e-3)


def test_beyond_the_outline_is_nothing():
    latitude, longitude = unproject([1.9e7, 0.0, 0.0], [5e6, 1.1e7, 5e6])
    assert np.isnan(longitude[:2]).all()
    assert np.isnan(latitude[:2]).all()
    assert longitude[2] == 0.0
