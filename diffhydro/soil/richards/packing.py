"""Packing: go on with the few columns that still have work, in a smaller batch.

All columns of a batch advance in one program, so the slowest sets the number of trips. When an
eighth or less is left, those columns are gathered, worked on by themselves, and put back.
"""

from typing import Any

import jax
import jax.numpy as jnp

from diffhydro.typing import Array

_SHARE = 8
_SMALLEST = 16  # columns; below this a batch no longer fills the vector registers


def smaller_batch(columns: int) -> int:
    """Size of the batch to pack into, or 0 where packing does not pay."""
    smaller = columns // _SHARE
    return smaller if smaller >= _SMALLEST else 0


def pick(tree: Any, places: Array, columns: int) -> Any:
    """Take some columns of every array that has them; a column axis of length 1 stays."""

    def one(x: Array) -> Array:
        return jnp.take(x, places, axis=-1, mode="clip") if _has_columns(x, columns) else x

    return jax.tree.map(one, tree)


def put(tree: Any, packed: Any, places: Array) -> Any:
    """Write packed columns back; places beyond the batch are dropped."""
    return jax.tree.map(lambda x, y: x.at[..., places].set(y, mode="drop"), tree, packed)


def add(tree: Any, packed: Any, places: Array, columns: int) -> Any:
    """Add what packed columns gathered to the whole."""

    def one(x: Array, y: Array) -> Array:
        return x.at[..., places].add(y, mode="drop") if _has_columns(x, columns) else x + y

    return jax.tree.map(one, tree, packed)


def _has_columns(x: Array, columns: int) -> bool:
    return columns > 1 and x.shape[-1] == columns
