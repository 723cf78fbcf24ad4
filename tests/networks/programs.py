"""Heads as compiled programs, and their gradients against central differences."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.networks import FlaxHead

STEP = 1e-5
KEY = jax.random.key(0)
# Programs of tests run for a millisecond and take seconds to optimise.
quickly = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def drawn(network, *example, dtype="float64", compute=None):
    """Give a head all of whose weights are drawn, those that begin at zero too."""
    shapes = jax.eval_shape(network.init, KEY, *(x.astype(jnp.float32) for x in example))
    assert set(shapes) == {"params"}
    rng = np.random.default_rng(0)

    def draw(leaf):
        fan = max(1, leaf.size // leaf.shape[-1])
        return jnp.asarray(rng.normal(size=leaf.shape) / np.sqrt(fan), dtype)

    return FlaxHead(network, jax.tree.map(draw, shapes["params"]), compute)


@quickly
def call(head, *inputs, key=None):
    """Call a head; heads with the same code share a program."""
    return head(*inputs, key=key)


@partial(quickly, static_argnums=1)
def answer(head, method, *inputs, key=None):
    """Call another method of a network."""
    return head.outputs(*inputs, method=method, key=key)


@quickly
def mapped(head, *inputs):
    """Call a head for one after the other on the first axis."""
    return jax.vmap(head)(*inputs)


def assert_same(one, other):
    """Compare trees of float64 but for the order of sums."""
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13), one, other)


def assert_dropout(head, network, *inputs):
    """Check that there is dropout with a key only, and that a key says all about it.

    Args:
        network: The same one without dropout.
    """
    plain = call(head, *inputs)
    np.testing.assert_array_equal(plain, call(FlaxHead(network, head.params), *inputs))
    one, again, other = (call(head, *inputs, key=jax.random.key(k)) for k in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert (one != plain).any()


def assert_narrow_is_near(network, *inputs, mean):
    """Compare computing in bfloat16 with float32."""
    inputs = [x.astype(jnp.float32) for x in inputs]
    wide, narrow = (drawn(network, *inputs, dtype="float32", compute=c) for c in (None, "bfloat16"))
    found = call(narrow, *inputs)
    assert found.dtype == jnp.float32
    apart = np.abs(found - call(wide, *inputs))
    assert 0 < apart.mean() < mean
    assert apart.max() < 10.0 * mean


def assert_slopes(loss, tree, seed=0):
    """Compare, for every leaf, the slope along a drawn direction; float64."""
    leaves, shape = jax.tree.flatten(tree)
    assert all(leaf.dtype == jnp.float64 for leaf in leaves)
    rng = np.random.default_rng(seed)
    along = [rng.normal(size=leaf.shape) for leaf in leaves]

    @quickly
    def value_and_slope(leaves, along):
        def whole(leaves):
            return loss(jax.tree.unflatten(shape, leaves))

        value, gradient = jax.value_and_grad(whole)(leaves)
        return value, [jnp.vdot(*pair) for pair in zip(gradient, along, strict=True)]

    slopes, differences = value_and_slope(leaves, along)[1], []
    for number, direction in enumerate(along):
        up, down = (
            value_and_slope(
                [x + sign * STEP * direction if i == number else x for i, x in enumerate(leaves)],
                along,
            )[0]
            for sign in (1.0, -1.0)
        )
        differences.append(float(up - down) / (2.0 * STEP))
    assert min(abs(x) for x in differences) > 0
    largest = max(abs(x) for x in differences)
    np.testing.assert_allclose(slopes, differences, rtol=1e-5, atol=1e-7 * largest)
