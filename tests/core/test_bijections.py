import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.core.bijections import LINEAR, LOG, Linear, log_above
from diffhydro.errors import InputError

DTYPES = [np.float32, np.float64]
LAWS = settings(max_examples=20, deadline=None, derandomize=True)


@st.composite
def intervals(draw):
    """Draw a scale and two bounds it accepts, over the magnitudes that soils and snow need."""
    kind = draw(st.sampled_from(["linear", "log", "negative", "above"]))
    decade = st.floats(-6, 5)
    low = 10 ** draw(decade)
    high = low * 10 ** draw(st.floats(0.05, 9))
    if kind == "linear":
        centre = draw(st.floats(-10, 10)) * (high - low)
        return LINEAR, (centre + low, centre + high)
    if kind == "log":
        return LOG, (low, high)
    if kind == "negative":
        return LOG, (-high, -low)
    offset = draw(st.sampled_from([1.0, -3.0]))
    return log_above(offset), (offset + max(low, 1e-3), offset + max(high, 2e-3))


def magnitude(bounds):
    return max(abs(b) for b in bounds)


def stretch(scale, bounds):
    """Return how much one rounding in z is amplified in p: the log of the bounds' ratio."""
    if isinstance(scale, Linear):
        return 1.0
    return 1.0 + abs(math.log((bounds[1] - scale.offset) / (bounds[0] - scale.offset)))


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(interval=intervals(), fractions=st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_round_trip_is_identity_to_rounding(dtype, interval, fractions):
    scale, bounds = interval
    fraction = np.asarray([0.0, *fractions, 1.0])
    p = bounds[0] + fraction * (bounds[1] - bounds[0])
    p = np.clip(p, *bounds).astype(dtype)
    back = np.asarray(scale.constrain(scale.free(p, bounds), bounds))
    assert back.dtype == dtype
    # 2 eps of magnitude for p itself, and for the fraction eps (the nudge) plus eps·|z|·σ(1 − σ) ≤
    # 0.3 eps plus the logs; each multiplied by d ln p / d fraction on a log scale.
    allowed = 8 * float(np.finfo(dtype).eps) * stretch(scale, bounds) * magnitude(bounds)
    assert np.max(np.abs(back - p)) <= allowed


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(interval=intervals(), fraction=st.floats(0.0, 1.0))
def test_log_round_trip_keeps_relative_digits(dtype, interval, fraction):
    scale, (lo, hi) = interval
    if isinstance(scale, Linear) or scale.offset != 0.0:
        return
    p = dtype(np.clip(math.copysign(abs(lo) * (hi / lo) ** fraction, lo), lo, hi))
    back = np.asarray(scale.constrain(scale.free(p, (lo, hi)), (lo, hi)))
    allowed = 8 * float(np.finfo(dtype).eps) * stretch(scale, (lo, hi))
    assert abs(back / p - 1) <= allowed


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(interval=intervals(), z=st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3))
def test_inside_bounds_and_monotone(dtype, interval, z):
    scale, bounds = interval
    spread = np.linspace(-20.0, 20.0, 41)
    z = np.sort(np.concatenate([z, spread, [-1e4, 1e4]])).astype(dtype)
    p = np.asarray(scale.constrain(z, bounds))
    lo, hi = (dtype(b) for b in bounds)
    assert np.all((p >= lo) & (p <= hi))
    # The two halves meet at z = 0 with different rounding, so equal to rounding counts as monotone.
    slack = 4 * float(np.finfo(dtype).eps) * stretch(scale, bounds) * magnitude(bounds)
    assert np.all(np.diff(p) >= -slack)
    assert p[0] == lo
    assert p[-1] == hi


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(interval=intervals(), z=st.floats(-1e4, 1e4))
def test_gradients_are_finite_everywhere(dtype, interval, z):
    scale, bounds = interval
    eps = float(np.finfo(dtype).eps)
    at = np.asarray([z, -1e4, 0.0, math.log(eps), -math.log(eps), 1e4], dtype=dtype)
    slope = np.asarray(jax.grad(lambda z: jnp.sum(scale.constrain(z, bounds)))(at))
    assert np.all(np.isfinite(slope))
    assert np.all(slope >= 0)
    assert np.all(slope[2:5] > 0)
    middle = 0.5 * (bounds[0] + bounds[1])
    edges = np.asarray([*bounds, middle, *bounds, middle], dtype=dtype)
    assert np.all(np.isfinite(np.asarray(scale.free(edges, bounds))))
    slope = jax.grad(lambda p: jnp.sum(scale.free(p, bounds)))(edges)
    assert np.all(np.isfinite(np.asarray(slope)))


