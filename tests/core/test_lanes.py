"""Columns as lanes: any nesting of vmap equals a loop, and the function sees one batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.lanes import columns_last


def recorded(seen: list):
    """A function of (node, column) arrays that also notes the shapes it was called with."""

    def physics(tree, shift):
        seen.append(jax.tree.map(jnp.shape, (tree, shift)))
        moved = jnp.cumsum(tree["x"], axis=0) * tree["k"][None] + shift[None]
        return {"moved": moved, "total": jnp.sum(moved**2, axis=0)}

    return physics


def one_column(x, k, shift):
    """The same, for one column, without lanes."""
    moved = jnp.cumsum(x) * k + shift
    return moved, jnp.sum(moved**2)


def inputs(*shape: int):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(*shape, 4)))
    k, shift = (jnp.asarray(rng.normal(size=shape)) for _ in range(2))
    return x, k, shift


def looped(x, k, shift):
    flat = [a.reshape(-1, *a.shape[shift.ndim :]) for a in (x, k, shift)]
    parts = [one_column(*row) for row in zip(*flat, strict=True)]
    moved, total = (jnp.stack(p) for p in zip(*parts, strict=True))
    return moved.reshape(x.shape), total.reshape(shift.shape)


def call(lanes):
    def function(x, k, shift):
        out = lanes({"x": x, "k": k}, shift)
        return out["moved"], out["total"]

    return function


def agree(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_a_plain_call_is_one_column():
    seen = []
    agree(call(columns_last(recorded(seen)))(*inputs()), looped(*inputs()))
    assert seen == [({"x": (4, 1), "k": (1,)}, (1,))]


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (2, 3, 4), (1, 1), (4, 1), (1, 4)], ids=str)
@pytest.mark.parametrize("jit", [False, True])
def test_nested_maps_equal_loops(shape, jit):
    seen = []
    function = call(columns_last(recorded(seen)))
    for _ in shape:
        function = jax.vmap(function)
    if jit:
        function = jax.jit(function)
    agree(function(*inputs(*shape)), looped(*inputs(*shape)))
    columns = int(np.prod(shape))
    # One batch of all columns, and no other call that computes: what a single program means.
    assert seen[-1] == ({"x": (4, columns), "k": (columns,)}, (columns,))


@pytest.mark.parametrize(
    "shared",
    [{"x"}, {"k"}, {"shift"}, {"x", "k"}, {"k", "shift"}],
    ids=lambda names: "-".join(sorted(names)),
)
def test_arguments_without_the_axis_are_shared(shared):
    names = ("x", "k", "shift")
    full = inputs(6)
    given = tuple(v[0] if n in shared else v for n, v in zip(names, full, strict=True))
    axes = tuple(None if n in shared else 0 for n in names)
    everywhere = tuple(
        jnp.broadcast_to(v[:1], v.shape) if n in shared else v
        for n, v in zip(names, full, strict=True)
    )
    found = jax.vmap(call(columns_last(recorded([]))), in_axes=axes)(*given)
    agree(found, looped(*everywhere))


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ((0, None, None), (None, 0, 0)),
        ((None, 0, None), (0, None, 0)),
        ((None, 0, 0), (0, 0, None)),
    ],
    ids=str,
)
def test_each_map_may_leave_other_arguments_out(outer, inner):
    x, k, shift = inputs(3, 5)
    picks = zip((x, k, shift), outer, inner, strict=True)
    given, full = [], []
    for value, o, i in picks:
        part = value if o == 0 else value[:1]
        part = part if i == 0 else part[:, :1]
        full.append(jnp.broadcast_to(part, value.shape))
        part = part if o == 0 else part[0]
        given.append(part if i == 0 else part[..., 0, :] if value is x else part[..., 0])
    function = jax.vmap(jax.vmap(call(columns_last(recorded([]))), in_axes=inner), in_axes=outer)
    agree(function(*given), looped(*full))


def test_axes_other_than_the_first():
    x, k, shift = inputs(6)
    function = jax.vmap(call(columns_last(recorded([]))), in_axes=(1, 0, 0), out_axes=(1, 0))
    moved, total = function(x.T, k, shift)
    agree((moved.T, total), looped(x, k, shift))


def test_a_scan_around_a_map_is_served():
    x, k, shift = inputs(6)
    lanes = call(columns_last(recorded([])))

    def run(x, k, shift):
        return jax.lax.scan(lambda x, _: (lanes(x, k, shift)[0], None), x, None, length=3)[0]

    expected = x
    for _ in range(3):
        expected = looped(expected, k, shift)[0]
    np.testing.assert_allclose(jax.vmap(run)(x, k, shift), expected, rtol=1e-12)
