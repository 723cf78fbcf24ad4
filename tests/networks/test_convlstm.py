"""The convolutional memory against a loop by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.networks import ConvLstm, ConvLstmLayer, FlaxHead
from tests.networks.programs import (
    KEY,
    assert_dropout,
    assert_narrow_is_near,
    assert_same,
    assert_slopes,
    call,
    drawn,
    mapped,
)

TIMES, BATCH, Y, X, FEATURES, FILTERS = 3, 2, 4, 5, 3, 2
MAPS = jax.random.normal(jax.random.key(1), (BATCH, TIMES, Y, X, FEATURES))
LAYER_MAPS = jnp.swapaxes(MAPS, 0, 1)
EIGHT_LAYERS = 4_726_481
SMALL = ConvLstm(out=2, filters=(3, 2))
HEAD = drawn(SMALL, MAPS)
LAYER = drawn(ConvLstmLayer(FILTERS), LAYER_MAPS)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def convolved(x, kernel):
    """Slide a kernel over one map with zeros beyond its edges."""
    reach = kernel.shape[0] // 2
    padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
    out = np.zeros((*x.shape[:2], kernel.shape[-1]))
    for y in range(x.shape[0]):
        for x_ in range(x.shape[1]):
            patch = padded[y : y + 2 * reach + 1, x_ : x_ + 2 * reach + 1]
            out[y, x_] = np.tensordot(patch, kernel, 3)
    return out


def by_hand(params, maps):
    into, again, bias, peepholes = (
        np.asarray(params[name]) for name in ("inputs", "state", "bias", "peepholes")
    )
    h = c = np.zeros((*maps.shape[1:3], FILTERS))
    states = []
    for now in np.asarray(maps):
        z = convolved(now, into) + convolved(h, again) + bias
        i, f, g, o = (z[..., k * FILTERS : (k + 1) * FILTERS] for k in range(4))
        i, f = sigmoid(i + peepholes[0] * c), sigmoid(f + peepholes[1] * c)
        c = f * c + i * np.tanh(g)
        h = sigmoid(o + peepholes[2] * c) * np.tanh(c)
        states.append(h)
    return np.stack(states)


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_layer_is_the_loop_by_hand(kernel):
    head = drawn(ConvLstmLayer(FILTERS, kernel), LAYER_MAPS)
    found = call(head, LAYER_MAPS)
    assert found.shape == (TIMES, BATCH, Y, X, FILTERS)
    for number in range(BATCH):
        assert_same(found[:, number], by_hand(head.params, LAYER_MAPS[:, number]))


def test_many_times_are_the_loop_by_hand_too():
    """Beyond some times the loop is a loop, and its convolution a product."""
    maps = jax.random.normal(jax.random.key(2), (10, 1, Y, X, FEATURES))
    assert_same(call(LAYER, maps)[:, 0], by_hand(LAYER.params, maps[:, 0]))


def test_weights_are_counted():
    def layer(before, filters):
        return 9 * (before + filters) * 4 * filters + (4 + 3 + 2) * filters

    assert HEAD.count == layer(FEATURES, 3) + layer(3, 2) + (2 + 1) * 2
    every = ConvLstm().filters
    assert len(every) == 8
    assert (every[0], every[-1]) == (4, 256)
    maps = jax.ShapeDtypeStruct((3, 8, 8, 17), jnp.float32)
    counted = sum(x.size for x in jax.tree.leaves(jax.eval_shape(ConvLstm().init, KEY, maps)))
    expected = sum(layer(a, b) for a, b in zip((17, *every), every, strict=False))
    assert counted == expected + 256 + 1 == EIGHT_LAYERS


def test_the_forget_gate_begins_open():
    layer = ConvLstmLayer(FILTERS, kernel=1, forget_bias=2.0)
    params = FlaxHead.create(layer, LAYER_MAPS, key=KEY).params
    bias = np.array([0.0, 2.0, 0.0, 0.0]).repeat(FILTERS)
    np.testing.assert_array_equal(params["bias"], bias)
    assert (params["peepholes"] == 0).all()


def test_leading_axes_are_a_batch():
    together = call(HEAD, MAPS)
    assert together.shape == (BATCH, Y, X, 2)
    assert_same(mapped(HEAD, MAPS), together)
    assert_same(call(HEAD, MAPS[0]), together[0])
    assert_same(call(HEAD, MAPS[:, None])[:, 0], together)


def test_a_layer_sees_nothing_of_the_future():
    moved, before = call(LAYER, LAYER_MAPS.at[2].add(1.0)), call(LAYER, LAYER_MAPS)
    np.testing.assert_array_equal(moved[:2], before[:2])
    assert (moved[2] != before[2]).all()


@pytest.mark.parametrize("time", range(TIMES))
def test_every_time_counts(time):
    assert (call(HEAD, MAPS.at[:, time].add(1.0)) != call(HEAD, MAPS)).any()


def test_dropout_comes_with_a_key_only():
    assert_dropout(HEAD, SMALL.copy(dropout=0.0), MAPS)


@pytest.mark.slow
def test_gradients_agree_with_differences():
    def loss(given):
        params, maps = given
        return jnp.sum(FlaxHead(SMALL, params)(maps) ** 2)

    assert_slopes(loss, (HEAD.params, MAPS))


def test_bfloat16_stays_near_float32():
    assert_narrow_is_near(SMALL, MAPS, mean=0.03)
