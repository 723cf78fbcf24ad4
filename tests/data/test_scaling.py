import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from diffhydro.data.scaling import Scaler, log_z_score, min_max, z_score
from diffhydro.errors import InputError
from tests.data.damage import damaged

LAWS = {"precipitation": log_z_score, "leaf_area": min_max}


def training(seed=0):
    rng = np.random.default_rng(seed)
    rain = rng.exponential(5.0, (6, 200)) * (rng.random((6, 200)) < 0.3)
    rain[0, :20] = np.nan
    return {
        "precipitation": rain.astype(np.float32),
        "temperature": rng.normal(12.0, 8.0, (6, 200)),
        "leaf_area": rng.uniform(0.3, 5.0, (6, 200)),
        "elevation": np.array([3.0, 400.0, np.nan, 2500.0, 80.0, 90.0]),
    }


def stacked():
    found = training()
    found["elevation"] = np.broadcast_to(found["elevation"][:, None], (6, 200))
    return np.stack([found[name].astype(np.float64) for name in found], axis=-1)


def test_each_law_does_what_it_says():
    scaler = Scaler.fit(training(), LAWS)
    assert scaler.names == ("precipitation", "temperature", "leaf_area", "elevation")
    y = scaler.transform(stacked())
    rain, warmth, leaves, height = np.moveaxis(y, -1, 0)
    assert np.nanmean(rain) == pytest.approx(0.0, abs=1e-12)
    assert np.nanstd(rain) == pytest.approx(1.0)
    assert warmth.mean() == pytest.approx(0.0, abs=1e-12)
    assert warmth.std() == pytest.approx(1.0)
    assert (leaves.min(), leaves.max()) == (0.0, 1.0)
    assert np.isnan(height[2]).all()
    logs = np.log1p(stacked()[..., 0])
    np.testing.assert_allclose(rain, (logs - np.nanmean(logs)) / np.nanstd(logs))
    np.testing.assert_array_equal(np.isnan(y), np.isnan(stacked()))


@given(st.integers(0, 1000), st.sampled_from([z_score, min_max, log_z_score]))
@settings(max_examples=30, deadline=None)
def test_the_inverse_undoes(seed, law):
    x = np.random.default_rng(seed).exponential(10.0, (20, 1))
    scaler = Scaler.fit({"x": x}, default=law)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(x)), x, rtol=1e-9, atol=1e-9)


def test_kind_and_precision_are_kept():
    scaler = Scaler.fit(training(), LAWS)
    x = stacked()
    expected = scaler.transform(x)
    for dtype in (np.float32, np.float64):
        found = scaler.transform(x.astype(dtype))
        assert isinstance(found, np.ndarray)
        assert found.dtype == dtype
        traced = jax.jit(lambda s, v: s.transform(v))(scaler, jnp.asarray(x, dtype))
        assert isinstance(traced, jax.Array)
        assert traced.dtype == dtype
        tolerance = 50.0 * np.finfo(dtype).eps
        np.testing.assert_allclose(found, expected, atol=tolerance)
        np.testing.assert_allclose(traced, expected, atol=tolerance)
        back = scaler.inverse(traced)
        np.testing.assert_allclose(back, x, rtol=1e3 * np.finfo(dtype).eps, atol=1e-3)
    with pytest.raises(InputError, match="got int64"):
        scaler.transform(np.ones((2, 4), int))


@pytest.mark.slow
def test_gradients_are_right_and_never_poisoned():
    scaler = Scaler.fit(training(), LAWS)
    x = jnp.asarray(np.nan_to_num(stacked()[1, :5]))
    check_grads(scaler.transform, (x,), order=1, modes=("rev",), rtol=1e-5)
    check_grads(scaler.inverse, (scaler.transform(x),), order=1, modes=("rev",), rtol=1e-5)

    def masked(v):
        return jnp.where(jnp.isnan(v), 0.0, scaler.transform(v)).sum()

    gaps = x.at[0, 0].set(jnp.nan).at[1, 1].set(jnp.nan)
    assert jnp.isfinite(jax.grad(masked)(gaps)).all()


def test_one_variable_takes_any_shape():
    scaler = Scaler.fit(training(), LAWS)
    whole = scaler.transform(stacked())
    for i, name in enumerate(scaler.names):
        one = scaler.of(name)
        np.testing.assert_array_equal(one.transform(stacked()[..., i]), whole[..., i])
        jitted = jax.jit(lambda s, v: s.inverse(v))(one, jnp.asarray(whole[..., i]))
        np.testing.assert_allclose(jitted, stacked()[..., i], rtol=1e-9, atol=1e-9)
    some = scaler.select(["leaf_area", "precipitation"])
    np.testing.assert_array_equal(some.transform(stacked()[..., [2, 0]]), whole[..., [2, 0]])
    with pytest.raises(InputError, match="no variable wind"):
        scaler.of("wind")


