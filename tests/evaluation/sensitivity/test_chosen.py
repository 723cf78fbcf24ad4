"""Numbers of a model, and positions between their bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.bijections import LINEAR, LOG, log_above
from diffhydro.core.parameters import ParameterSpec
from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.chosen import choose, number_at, stride
from tests.evaluation.sensitivity.known import Power

SPECS = {
    "linear": ParameterSpec("-", (2.0, 10.0), LINEAR, ""),
    "log": ParameterSpec("-", (1e-4, 0.02), LOG, ""),
    "log, negative": ParameterSpec("-", (-1000.0, -10.0), LOG, ""),
    "log above one": ParameterSpec("-", (1.05, 5.0), log_above(1.0), ""),
}
HALF_WAY = {
    "linear": 6.0,
    "log": (1e-4 * 0.02) ** 0.5,
    "log, negative": -100.0,
    "log above one": 1.0 + (0.05 * 4.0) ** 0.5,
}
every = pytest.mark.parametrize("name", SPECS)
both = pytest.mark.parametrize("dtype", ["float32", "float64"])


@every
def test_half_way_is_the_mean_of_the_scale(name):
    found = number_at(SPECS[name], jnp.asarray(0.5))
    np.testing.assert_allclose(found, HALF_WAY[name], rtol=1e-14)


@every
@both
def test_the_ends_are_the_bounds(name, dtype):
    spec = SPECS[name]
    eps = float(jnp.finfo(dtype).eps)
    ends = number_at(spec, jnp.asarray([0.0, 1.0], dtype=dtype))
    assert ends.dtype == dtype
    lo, hi = spec.bounds
    # Held ε within, where the steepest of these scales moves by less than 10 ε of its value.
    np.testing.assert_allclose(ends, [lo, hi], rtol=10.0 * eps)
    assert float(ends[0]) >= np.asarray(lo, dtype)
    assert float(ends[1]) <= np.asarray(hi, dtype)


@every
@both
def test_slopes_at_the_ends_are_those_beside_them(name, dtype):
    slope = jax.grad(lambda u: number_at(SPECS[name], u))
    ends = [float(slope(jnp.asarray(u, dtype))) for u in (0.0, 1.0)]
    beside = [float(slope(jnp.asarray(u, dtype))) for u in (1e-4, 1.0 - 1e-4)]
    np.testing.assert_allclose(ends, beside, rtol=2e-3)


@every
def test_the_stride_is_the_difference_of_numbers(name):
    spec = SPECS[name]
    position, h = 0.3, 1e-5
    up, down = (float(number_at(spec, jnp.asarray(position + x))) for x in (h, -h))
    found = stride(spec, number_at(spec, jnp.asarray(position)))
    np.testing.assert_allclose(found, (up - down) / (2.0 * h), rtol=1e-8)


def test_a_parameter_without_bounds_has_no_stride():
    spec = ParameterSpec("-", (0.0, None), LINEAR, "")
    assert stride(spec, jnp.asarray(1.0)) == np.inf


def test_arrays_give_a_number_for_each_entry():
    chosen = choose(Power(), "*")
    assert chosen.names == ("gain", "shares[0]", "shares[1]", "shift")
    assert [spec.bounds for spec in chosen.entries][1:3] == [(0.0, 5.0)] * 2


def test_values_put_back_are_the_same_model():
    model = Power()
    chosen = choose(model, ["gain", "shares", "hidden"])
    numbers = chosen.values(model)
    np.testing.assert_array_equal(numbers, [2.0, 1.5, 0.4, 0.5])
    again = chosen.put(model, numbers)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), model, again))


def test_positions_go_to_the_entries_that_they_name():
    model = Power()
    placed = choose(model, ["gain", "shares"]).place(model, jnp.asarray([0.5, 0.2, 0.8]))
    np.testing.assert_allclose(placed.gain, 1.0, rtol=1e-14)
    np.testing.assert_allclose(placed.shares, [1.0, 4.0], rtol=1e-14)
    assert placed.hidden == model.hidden


def test_narrower_bounds():
    chosen = choose(Power(), ["gain", "shares"], {"gain": (1.0, 4.0)})
    assert [spec.bounds for spec in chosen.specs] == [(1.0, 4.0), (0.0, 5.0)]


@pytest.mark.parametrize(
    ("parameters", "within", "message"),
    [
        ("gian", {}, "did you mean gain"),
        ([], {}, "name at least one parameter"),
        ("gain", {"gian": (1.0, 2.0)}, "did you mean gain"),
        ("gain", {"shares": (1.0, 2.0)}, "not studied"),
        ("gain", {"gain": (1.0, 200.0)}, r"in the declared \[0.01, 100\]"),
        ("gain", {"gain": (4.0, 1.0)}, "must be in order"),
        ("gain", {"gain": (3.0, 4.0)}, "gain = 2 is outside.*that within gives"),
    ],
)
def test_refused(parameters, within, message):
    with pytest.raises(InputError, match=message):
        choose(Power(), parameters, within)
