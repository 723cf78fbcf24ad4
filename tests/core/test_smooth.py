import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from diffhydro.core import smooth

DTYPES = [np.float32, np.float64]
LAWS = settings(max_examples=20, deadline=None, derandomize=True)
WIDTHS = st.floats(1e-6, 1e4)
# XLA flushes subnormal numbers to zero on CPU, so between zero and this there is nothing to test.
AMOUNTS = st.just(0.0) | st.floats(1e-30, 1e3)
TWO_ARGUMENTS = [smooth.maximum, smooth.minimum, smooth.cap]
KINK = 3 / 32
compiled = {f: jax.jit(f) for f in (*TWO_ARGUMENTS, smooth.relu, smooth.step)}


def call(function, *arguments, width):
    """Compute in the type of the first argument, and return to numpy."""
    dtype = arguments[0].dtype
    found = compiled[function](*(np.asarray(a, dtype) for a in arguments), width=dtype.type(width))
    assert found.dtype == dtype
    return np.asarray(found)


def hard(function):
    return np.maximum if function is smooth.maximum else np.minimum


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(width=WIDTHS, y=AMOUNTS)
def test_hard_and_exact_beyond_half_the_width(dtype, width, y):
    # a little further than h, as x − y rounds
    gap = 0.5 * width * np.array([1.0 + 1e-6, 1.5, 10.0, 1e6]) + 1e-6 * y
    gap = np.concatenate([gap, -gap])
    y = dtype(y)
    x = (y + gap).astype(dtype)
    for function in TWO_ARGUMENTS:
        assert np.array_equal(call(function, x, y, width=width), hard(function)(x, y))
    x = gap.astype(dtype)
    assert np.array_equal(call(smooth.relu, x, width=width), np.maximum(x, 0))
    assert np.array_equal(call(smooth.step, x, width=width), x > 0)


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(width=WIDTHS, y=AMOUNTS)
def test_distance_from_the_hard_form(dtype, width, y):
    eps = float(np.finfo(dtype).eps)
    x = (y + width * np.linspace(-1, 1, 81)).astype(dtype)
    y = dtype(y)
    rounding = 8 * eps * (y + width)
    above = call(smooth.maximum, x, y, width=width) - np.maximum(x, y)
    below = np.minimum(x, y) - call(smooth.minimum, x, y, width=width)
    for distance in (above, below):
        assert np.all(distance >= -rounding)
        assert np.all(distance <= KINK * width + rounding)
    assert np.allclose(call(smooth.relu, dtype(0), width=width), KINK * width, rtol=4 * eps)
    assert call(smooth.step, dtype(0), width=width) == 0.5


relu_slope = jax.jit(jax.vmap(jax.grad(lambda x, w: smooth.relu(x, width=w)), in_axes=(0, None)))


@LAWS
@given(width=st.floats(1e-2, 1e2))
def test_step_is_the_slope_of_relu_and_is_continuous(width):
    x = np.linspace(-width, width, 201)
    slope = np.asarray(relu_slope(x, width))
    assert np.allclose(slope, call(smooth.step, x, width=width), atol=1e-14)
    # the slope of the step is at most 3/2 per width, reached at the kink
    assert np.max(np.diff(slope)) <= 1.5 / width * (x[1] - x[0]) * (1 + 1e-9)
    assert np.all(np.diff(slope) >= 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [*TWO_ARGUMENTS, smooth.relu, smooth.step])
def test_gradients_are_finite_at_every_width(dtype, function):
    ends = [0.0, 1.0, 1e-30, 1e-12, 1e30]
    ends = jnp.asarray([*ends, *(-e for e in ends)], dtype)
    widths = jnp.asarray([0.0, 1e-45, 1e-30, 1e-19, 3e-19, 1e-12, 1.0, 1e30], dtype)
    x, y, width = (jnp.ravel(a) for a in jnp.meshgrid(ends, ends, widths))
    arguments = (x, y) if function in TWO_ARGUMENTS else (x - y,)

    def value(width, *arguments):
        return function(*arguments, width=width)

    everything = tuple(range(1 + len(arguments)))
    slope = jax.jit(jax.vmap(jax.value_and_grad(value, everything)))
    values, slopes = slope(width, *arguments)
    for array in (values, *slopes):
        assert array.dtype == dtype
        assert jnp.all(jnp.isfinite(array))


@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_width_is_hard(dtype):
    x = np.asarray([-1.0, -0.0, 0.0, 1e-30, 2.0], dtype)
    for function in TWO_ARGUMENTS:
        assert np.array_equal(call(function, x, 0.0, width=0.0), hard(function)(x, dtype(0)))
    assert np.array_equal(call(smooth.relu, x, width=0.0), np.maximum(x, 0))
    assert np.array_equal(call(smooth.step, x, width=0.0), [0, 0.5, 0.5, 1, 1])


def test_tends_to_the_hard_form_in_proportion_to_the_width():
    widths = jnp.asarray([1.0, 0.1, 0.01])
    errors = jax.vmap(lambda w: smooth.maximum(2.0, 2.0, width=w) - 2.0)(widths)
    assert jnp.allclose(errors, KINK * widths, rtol=1e-12)


@pytest.mark.parametrize("function", TWO_ARGUMENTS)
def test_infinite_arguments(function):
    infinity = jnp.asarray(jnp.inf, jnp.float32)
    one = np.float32(1.0)
    assert call(function, one, np.inf, width=1.0) == hard(function)(one, np.inf)
    assert jnp.isfinite(jax.grad(lambda x: function(x, infinity, width=1.0))(jnp.float32(1.0)))


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(width=AMOUNTS, limit=AMOUNTS)
def test_cap_neither_invents_nor_owes_water(dtype, width, limit):
    x = (np.linspace(0, 2, 81) * (limit + width)).astype(dtype)
    limit = dtype(limit)
    met = call(smooth.cap, x, limit, width=width)
    slack = 4 * float(np.finfo(dtype).eps) * (limit + width)
    assert np.all(met >= 0)
    assert np.all(met <= np.minimum(x, limit) + slack)
    assert met[0] == 0
    assert np.array_equal(call(smooth.cap, -x, limit, width=width), -x)
    assert np.all(call(smooth.cap, x, 0.0, width=width) == 0)
    assert np.array_equal(call(smooth.cap, x, -limit, width=width), np.minimum(x, -limit))


@LAWS
@given(width=st.floats(1e-2, 1e2))
def test_cap_grows_with_demand_and_with_supply(width):
    grid = np.linspace(0, 3, 61) * width
    met = call(smooth.cap, grid[:, None], grid[None, :], width=width)
    assert np.all(np.diff(met, axis=0) >= -1e-13 * width)
    assert np.all(np.diff(met, axis=1) >= -1e-13 * width)


def test_gradients_agree_with_central_differences():
    for function in TWO_ARGUMENTS:
        for x, y, width in [(1.1, 1.0, 0.7), (0.9, 1.0, 0.7), (1.0, 1.0, 2.0)]:
            check_grads(
                lambda x, y, w, f=function: f(x, y, width=w),
                (x, y, width),
                order=1,
                modes=["rev"],
                rtol=1e-6,
            )
