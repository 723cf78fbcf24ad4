"""Normals follow the Earth's belts."""

import numpy as np
import pytest

from diffhydro.data.koppen import CLASSES, classify
from diffhydro.data.virtual.climate import climate
from diffhydro.data.virtual.outlines import is_land
from diffhydro.data.virtual.places import monthly
from diffhydro.data.virtual.presets import PRESETS


def test_cities_are_on_land_and_oceans_are_not():
    on_land = [
        (48.9, 2.4), (40.7, -74.5), (35.7, 51.4), (-1.3, 36.8), (-15.8, -47.9), (55.8, 37.6),
        (28.6, 77.2), (-25.0, 134.0), (39.9, 116.4), (60.0, -110.0), (24.0, 10.0),
    ]  # fmt: skip
    at_sea = [
        (0.0, -30.0),
        (30.0, -45.0),
        (-20.0, 80.0),
        (35.0, -150.0),
        (-50.0, 0.0),
        (35.0, 18.0),
    ]
    assert is_land(*np.array(on_land).T).all()
    assert not is_land(*np.array(at_sea).T).any()


def test_the_earth_has_all_its_belts():
    latitude, longitude = PRESETS["small"].cells()
    normals = climate(0, latitude, longitude, np.full(latitude.shape, 300.0))
    codes = classify(*monthly(normals), latitude)
    main = np.array([CLASSES[int(code) - 1][0] for code in codes])
    weight = np.cos(np.radians(latitude))
    share = {letter: weight[main == letter].sum() / weight.sum() for letter in "ABCDE"}
    # Peel et al. 2007 without Antarctica: A 22, B 35, C 15, D 26, E 3 %.
    for letter, real in zip("ABCDE", (0.22, 0.35, 0.15, 0.26, 0.03), strict=True):
        assert share[letter] == pytest.approx(real, abs=0.10), share
    far = np.abs(latitude)
    assert normals.rain[far < 8].mean() > 3 * normals.rain[(far > 20) & (far < 30)].mean()
    assert normals.warmth[far < 15].mean() > normals.warmth[far > 60].mean() + 20
    assert normals.swing[far > 50].mean() > 2 * normals.swing[far < 15].mean()


def test_another_seed_has_its_wet_places_elsewhere():
    latitude, longitude = PRESETS["tiny"].cells()
    flat = np.zeros(latitude.shape)
    one, same, other = (climate(seed, latitude, longitude, flat).rain for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(np.log(one / other)).mean() > 0.2
