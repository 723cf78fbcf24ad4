"""Classes follow Peel et al. 2007."""

import numpy as np
import pytest

from diffhydro.data.koppen import CLASSES, classify

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
    code = classify(temperature[None], np.asarray(rain, float)[None], np.array([latitude]))
    assert CLASSES[int(code[0]) - 1] == name
