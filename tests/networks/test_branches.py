"""A memory and a plain branch are what they are alone, joined by a linear layer."""

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.networks import FlaxHead, Lstm, TwoBranches
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

WINDOW = jax.random.normal(jax.random.key(1), (3, 6, 4))
TODAY = jax.random.normal(jax.random.key(2), (3, 5))
NETWORK = TwoBranches(hidden=4, widths=(7, 2), out=2, activation=jnp.tanh, dropout=0.3)
HEAD = drawn(NETWORK, WINDOW, TODAY)


def test_branches_are_joined_by_a_linear_layer():
    params = jax.tree.map(np.asarray, HEAD.params)
    into = {"memory": params["Recurrence_0"], "last": {"kernel": np.eye(4), "bias": np.zeros(4)}}
    memory = FlaxHead(Lstm(4, out=4, every_time=False), jax.tree.map(jnp.asarray, into))
    latent = np.asarray(TODAY)
    for name in ("Dense_0", "Dense_1"):
        latent = np.tanh(latent @ params[name]["kernel"] + params[name]["bias"])
    last = params["Dense_2"]
    joined = np.concatenate([call(memory, WINDOW), latent], axis=-1)
    found = call(HEAD, WINDOW, TODAY)
    assert found.shape == (3, 2)
    assert_same(found, joined @ last["kernel"] + last["bias"])


def test_leading_axes_are_a_batch():
    together = call(HEAD, WINDOW, TODAY)
    assert_same(mapped(HEAD, WINDOW, TODAY), together)
    assert_same(call(HEAD, WINDOW[:, None], TODAY[:, None])[:, 0], together)


def test_dropout_comes_with_a_key_only():
    assert_dropout(HEAD, NETWORK.copy(dropout=0.0), WINDOW, TODAY)


def test_gradients_agree_with_differences():
    def loss(given):
        params, window, today = given
        return jnp.sum(FlaxHead(NETWORK, params)(window, today, key=KEY) ** 2)

    assert_slopes(loss, (HEAD.params, WINDOW, TODAY))


def test_bfloat16_stays_near_float32():
    assert_narrow_is_near(NETWORK, WINDOW, TODAY, mean=0.02)
