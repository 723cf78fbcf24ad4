"""A line on which every place is a physical amount."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.soft_bounds import MARGIN, SoftBounds

LINES = {
    "both": SoftBounds(0.01, 0.45, 0.01),
    "floor": SoftBounds(0.0, None, 1.0),
    "ceiling": SoftBounds(None, 3.0, 0.5),
    "none": SoftBounds(None, None, 1.0),
}


def inside(line, count=50):
    lower = -4.0 if line.lower is None else line.lower
    upper = 4.0 if line.upper is None else line.upper
    edge = MARGIN * line.width
    return jnp.linspace(lower + edge, upper - edge, count)


@pytest.mark.parametrize("name", LINES)
def test_place_and_amount_are_inverse(name):
    line = LINES[name]
    x = inside(line)
    np.testing.assert_allclose(line.amount(line.place(x)), x, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LINES)
def test_no_step_leaves_the_bounds_and_slopes_are_finite(name):
    line, dtype = LINES[name], "float32"  # the harder of the two
    edges = [x for x in (line.lower, line.upper) if x is not None]
    amounts = jnp.concatenate([inside(line), jnp.asarray(edges)]).astype(dtype)
    steps = jnp.asarray([-1e3, -0.1, 0.0, 0.1, 1e3], dtype)
    both = jax.vmap(jax.vmap(jax.value_and_grad(line.moved, 1), (0, None)), (None, 0))
    moved, slope = (np.asarray(x, float) for x in jax.jit(both)(amounts, steps))
    slack = 4 * float(jnp.finfo(dtype).eps)
    assert line.lower is None or moved.min() >= line.lower * (1 - slack)
    assert line.upper is None or moved.max() <= line.upper * (1 + slack)
    assert np.isfinite(slope).all()
    assert (slope >= -slack).all()


@pytest.mark.parametrize("name", LINES)
def test_a_step_of_zero_leaves_all_bits(name):
    x = inside(LINES[name])
    np.testing.assert_array_equal(LINES[name].moved(x, jnp.zeros_like(x)), x)


def test_a_step_is_itself_away_from_the_bounds():
    line = LINES["both"]
    x = jnp.linspace(0.12, 0.30, 7)
    np.testing.assert_allclose(line.moved(x, jnp.full_like(x, 0.05)), x + 0.05, atol=1e-6)


def test_what_lies_on_a_bound_moves_by_a_margin_at_most():
    line = LINES["both"]
    x = jnp.asarray([0.01, 0.45])
    moved = line.moved(x, jnp.asarray([1e-12, -1e-12]))
    assert float(jnp.abs(moved - x).max()) <= MARGIN * line.width * (1 + 1e-9)
