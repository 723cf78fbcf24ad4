"""Adam and L-BFGS: they end where Levenberg–Marquardt does, and leave what is no number."""

from functools import cache

import numpy as np
import pytest

from diffhydro.calibration.coordinates import EDGE
from diffhydro.calibration.descent import Adam, Lbfgs
from diffhydro.calibration.search import CAPPED, CONVERGED, FAILED
from tests.calibration.objectives import banana, bowl, descend, each, logarithm, nothing

pytestmark = pytest.mark.slow

ROOT = np.array([[1.0, 0.4, 0.2], [0.0, 0.9, 0.3], [0.0, 0.0, 0.8]])
TWINS = np.array([[1.0, 0.9, 0.0], [0.0, 0.19**0.5, 0.0], [0.0, 0.0, 1.0]])
CENTRE = np.array([1.5, -0.2, 0.5])
# Where the first number is held by the edge, the second is best here.
HELD = -8.0 + 0.9 * (18.99 - EDGE)
CASES = {
    "bowl": (bowl(ROOT, CENTRE), [0.0, 0.0, 0.0], CENTRE),
    "edge": (bowl(TWINS, [18.99, -8.0, 0.5]), [8.99, 0.0, 0.0], [EDGE, HELD, 0.5]),
    "banana": (banana, [-1.2, 1.0, 0.7], [1.0, 1.0, 0.7]),
    "logarithm": (logarithm, [3.0, 0.2, 0.1], [np.exp(-2.0) - 1.0, 0.2, 0.1]),
    "no number": (nothing, [0.5, 0.2, 0.1], [0.5, 0.2, 0.1]),
}
METHODS = {
    "Adam": Adam(tolerance=1e-5, patience=40, most=500),
    "L-BFGS": Lbfgs(tolerance=1e-9),
}
# A gain of 1e-5 of a loss of 1 is, where two numbers act alike (curvature 0.1), a way of 0.01.
ENOUGH = 0.01


@cache
def results(method, dtype="float64"):
    functions, starts, _ = zip(*CASES.values(), strict=True)
    return descend(each(functions), method, np.asarray(starts, dtype))


def result(method, name):
    found, at = results(method), list(CASES).index(name)
    return found._replace(**{key: x[at] for key, x in found._asdict().items()})


@pytest.mark.parametrize("name", ["bowl", "edge", "logarithm"])
@pytest.mark.parametrize("method", METHODS)
def test_they_end_at_the_minimum(method, name):
    found = result(METHODS[method], name)
    assert found.status == CONVERGED
    np.testing.assert_allclose(found.z, CASES[name][2], atol=ENOUGH)


def test_lbfgs_follows_a_curved_valley_to_its_end():
    found = result(METHODS["L-BFGS"], "banana")
    assert found.status == CONVERGED
    np.testing.assert_allclose(found.z, CASES["banana"][2], atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_the_loss_is_that_of_the_place(method):
    """Also where a step was cut off at the edge."""
    found = results(METHODS[method])
    functions, _, _ = zip(*CASES.values(), strict=True)
    for at in range(len(CASES) - 1):
        expected = np.sum(np.asarray(functions[at](found.z[at])) ** 2)
        # The root of a loss of almost nothing is a rounded difference.
        np.testing.assert_allclose(found.loss[at], expected, rtol=1e-12, atol=1e-20)


@pytest.mark.parametrize("method", METHODS)
def test_a_start_that_is_no_number_has_failed(method):
    found = result(METHODS[method], "no number")
    assert found.status == FAILED
    assert found.loss == np.inf
    assert found.z.tolist() == CASES["no number"][1]


@pytest.mark.parametrize("method", METHODS)
def test_the_best_place_is_kept_and_its_course_goes_down(method):
    found = results(METHODS[method])
    course = found.course[:-1]
    assert np.isfinite(course[:, 0]).all()
    assert (np.nan_to_num(np.diff(course, axis=1), nan=0.0) <= 0).all()
    np.testing.assert_array_equal(np.nanmin(course, axis=1), found.loss[:-1])


def test_adam_counts_its_evaluations_and_stops_after_the_most():
    found = results(METHODS["Adam"])
    counted = np.isfinite(found.course).sum(axis=1)
    np.testing.assert_array_equal(found.evaluations[:-1], counted[:-1])
    few = results(Adam(most=7))
    assert (few.status[:-1] == CAPPED).all()
    assert (few.evaluations[:-1] == 7).all()


def test_lbfgs_evaluates_once_or_more_in_every_round():
    found = results(METHODS["L-BFGS"])
    rounds = np.isfinite(found.course).sum(axis=1)[:-1]
    assert (found.evaluations[:-1] > rounds).all()
    assert (found.evaluations[:-1] <= 13 * rounds).all()


def test_adam_works_in_single_precision():
    found = results(METHODS["Adam"], "float32")
    assert found.z.dtype == np.float32
    np.testing.assert_allclose(found.z[0], CENTRE, atol=ENOUGH)
