"""Levenberg–Marquardt: few steps, ends on bounds, and what it refuses."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.coordinates import EDGE
from diffhydro.calibration.levenberg_marquardt import LevenbergMarquardt
from diffhydro.calibration.search import CAPPED, CONVERGED, FAILED
from tests.calibration.objectives import (
    Squares,
    banana,
    bowl,
    descend,
    each,
    logarithm,
    nothing,
)

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
ROOT = np.array([[1.0, 0.4, 0.2], [0.0, 0.9, 0.3], [0.0, 0.0, 0.8]])
SCALE = np.array([1.0, 0.1, 0.5])
# Two numbers that act almost alike, of which the first cannot go where it wants.
TWINS = np.array([[1.0, 0.9, 0.0], [0.0, 0.19**0.5, 0.0], [0.0, 0.0, 1.0]])


def flat(z):
    return 0.0 * jnp.append(z, z[:1]) + 1.0


CASES = {
    "bowl": (bowl(ROOT, [1.5, -0.2, 0.5]), [0.0, 0.0, 0.0]),
    "the same in other units": (bowl(ROOT / SCALE, SCALE * [1.5, -0.2, 0.5]), [0.0, 0.0, 0.0]),
    "banana": (banana, [-1.2, 1.0, 0.7]),
    "banana from afar": (banana, [8.0, 8.9, 0.7]),
    "twins": (bowl(TWINS, [18.99, -8.0, 0.5]), [8.99, 0.0, 0.0]),
    "logarithm": (logarithm, [3.0, 0.0, 0.0]),
    "no number": (nothing, [0.5, 0.2, 0.1]),
    "flat": (flat, [0.5, 0.2, 0.1]),
}


@cache
def results(dtype="float64", names=tuple(CASES), **options):
    functions, starts = zip(*(CASES[name] for name in names), strict=True)
    return descend(each(functions), LevenbergMarquardt(**options), np.asarray(starts, dtype))


def result(name):
    found, at = results(), list(CASES).index(name)
    return found._replace(**{key: x[at] for key, x in found._asdict().items()})


def test_a_quadratic_takes_a_few_steps():
    found = result("bowl")
    assert found.status == CONVERGED
    # Before, a step that is damped by a hundredth, one that is not, and one that gains nothing.
    assert found.evaluations <= 4
    np.testing.assert_allclose(found.z, [1.5, -0.2, 0.5], atol=1e-4)
    np.testing.assert_allclose(found.loss, 1.0, rtol=1e-8)


def test_the_scale_of_a_number_makes_no_difference():
    one, other = result("bowl"), result("the same in other units")
    assert one.evaluations == other.evaluations
    np.testing.assert_allclose(other.z, SCALE * one.z, atol=1e-12)


@pytest.mark.parametrize("name", ["banana", "banana from afar"])
def test_a_curved_valley_is_followed_to_its_end(name):
    found = result(name)
    assert found.status == CONVERGED
    np.testing.assert_allclose(found.z[:2], 1.0, atol=1e-6)


@pytest.mark.parametrize("name", ["banana", "banana from afar"])
def test_a_number_that_is_not_felt_stays_where_it_was(name):
    assert result(name).z[2] == 0.7


def test_the_rest_is_still_optimal_where_a_bound_holds():
    """Both want to go far, in opposite ways; held, the first one turns the second round."""
    found = result("twins")
    assert found.status == CONVERGED
    np.testing.assert_allclose(found.z, [EDGE, -8.0 + 0.9 * (18.99 - EDGE), 0.5], atol=1e-3)


def test_where_there_is_no_number_it_does_not_go():
    found = result("logarithm")
    assert found.status == CONVERGED
    np.testing.assert_allclose(found.z[0], np.exp(-2.0) - 1.0, atol=1e-6)
    lowest = found.course[: found.evaluations]
    assert np.isfinite(lowest).all()
    assert (np.diff(lowest) <= 0).all()
    assert (np.diff(lowest) == 0).any(), "a step was refused"


def test_a_start_that_is_no_number_has_failed():
    found = result("no number")
    assert found.status == FAILED
    assert found.evaluations == 1
    assert found.loss == np.inf
    assert found.z.tolist() == [0.5, 0.2, 0.1]


def test_where_nothing_can_be_gained_it_ends_at_once():
    found = result("flat")
    assert found.status == CONVERGED
    assert found.evaluations == 2
    assert found.z.tolist() == [0.5, 0.2, 0.1]


def test_every_evaluation_is_counted_and_every_course_as_long():
    found = results()
    counted = np.isfinite(found.course).sum(axis=1)
    counted[list(CASES).index("no number")] += 1
    np.testing.assert_array_equal(found.evaluations, counted)
    last = np.take_along_axis(found.course, found.evaluations[:, None] - 1, axis=1)[:, 0]
    np.testing.assert_array_equal(last, found.loss)


def test_it_stops_after_the_most_evaluations():
    found = results(names=("banana",), most=6)
    assert found.status == CAPPED
    assert found.evaluations == 6
    assert found.course.shape == (1, 6)
    np.testing.assert_allclose(found.course[0], result("banana").course[:6], rtol=1e-9)


def test_single_precision_ends_where_double_does():
    names = ("bowl", "twins")
    found = results("float32", names)
    assert found.z.dtype == np.float32
    assert (found.status == CONVERGED).all()
    np.testing.assert_allclose(found.z, [result(name).z for name in names], atol=2e-3)


def test_in_any_box_the_end_is_a_minimum():
    """Slopes vanish but where the edge holds, and there they point over it."""
    count, size = 40, 5
    roots = RNG.normal(size=(count, size, size))
    centres = RNG.uniform(-15.0, 15.0, (count, size))

    def residuals(z, site):
        moved = (z - jnp.asarray(centres)[site])[None]
        return jnp.append(jnp.sum(jnp.asarray(roots)[site] * moved, axis=1), 1.0)

    starts = RNG.uniform(-9.0, 9.0, (count, size))
    found = descend(Squares(residuals), LevenbergMarquardt(tolerance=1e-9, most=100), starts)
    assert (found.status == CONVERGED).all()
    slope = 2.0 * np.einsum("lij,lik,lk->lj", roots, roots, found.z - centres)
    steepness = 2.0 * np.einsum("lij,lij->lj", roots, roots)
    # How far each number would move by itself.
    wanted = np.clip(found.z - slope / steepness, -EDGE, EDGE) - found.z
    assert (np.abs(found.z) == EDGE).any(axis=1).sum() > count / 2
    np.testing.assert_allclose(wanted, 0.0, atol=1e-3)
