"""Outputs and slopes at points of the unit cube."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import Response
from tests.evaluation.sensitivity.known import SLOPES, ishigami, linear

POINTS = np.random.default_rng(5).random((23, 3))


@pytest.mark.parametrize("columns", [1, 4, 23, 100])
def test_in_pieces_is_the_same_as_whole(columns):
    whole, pieces = ishigami(None), ishigami(columns)
    # The size of a vector may change how its sines are rounded.
    np.testing.assert_allclose(pieces.at(POINTS), whole.at(POINTS), rtol=1e-13)
    for a, b in zip(pieces.slopes(POINTS), whole.slopes(POINTS), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_slopes_of_a_line():
    outputs, slopes = linear().slopes(POINTS)
    np.testing.assert_allclose(outputs, POINTS @ SLOPES + 3.0, rtol=1e-14)
    np.testing.assert_allclose(slopes, np.broadcast_to(SLOPES, slopes.shape), rtol=1e-14)
    np.testing.assert_array_equal(linear().at(POINTS), outputs)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((4, 2)), r"shape \[member, 3\], got \(4, 2\)"),
        (np.zeros(3), "got"),
        (np.zeros((0, 3)), "got"),
        (np.full((1, 3), 1.5), "0 to 1"),
        (np.full((1, 3), np.nan), "0 to 1"),
    ],
)
def test_points_that_are_none(points, message):
    with pytest.raises(InputError, match=message):
        linear().at(points)


def test_an_output_that_is_not_finite_says_where():
    response = Response(("a", "b"), lambda u: 1.0 / jnp.floor(2.0 * u[0]) + u[1])
    with pytest.raises(InputError, match=r"at 2 of 3 points .*a 25 %, b 100 %"):
        response.at(np.asarray([[0.75, 0.0], [0.25, 1.0], [0.1, 0.0]]))


def test_a_gradient_that_is_not_finite_says_where():
    response = Response(("a",), lambda u: jnp.sqrt(u[0]))
    with pytest.raises(InputError, match="the gradient is not finite at 1 of 1"):
        response.slopes(np.zeros((1, 1)))


def test_an_output_that_is_a_series():
    with pytest.raises(InputError, match=r"got shape \(3,\); take a mean"):
        Response(("a", "b", "c"), lambda u: u).at(POINTS)
