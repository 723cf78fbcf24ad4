"""The door to Flax: a network is a value with weights and nothing else."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.trainable import split
from diffhydro.errors import InputError
from diffhydro.networks import FlaxHead, Lstm, Mlp, Normalise
from diffhydro.typing import Array
from tests.networks.programs import answer, assert_narrow_is_near, assert_same, call, drawn

KEY = jax.random.key(0)


class Remembers(nn.Module):
    @nn.compact
    def __call__(self, x: Array) -> Array:
        return nn.BatchNorm(use_running_average=True)(x)


def test_a_network_that_keeps_more_than_weights_is_refused():
    with pytest.raises(InputError, match=r"batch_stats.*GroupNorm or LayerNorm"):
        FlaxHead.create(Remembers(), jnp.zeros((3, 4)), key=KEY)


def test_inputs_of_another_width_are_named():
    head = FlaxHead.create(Mlp(hidden=(8,), out=2), jnp.zeros(5), key=KEY)
    with pytest.raises(InputError, match=r"Mlp was made for inputs of other shapes than \(3, 4\)"):
        head(jnp.zeros((3, 4)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_and_outputs_have_the_type_asked_for(dtype):
    head = FlaxHead.create(Mlp(hidden=(8,), out=2), jnp.zeros(5), key=KEY, dtype=dtype)
    assert {x.dtype.name for x in jax.tree.leaves(head.params)} == {dtype}
    assert head(jnp.zeros((3, 5))).dtype == head.dtype == dtype
    assert head.count == 5 * 8 + 8 + 8 * 2 + 2


def test_weights_are_found_by_split():
    head = FlaxHead.create(Mlp(hidden=(8,), out=2), jnp.zeros(5), key=KEY)
    free, _ = split({"head": head}, train=["head.params"])
    found = sum(x.size for x in jax.tree.leaves(free.networks))
    assert found == head.count


def test_narrow_computing_keeps_the_type_of_the_weights():
    assert_narrow_is_near(Mlp(hidden=(16,), out=2), jax.random.normal(KEY, (6, 5)), mean=0.01)


def test_other_methods_have_their_own_outputs():
    x = jax.random.normal(KEY, (6, 5))
    head = drawn(Lstm(hidden=4, out=2), x)
    outputs, carry = answer(head, Lstm.roll, x)
    np.testing.assert_array_equal(outputs, call(head, x))
    assert carry.hidden.shape == carry.cell.shape == (4,)


def test_weights_are_the_same_inside_a_program():
    def made(key):
        return FlaxHead.create(Mlp(hidden=(8,), out=2), jnp.zeros(5), key=key).params

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), made(KEY), jax.jit(made)(KEY)
    )


@pytest.mark.parametrize("over", [1, 3])
def test_normalised_values_have_mean_zero_and_variance_one(over):
    x = 3.0 + 2.0 * jax.random.normal(KEY, (2, 4, 5, 6))
    plain = {"scale": jnp.ones(6), "shift": jnp.zeros(6)}
    y = np.asarray(call(FlaxHead(Normalise(over), plain), x))
    axes = tuple(range(-over, 0))
    np.testing.assert_allclose(y.mean(axes), 0.0, atol=1e-12)
    np.testing.assert_allclose(y.var(axes), 1.0, atol=1e-4)
    moved = {"scale": jnp.arange(6.0), "shift": jnp.ones(6)}
    assert_same(call(FlaxHead(Normalise(over), moved), x), y * np.arange(6.0) + 1.0)
