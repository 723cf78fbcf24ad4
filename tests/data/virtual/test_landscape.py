"""Landscapes: rough as asked, wet where water gathers, and spread from classes without steps."""

import numpy as np
import pytest

from diffhydro.data.tiles import extent_of
from diffhydro.data.virtual.landscape import (
    CLASSES,
    COVERS,
    TEXTURES,
    WETNESS,
    classes,
    fractal,
    landscape,
    on_pixels,
)
from diffhydro.data.virtual.places import describe

LATITUDE, LONGITUDE = np.array([45.1, 36.2]), np.array([9.3, -97.1])


@pytest.fixture(scope="module")
def places():
    return describe(0, LATITUDE, LONGITUDE, scattered=True)


@pytest.fixture(scope="module")
def square(places):
    return landscape(0, extent_of(LATITUDE[0], LONGITUDE[0]), places, 0)


def neighbours(x):
    return np.corrcoef(x[:, 1:].ravel(), x[:, :-1].ravel())[0, 1]


def test_steeper_spectra_are_smoother():
    rng = np.random.default_rng(0)
    surfaces = [fractal(rng, (96, 96), steepness) for steepness in (0.0, 1.0, 2.0)]
    likeness = [neighbours(x) for x in surfaces]
    assert abs(likeness[0]) < 0.05
    assert likeness[0] < likeness[1] < likeness[2]
    assert all(x.std() == pytest.approx(1.0) for x in surfaces)


def test_a_square_is_the_same_whatever_else_is_made(places, square):
    again = landscape(0, extent_of(LATITUDE[0], LONGITUDE[0]), places, 0)
    np.testing.assert_array_equal(square.elevation, again.elevation)
    other = landscape(1, extent_of(LATITUDE[0], LONGITUDE[0]), places, 0)
    assert not np.allclose(square.elevation, other.elevation)


def test_water_gathers_in_hollows(square):
    assert square.upstream.max() > 500
    wet, dry = square.wetness > 0.9, square.wetness < 0.3
    assert np.log(square.upstream[wet]).mean() > np.log(square.upstream[dry]).mean() + 1.0
    assert square.shape.slope[wet].mean() < square.shape.slope[dry].mean()
    assert np.isfinite(square.shape.slope).all()


def test_soils_are_possible(square):
    assert (square.sand + square.clay <= 98.001).all()
    assert (square.sand > 0).all()
    assert (square.clay > 0).all()


def test_classes_vary_as_pixels_do(places):
    climate, said, hidden = classes(places, np.array([0, 1]))
    assert len(climate.latitude) == len(said.sand) == len(hidden.cracks) == 2 * CLASSES
    np.testing.assert_allclose(hidden.texture.sum(axis=-1), 100.0)
    one = hidden.texture[:CLASSES, 0, 0].reshape(len(TEXTURES), len(WETNESS), COVERS)
    assert (np.diff(one, axis=0) > 0).all()  # sandier with the rank of sand
    np.testing.assert_array_equal(one[:, :1], one[:, 1:2])  # whatever the wetness


def test_pixels_take_the_value_of_their_class(square):
    code = np.arange(CLASSES, dtype=float).reshape(len(TEXTURES), len(WETNESS), COVERS)
    # Texture in hundredths, cover in thousandths, wetness itself.
    theta = 0.1 + 0.3 * np.array(WETNESS)[None, :, None] + 0 * code
    theta = theta + 0.01 * np.arange(len(TEXTURES))[:, None, None] + 0.001 * np.arange(COVERS)
    found = on_pixels(theta.reshape(CLASSES, 1), square)[0]
    texture = np.clip((square.texture * len(TEXTURES)).astype(int), 0, len(TEXTURES) - 1)
    rank = np.clip(square.wetness, WETNESS[0], WETNESS[-1])
    wanted = 0.1 + 0.3 * rank + 0.01 * texture + 0.001 * square.is_other + square.detail
    np.testing.assert_allclose(found, wanted, atol=1e-12)
