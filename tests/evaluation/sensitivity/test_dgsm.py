"""Derivative-based measures: exact integrals, and bounds of indices that are known."""

import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import dgsm, latin_hypercube, scrambled_sobol
from tests.evaluation.sensitivity.known import (
    ISHIGAMI_FIRST,
    ISHIGAMI_NU,
    ISHIGAMI_TOTAL,
    ISHIGAMI_VARIANCE,
    LINEAR_SHARES,
    SLOPES,
    constant,
    ishigami,
    linear,
)

DESIGNS = pytest.mark.parametrize("design", [scrambled_sobol, latin_hypercube])
FAR = 5.0  # standard errors: with a fixed seed, far enough never to be chance


@DESIGNS
def test_ishigami(design):
    found = dgsm(ishigami(), 4096, seed=0, design=design)
    assert (np.abs(found.nu.value - ISHIGAMI_NU) < FAR * found.nu.error).all()
    np.testing.assert_allclose(found.nu.value, ISHIGAMI_NU, rtol=0.05)
    # A hypercube does not even out what x1 and x3 do together; this is four of its standard errors.
    np.testing.assert_allclose(found.variance, ISHIGAMI_VARIANCE, rtol=0.08)
    assert (found.lower.value <= ISHIGAMI_FIRST + FAR * found.lower.error).all()
    for upper in (found.poincare, found.weighted):
        assert (upper.value >= ISHIGAMI_TOTAL).all()
    np.testing.assert_array_equal(
        found.upper.value, np.minimum(found.poincare.value, found.weighted.value)
    )


@DESIGNS
def test_a_line_lies_on_its_bounds(design):
    found = dgsm(linear(), 4096, seed=1, design=design)
    np.testing.assert_allclose(found.nu.value, SLOPES**2, rtol=1e-12)
    np.testing.assert_allclose(found.slope.value, SLOPES, rtol=1e-12)
    # From the sample come the variance and the mean of u(1 − u).
    np.testing.assert_allclose(found.weighted.value, LINEAR_SHARES, rtol=0.02)
    np.testing.assert_allclose(found.lower.value, LINEAR_SHARES, rtol=0.02)
    np.testing.assert_allclose(found.poincare.value, 12.0 / np.pi**2 * LINEAR_SHARES, rtol=0.02)


@DESIGNS
def test_standard_errors_are_the_spread_between_seeds(design):
    found = [dgsm(ishigami(), 512, seed=seed, design=design) for seed in range(60)]
    for name in ("nu", "lower", "weighted"):
        estimates = np.stack([getattr(one, name).value for one in found])[:, 0]
        stated = np.stack([getattr(one, name).error for one in found])[:, 0]
        # Sixty estimates tell their spread to a tenth; eight sets tell theirs to a quarter.
        ratio = np.sqrt(np.mean(stated**2)) / estimates.std(ddof=1)
        assert 0.7 < ratio < 1.4, (name, ratio)


def test_the_same_seed_gives_the_same_numbers():
    one, two, other = (str(dgsm(ishigami(), 256, seed=seed)) for seed in (0, 0, 1))
    assert one == two
    assert one != other


def test_pieces_give_the_same_as_the_whole():
    whole, pieces = (dgsm(ishigami(columns), 256, seed=0) for columns in (None, 100))
    np.testing.assert_allclose(pieces.upper.value, whole.upper.value, rtol=1e-10)


def test_what_does_not_vary_has_no_shares():
    found = dgsm(constant(), 64, seed=0)
    assert found.mean == 4.0
    assert found.variance == 0.0
    for estimate in (found.nu, found.lower, found.upper):
        np.testing.assert_array_equal(estimate.value, 0.0)
        np.testing.assert_array_equal(estimate.error, 0.0)


def test_the_table_begins_with_the_largest():
    lines = str(dgsm(linear(), 256, seed=0)).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("points", "sets", "message"),
    [
        (1000, 8, "take 64 or 128"),
        (1024, 1, "at least two sets"),
        (1024, 7, "do not make 7 sets"),
        (8, 8, "of two points or more"),
    ],
)
def test_refused(points, sets, message):
    with pytest.raises(InputError, match=message):
        dgsm(linear(), points, seed=0, sets=sets)