def test_a_scaler_is_a_frozen_pytree():
    scaler = Scaler.fit(training(), LAWS)
    leaves, tree = jax.tree.flatten(scaler)
    assert [leaf.shape for leaf in leaves] == [(4,), (4,)]
    again = jax.tree.unflatten(tree, leaves)
    np.testing.assert_array_equal(again.transform(stacked()), scaler.transform(stacked()))
    with pytest.raises(AttributeError):
        scaler.offset = np.zeros(4)


def test_only_training_data_are_seen():
    whole = stacked()[..., 1]
    train = whole[:4].copy()
    scaler = Scaler.fit({"temperature": train})
    whole[4:] = 1e9
    again = Scaler.fit({"temperature": whole[:4]})
    assert again.offset == scaler.offset
    assert again.scale == scaler.scale


@pytest.mark.parametrize("law", [z_score, min_max, log_z_score])
def test_what_does_not_vary_is_divided_by_one(law):
    for value in (np.full(7, 0.1, np.float32), np.full(1000, 101_325.7), np.zeros(3)):
        scaler = Scaler.fit({"x": value}, default=law)
        assert scaler.scale.tolist() == [1.0]
        np.testing.assert_allclose(scaler.of("x").transform(value), 0.0, atol=1e-6)
    # One rounding apart in what was read is not a variation; a real one is, however small.
    rounded = np.array([0.1, np.nextafter(np.float32(0.1), np.float32(1))], np.float32)
    assert Scaler.fit({"x": rounded}, default=law).scale.tolist() == [1.0]
    assert Scaler.fit({"x": np.array([1e-9, 3e-9])}, default=law).scale[0] < 1e-8


def test_sums_of_single_precision_are_made_in_double():
    x = np.full(3_000_000, 100_000.0, np.float32)
    x[::2] += 16.0
    scaler = Scaler.fit({"pressure": x})
    assert scaler.offset[0] == pytest.approx(100_008.0, abs=1e-6)
    assert scaler.scale[0] == pytest.approx(8.0, rel=1e-9)


def test_json_keeps_every_digit():
    scaler = Scaler.fit(training(), LAWS)
    for made in (scaler, scaler.of("precipitation")):
        found = Scaler.from_json(made.to_json())
        assert (found.names, found.is_log) == (made.names, made.is_log)
        np.testing.assert_array_equal(found.offset, made.offset)
        np.testing.assert_array_equal(found.scale, made.scale)
        assert found.offset.shape == made.offset.shape


def test_text_that_is_no_scaler_is_refused():
    told = json.loads(Scaler.fit(training(), LAWS).to_json())
    for change in (
        {"format": "other"},
        {"scale": [1.0, 0.0, 1.0, 1.0]},
        {"offset": [1.0]},
        {"is_log": [0, 0, 0, 0]},
        {"names": [1, 2, 3, 4]},
        {"offset": None},
        {"scale": [1.0, 1.0, 1.0, 1e999]},
    ):
        with pytest.raises(InputError, match="the text is not"):
            Scaler.from_json(json.dumps(told | change))
    for text in ("", "[]", "{", "[" * 100_000):
        with pytest.raises(InputError, match="the text is not"):
            Scaler.from_json(text)


def test_damaged_copies_are_refused_or_possible():
    whole = Scaler.fit(training(), LAWS).to_json().encode()
    refused = 0
    for broken in damaged(whole):
        try:
            found = Scaler.from_json(broken.decode(errors="replace"))
        except InputError:
            refused += 1
            continue
        assert np.isfinite(found.transform(np.ones((1, len(found.names))))).all()
    assert refused > 20


def test_what_cannot_be_scaled_is_refused():
    for data, laws, match in (
        ({"rain": np.array([1.0, -0.1])}, {"rain": log_z_score}, "rain: a value is -0.1"),
        ({"x": np.array([np.nan])}, {}, "x is missing everywhere"),
        ({"x": np.array([1.0, np.inf])}, {}, "x is infinite"),
        ({"x": np.ones(2)}, {"y": min_max}, "laws for y"),
        ({}, {}, "no variables"),
    ):
        with pytest.raises(InputError, match=match):
            Scaler.fit(data, laws)
    scaler = Scaler.fit(training())
    with pytest.raises(InputError, match=r"got shape \(5, 3\); expected on the last axis the 4"):
        scaler.transform(np.ones((5, 3)))