@pytest.mark.parametrize("dtype", DTYPES)
@LAWS
@given(interval=intervals())
def test_a_parameter_on_its_bound_can_leave_it(dtype, interval):
    scale, bounds = interval
    for edge in bounds:
        z = scale.free(jnp.asarray(edge, dtype=dtype), bounds)
        assert jax.grad(lambda z: scale.constrain(z, bounds))(z) > 0


def test_rounding_past_a_bound_is_absorbed_and_keeps_the_gradient():
    # found by search: in float32, 1 + (lo − 1)(1 + small) rounds below lo for this bound
    bounds, z = (2.39, 4.9), np.float32(-16.802786)
    p, slope = jax.value_and_grad(lambda z: log_above(1.0).constrain(z, bounds))(z)
    assert p == np.float32(2.39)
    assert slope > 0


@LAWS
@given(interval=intervals(), z=st.floats(-8, 8))
def test_gradient_agrees_with_central_differences(interval, z):
    scale, bounds = interval
    step = 1e-5
    up, down = (scale.constrain(jnp.asarray(z + s), bounds) for s in (step, -step))
    slope = jax.grad(lambda z: scale.constrain(z, bounds))(jnp.asarray(z))
    rounding = 4e-16 * stretch(scale, bounds) * magnitude(bounds) / step
    # Truncation is step²/6 · p‴ / p′, and p‴ / p′ ≤ (1 + ln ratio)² · 2.
    truncation = step**2 / 3 * stretch(scale, bounds) ** 2
    assert abs(slope - (up - down) / (2 * step)) <= 4 * rounding + truncation * slope


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bounds", [(0.0, None), (None, 3.0), (-2.0, math.inf), (None, None)])
def test_missing_bounds(dtype, bounds):
    z = jnp.asarray([-1e4, -30.0, -1.0, 0.0, 2.0, 1e4], dtype=dtype)
    p = LINEAR.constrain(z, bounds)
    assert jnp.all(jnp.isfinite(p))
    assert jnp.all(jnp.diff(p) >= 0)
    assert jnp.all(jnp.isfinite(jax.vmap(jax.grad(lambda z: LINEAR.constrain(z, bounds)))(z)))
    lo, hi = (b if b is not None else s for b, s in zip(bounds, (-math.inf, math.inf), strict=True))
    assert jnp.all((p >= lo) & (p <= hi))
    back = LINEAR.constrain(LINEAR.free(p, bounds), bounds)
    allowed = 4 * float(np.finfo(dtype).eps) * jnp.maximum(jnp.abs(p), 3.0)
    assert jnp.all(jnp.abs(back - p) <= allowed)
    assert jnp.all(jnp.isfinite(jax.vmap(jax.grad(lambda p: LINEAR.free(p, bounds)))(p)))


def test_log_midpoint_is_the_geometric_mean():
    middle = jnp.asarray(0.0)
    assert jnp.allclose(LOG.constrain(middle, (1e-2, 1e4)), 10.0, rtol=1e-14)
    assert jnp.allclose(LOG.constrain(middle, (-1e4, -1e-2)), -10.0, rtol=1e-14)
    assert jnp.allclose(log_above(1.0).constrain(middle, (1.01, 11.0)), 1 + math.sqrt(0.1))


@pytest.mark.parametrize(
    ("scale", "bounds", "message"),
    [
        (LINEAR, (1.0, 1.0), "lower < upper"),
        (LINEAR, (math.nan, 1.0), "lower < upper"),
        (LOG, (0.0, 1.0), "one side of 0"),
        (LOG, (-1.0, 1.0), "one side of 0"),
        (LOG, (1.0, None), "two finite bounds"),
        (log_above(1.0), (1.0, 10.0), "one side of 1"),
        (log_above(1.0), (1.0 + 1e-8, 10.0), "too near the offset"),
    ],
)
def test_bounds_a_scale_cannot_map_are_refused(scale, bounds, message):
    with pytest.raises(InputError, match=message):
        scale.check(bounds)


def test_scales_print_as_words():
    assert [str(s) for s in (LINEAR, LOG, log_above(1.0))] == ["linear", "log", "log(p − 1)"]
