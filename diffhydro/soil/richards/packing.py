"""Packing: go on with the few columns that still have work, in a smaller batch.

All columns of a batch advance in one program, so the slowest sets the number of trips. When an
eighth or less is left, those columns are gathered, worked on by themselves, and put back.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from diffhydro.typing import Array

_SHARE = 8
_SMALLEST = 16  # columns; below this a batch no longer fills the vector registers


def smaller_batch(columns: int) -> int:
    """Size of the batch to pack into, or 0 where packing does not pay."""
    smaller = columns // _SHARE
    return smaller if smaller >= _SMALLEST else 0


class Places(NamedTuple):
    """Which columns were packed: their numbers, and for every column its place, or −1."""

    chosen: Array
    inverse: Array


def unfinished(left: Array, smaller: int) -> Places:
    """Choose the columns with work left; there must be no more than fit."""
    columns = left.shape[-1]
    (chosen,) = jnp.nonzero(left, size=smaller, fill_value=columns)
    return Places(chosen, jnp.where(left, jnp.cumsum(left) - 1, -1))


def greatest(count: Array, smaller: int) -> tuple[Places, Array]:
    """Choose the columns with the greatest counts; also the greatest count not chosen."""
    order = jnp.argsort(-count)
    rank = jnp.argsort(order)
    inverse = jnp.where(rank < smaller, rank, -1)
    return Places(order[:smaller], inverse), count[order[smaller]]


def pick(tree: Any, places: Places, columns: int) -> Any:
    """Take some columns of every array that has them; a column axis of length 1 stays."""

    def one(x: Array) -> Array:
        if not _has_columns(x, columns):
            return x
        return jnp.take(x, places.chosen, axis=-1, mode="clip")

    return jax.tree.map(one, tree)


def put(tree: Any, packed: Any, places: Places) -> Any:
    """Write packed columns back."""
    # By gathers: XLA:CPU runs and compiles a scatter as a loop over its elements.
    return jax.tree.map(
        lambda x, y: jnp.where(places.inverse >= 0, _spread(y, places), x), tree, packed
    )


def add(tree: Any, packed: Any, places: Places, columns: int) -> Any:
    """Add what packed columns gathered to the whole."""

    def one(x: Array, y: Array) -> Array:
        if not _has_columns(x, columns):
            return x + y
        return x + jnp.where(places.inverse >= 0, _spread(y, places), 0.0)

    return jax.tree.map(one, tree, packed)


def _spread(packed: Array, places: Places) -> Array:
    return jnp.take(packed, places.inverse, axis=-1, mode="clip")


def _has_columns(x: Array, columns: int) -> bool:
    return columns > 1 and x.shape[-1] == columns
