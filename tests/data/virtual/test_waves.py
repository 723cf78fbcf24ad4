"""Random fields have the variance, the reach and the memory that they promise."""

import numpy as np
import pytest

from diffhydro.data.virtual.waves import Moving, position, still

rng = np.random.default_rng(0)
LATITUDE = np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
LONGITUDE = rng.uniform(-180, 180, 300)


def test_variance_is_one_over_many_fields():
    fields = np.stack([still([s], 800.0, LATITUDE, LONGITUDE) for s in range(60)])
    # 60 × 300 values, of which some thousand are independent.
    assert fields.var() == pytest.approx(1.0, abs=0.1)
    assert fields.mean() == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("chord", [0.0, 400.0, 800.0, 1600.0])
def test_correlation_falls_with_the_chord_as_a_bell(chord):
    length = 800.0
    angle = np.degrees(2.0 * np.arcsin(chord / (2.0 * 6371.0)))
    rows, columns = np.array([20.0, 20.0 + angle]), np.array([30.0, 30.0])
    gap = np.linalg.norm(np.diff(position(rows, columns), axis=0))
    assert gap == pytest.approx(chord, abs=1e-6)
    pairs = np.stack([still([s], length, rows, columns) for s in range(1500)])
    wanted = np.exp(-0.5 * (chord / length) ** 2)
    # 3 standard errors of a covariance of 1500 pairs
    assert (pairs[:, 0] * pairs[:, 1]).mean() == pytest.approx(wanted, abs=3 * 1.4 / 1500**0.5)


def test_memory_is_that_of_the_day_before():
    field = Moving((3, 1), 500.0, 0.7).at(LATITUDE, LONGITUDE, 400)
    assert (field[:, 1:] * field[:, :-1]).mean() == pytest.approx(0.7, abs=0.06)
    assert (field[:, 5:] * field[:, :-5]).mean() == pytest.approx(0.7**5, abs=0.08)
    assert field.var() == pytest.approx(1.0, abs=0.08)


def test_a_place_does_not_depend_on_the_others():
    field = Moving((3, 1), 500.0, 0.7)
    alone = field.at(LATITUDE[7:8], LONGITUDE[7:8], 30)
    np.testing.assert_allclose(field.at(LATITUDE, LONGITUDE, 30)[7:8], alone, rtol=0, atol=1e-12)


def test_a_longer_record_begins_like_a_shorter_one():
    field = Moving((5, 2), 500.0, 0.5)
    short, long = (field.at(LATITUDE[:3], LONGITUDE[:3], days) for days in (20, 50))
    np.testing.assert_allclose(long[:, :20], short, rtol=0, atol=1e-12)
