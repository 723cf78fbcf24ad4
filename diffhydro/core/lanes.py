"""Columns as lanes: one function written for (node, column), mapped by adding columns.

Physics is written for one column, and users map it with `jax.vmap`. A plain map would put the new
axis first and turn every vector operation across columns into strided work; here the map
appends columns at the **end** of every array instead, and the function sees them all at once,
so it can also treat them together (stop when all are done, let the next ones enter).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import custom_batching

from diffhydro.typing import Array


def columns_last(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make `function`, written for arrays with one trailing column axis, serve any vmap.

    Args:
        function: Takes and returns pytrees of arrays whose last axis is `column`. An argument's
            column axis may have length 1, which broadcasts; all results have the full length.

    Returns:
        A function of the same arguments *without* the column axis. Called plainly it runs a
        single column; under `jax.vmap`, nested or not, all columns run in one call.
    """

    @custom_batching.custom_vmap
    def lanes(*args: Any) -> Any:
        wide = jax.tree.map(lambda x: jnp.expand_dims(x, -1), args)
        return jax.tree.map(lambda x: x[..., 0], function(*wide))

    @lanes.def_vmap
    def _(size: int, batched: Any, *args: Any) -> Any:
        def append(is_batched: bool, x: Any) -> Any:
            return jnp.moveaxis(x, 0, -1) if is_batched else jnp.expand_dims(x, -1)

        wide = jax.tree.map(append, list(batched), list(args))
        out = _packed(function, size)(*wide)
        return out, jax.tree.map(lambda _: True, out)

    return lanes


def _packed(function: Callable[..., Any], size: int) -> Callable[..., Any]:
    """`function` with results' columns first, as a vmap rule must return; itself mappable."""

    @custom_batching.custom_vmap
    def call(*wide: Any) -> Any:
        return jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), function(*wide))

    @call.def_vmap
    def _(outer: int, batched: Any, *wide: Any) -> Any:
        folded = jax.tree.map(
            lambda is_batched, x: fold(is_batched, x, outer, size), list(batched), list(wide)
        )
        out = _packed(function, outer * size)(*folded)
        out = jax.tree.map(lambda x: x.reshape(outer, size, *x.shape[1:]), out)
        return out, jax.tree.map(lambda _: True, out)

    return call


def fold(is_batched: bool, x: Array, outer: int, size: int) -> Array:
    """Fold an outer map's axis, the first, into the columns, so that a function still sees one.

    Args:
        is_batched: Has `x` that axis?
        outer: Its length.
        size: Columns that the function saw so far.
    """
    x = x if is_batched else jnp.expand_dims(x, 0)
    x = jnp.moveaxis(x, 0, -2)
    if x.shape[-2:] == (1, 1):
        return x[..., 0]
    x = jnp.broadcast_to(x, (*x.shape[:-2], outer, size))
    return x.reshape(*x.shape[:-2], outer * size)


def full_width(tree: Any, *others: Any) -> Any:
    """Give every array of `tree` as many columns as the widest array of `tree` and `others` has."""
    columns = max(x.shape[-1] for x in jax.tree.leaves((tree, others)))
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (*x.shape[:-1], columns)), tree)


def same_width(tree: Any, other: Any) -> tuple[Any, Any]:
    """Give each array of one tree as many columns as its partner in the other, where one has 1."""

    def one(x: Array, y: Array) -> Array:
        return jnp.broadcast_to(x, (*x.shape[:-1], max(x.shape[-1], y.shape[-1])))

    return jax.tree.map(one, tree, other), jax.tree.map(one, other, tree)
