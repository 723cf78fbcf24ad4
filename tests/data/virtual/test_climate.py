"""Normals follow the Earth's belts, and classes follow Peel et al. 2007."""

import numpy as np
import pytest

from diffhydro.data.virtual.climate import climate
from diffhydro.data.virtual.koppen import CLASSES, koppen
from diffhydro.data.virtual.outlines import is_land
from diffhydro.data.virtual.places import monthly
from diffhydro.data.virtual.presets import PRESETS

FLAT = np.ones(12)


def wave(mean, half, north=True):
    """Temperatures of a year with the warmest month in July, or in January."""
    months = np.arange(12)
    return mean + half * np.cos(2 * np.pi * (months - (6 if north else 0)) / 12)


@pytest.mark.parametrize(
    ("name", "temperature", "rain", "latitude"),
    [
        ("Af", wave(26, 1), 200 * FLAT, 1.0),
        ("Am", wave(26, 1), np.where(np.arange(12) < 2, 30.0, 300.0), 5.0),
        ("Aw", wave(26, 2), np.where(np.arange(12) < 5, 5.0, 150.0), 12.0),
        ("BWh", wave(25, 8), 5 * FLAT, 25.0),
        ("BWk", wave(8, 14), 8 * FLAT, 42.0),
        ("BSh", wave(24, 6), 40 * FLAT, 15.0),
        ("BSk", wave(9, 12), 25 * FLAT, 40.0),
        ("Csa", wave(17, 8), np.where((np.arange(12) > 3) & (np.arange(12) < 9), 8, 90), 37.0),
        ("Csb", wave(13, 5), np.where((np.arange(12) > 3) & (np.arange(12) < 9), 12, 120), 40.0),
        ("Cwa", wave(20, 8), np.where((np.arange(12) > 3) & (np.arange(12) < 9), 200, 12), 25.0),
        ("Cfa", wave(17, 10), 100 * FLAT, 33.0),
        # Summers five times as wet as winters are not yet a dry winter, which takes ten.
        ("Cfa", wave(20, 8), np.where((np.arange(12) > 3) & (np.arange(12) < 9), 200, 40), 25.0),
        ("Cfb", wave(10, 7), 70 * FLAT, 51.0),
        ("Dfa", wave(9, 15), 70 * FLAT, 41.0),
        ("Dfb", wave(5, 14), 60 * FLAT, 46.0),
        ("Dfc", wave(-3, 16), 45 * FLAT, 62.0),
        ("Dfd", wave(-14, 28), 30 * FLAT, 66.0),
        ("Dwa", wave(9, 16), np.where((np.arange(12) > 3) & (np.arange(12) < 9), 150, 6), 40.0),
        ("ET", wave(-8, 14), 30 * FLAT, 70.0),
        ("EF", wave(-25, 12), 10 * FLAT, 78.0),
        # The southern summer is in January.
        ("Csb", wave(13, 5, north=False),
         np.where((np.arange(12) > 3) & (np.arange(12) < 9), 120, 12), -34.0),
    ],
)  # fmt: skip
def test_classes(name, temperature, rain, latitude):
    code = koppen(temperature[None], np.asarray(rain, float)[None], np.array([latitude]))
    assert CLASSES[int(code[0]) - 1] == name


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
    codes = koppen(*monthly(normals), latitude)
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
