"""Sobol's indices against those that are known."""

import sys

import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import Study, dgsm, sobol
from diffhydro.land.hbv import Hbv
from diffhydro.land.threshold import Smooth
from tests.evaluation.sensitivity.known import (
    ISHIGAMI_FIRST,
    ISHIGAMI_TOTAL,
    ISHIGAMI_VARIANCE,
    LINEAR_SHARES,
    constant,
    ishigami,
    linear,
)
from tests.land.climates import Climate, weather


@pytest.fixture(autouse=True)
def _with_salib():
    pytest.importorskip("SALib")


def test_ishigami():
    found = sobol(ishigami(2000), 4096, seed=0)
    np.testing.assert_allclose(found.first, ISHIGAMI_FIRST, atol=0.02)
    np.testing.assert_allclose(found.total, ISHIGAMI_TOTAL, atol=0.02)
    np.testing.assert_allclose(found.variance, ISHIGAMI_VARIANCE, rtol=0.02)
    assert found.runs == 4096 * 5
    assert (np.abs(found.total - ISHIGAMI_TOTAL) < found.total_error).all()


def test_a_line_has_no_interactions():
    found = sobol(linear(), 1024, seed=0)
    np.testing.assert_allclose(found.first, LINEAR_SHARES, atol=0.01)
    np.testing.assert_allclose(found.total, LINEAR_SHARES, atol=0.01)


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_gives_the_same_numbers_and_leaves_chance_alone(seed):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (str(sobol(ishigami(), 64, seed=seed)) for _ in range(2))
    assert one == two
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def moisture(run):
    return run.states.soil.mean()


@pytest.mark.slow
def test_a_bucket_lies_between_its_bounds():
    forcing = weather(Climate(warmth=12.0), 100, seed=1)
    names = ["beta", "field_capacity", "dry_share", "gamma"]
    response = Study(Hbv(threshold=Smooth()), forcing, names).response(moisture)
    shares, bounds = sobol(response, 512, seed=0), dgsm(response, 512, seed=0)
    # `total_error` is 1.96 standard errors of a bootstrap that takes the points for random.
    assert (shares.total <= bounds.upper.value + shares.total_error).all()
    assert (shares.total >= bounds.lower.value - shares.total_error).all()
    assert shares.order[0] == bounds.order[0]


def test_what_does_not_vary_cannot_be_shared_out():
    with pytest.raises(InputError, match="the output is 4 at all 256 points"):
        sobol(constant(), 64, seed=0)


def test_points_that_are_no_power_of_two():
    with pytest.raises(InputError, match=r"a sample has 1000 points.*take 512 or 1024"):
        sobol(linear(), 1000, seed=0)


def test_without_salib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    with pytest.raises(InputError, match=r"a variance study needs SALib.*diffhydro-jax\[sens"):
        sobol(linear(), 64, seed=0)
