"""Models so small that training them takes no time, and savers that live in memory."""

import copy
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.bijections import LOG
from diffhydro.core.parameters import parameter
from diffhydro.networks import AbstractHead, FlaxHead, Mlp
from diffhydro.training.fit.arrays import ArrayBatches
from diffhydro.typing import Array

SLOPE, OFFSET = 2.0, 0.5


class Line(eqx.Module):
    """A straight line."""

    slope: Array = parameter(
        unit="-", bounds=(0.1, 10.0), scale=LOG, description="rise", default=1.0
    )
    offset: Array = parameter(unit="-", bounds=(None, None), description="start", default=0.0)

    def __call__(self, x):
        return self.slope * x + self.offset


class Bent(eqx.Module):
    """A straight line that a network bends."""

    line: Line
    head: AbstractHead

    def __call__(self, x):
        return self.line(x) + self.head(x[:, None])[:, 0]


def bent(seed=0, dtype=None):
    network = Mlp(hidden=(4,), out=1)
    head = FlaxHead.create(network, jnp.zeros(1), key=jax.random.key(seed), dtype=dtype)
    line = Line()
    if dtype is not None:
        line = jax.tree.map(lambda x: x.astype(dtype), line)
    return Bent(line, head)


def table(rows=10, seed=0, dtype=np.float64, slope=SLOPE):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, rows)
    y = slope * x + OFFSET + rng.normal(0.0, 0.05, rows)
    return {"x": x.astype(dtype), "y": y.astype(dtype)}


@cache
def batches(rows=10, size=4, seed=0, dtype=np.float64, slope=SLOPE):
    return ArrayBatches.of(table(rows, seed, dtype, slope), size)


def square(model, rows, *, step, key):
    """The mean square over rows that count, with noise on the inputs while training."""
    x, y = rows.arrays["x"], rows.arrays["y"]
    if key is not None:
        x = x + 0.01 * jax.random.uniform(key, x.shape, x.dtype)
    counts = rows.is_real.astype(x.dtype)
    each = (model(x) - y) ** 2
    misfit = jnp.sum(counts * each) / jnp.maximum(jnp.sum(counts), 1.0)
    size = 1e-3 * (1.0 + step.astype(x.dtype)) * jnp.sum(jax.tree.leaves(model)[0] ** 2)
    return misfit + size, {"misfit": misfit, "size": size}


def plain(model, rows, *, step, key):
    """The same without anything random, and one term."""
    x, y = rows.arrays["x"], rows.arrays["y"]
    counts = rows.is_real.astype(x.dtype)
    misfit = jnp.sum(counts * (model(x) - y) ** 2) / jnp.maximum(jnp.sum(counts), 1.0)
    return misfit, {"misfit": misfit}


class OutageError(Exception):
    """Stands for a machine that goes down."""


class Memory:
    """Keeps checkpoints as a disk would: by value, and JSON as text."""

    def __init__(self, fails_after=None):
        self.kept, self.told, self.fails_after = {}, {}, fails_after

    def save(self, step, state, told):
        import json

        assert step not in self.kept
        assert step > max(self.kept, default=-1)
        self.kept[step] = jax.tree.map(copy.copy, state)
        self.told[step] = json.dumps(told, allow_nan=False)
        if self.fails_after is not None and len(self.kept) >= self.fails_after:
            raise OutageError

    def restore(self, like):
        import json

        if not self.kept:
            return None
        step = max(self.kept)
        assert jax.tree.structure(like) == jax.tree.structure(self.kept[step])
        return step, self.kept[step], json.loads(self.told[step])


def same(one, other):
    """Assert that all arrays of two trees are equal, bit for bit."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for (path, a), b in zip(
        jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True
    ):
        a, b = (
            jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x
            for x in (a, b)
        )
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(
            a.view(np.uint8) if a.ndim else a,
            b.view(np.uint8) if b.ndim else b,
            jax.tree_util.keystr(path),
        )


def close(one, other, rtol=1e-12, atol=1e-13):
    """Assert that the floating arrays of two trees are equal but for rounding."""
    for (path, a), b in zip(
        jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True
    ):
        if jnp.issubdtype(a.dtype, jnp.floating):
            name = jax.tree_util.keystr(path)
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=name)
        elif not jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            np.testing.assert_array_equal(a, b)
