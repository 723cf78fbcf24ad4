"""Rows of lanes: columns whose work is uneven, taken in turns.

All lanes of a program advance together, so the slowest sets the number of trips. Here columns
queue for a row that is just wide enough for the machine, and leave it when they have arrived.
Two ways, both giving every column exactly what it would get alone:

* `through_lanes`, where the work of a column is not known before: whenever a quarter of the lanes
  is idle, the next columns enter;
* `in_sorted_rows`, where it is known: columns of like work share a row from the start.

However many columns there are, one row is all there is to compile.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree

from diffhydro.typing import Array

_LEAST, _MOST = 32, 64  # lanes on a CPU: full vector registers, and everything in its cache
_SHARE = 8  # a row takes no more of the columns, or the last ones would walk among idle lanes
_KEPT = 0.75  # of a row: entering costs about as much as a trip


class Way(NamedTuple):
    """What columns walk; arrays of walks and settings have a last axis `lane`."""

    enter: Callable[[Array], Any]  # numbers of columns → their walks
    setting: Callable[[Array], Any]  # numbers of columns → what they walk through
    trip: Callable[..., Any]  # (setting, numbers, walk, shared) → (walk, shared)
    busy: Callable[[Any], Array]  # walk → who has not arrived
    arrival: Callable[[Any], Any]  # walk → what is kept: arrays of one dtype


def lanes_for(columns: int) -> int:
    """Give the width of a row: some columns on a CPU, all of them on an accelerator."""
    if jax.default_backend() != "cpu":
        return columns
    return min(columns, max(_LEAST, min(columns // _SHARE, _MOST)))


def through_lanes(columns: int, way: Way, shared: Any) -> tuple[Any, Any]:
    """Walk all columns to their ends.

    The number of an empty lane is `columns`, and whatever it does is dropped.

    Args:
        shared: What all lanes write to, at the numbers of their columns.

    Returns:
        The arrivals, one per column, and `shared`.
    """
    width = lanes_for(columns)
    nobody = jnp.full(width, columns)
    shape = jax.eval_shape(lambda number: way.arrival(way.enter(number)), nobody)
    dtype = jax.tree.leaves(shape)[0].dtype
    pages = sum(x.size for x in jax.tree.leaves(shape)) // width

    def travelling(number, walk):
        return (number < columns) & way.busy(walk)

    def until(enough, number, walk, shared):
        setting = way.setting(number)

        def more(carry):
            return jnp.sum(travelling(number, carry[0])) > enough

        return lax.while_loop(more, lambda c: way.trip(setting, number, *c), (walk, shared))

    def waiting(carry):
        number, walk, following, _, _ = carry
        return (following < columns) | (jnp.sum(travelling(number, walk)) > 0)

    def shift(carry):
        number, walk, following, book, shared = carry
        idle = ~travelling(number, walk)
        book = _write(book, number, idle, way.arrival(walk))
        turn = jnp.minimum(following + jnp.cumsum(idle) - 1, columns)
        number = jnp.where(idle, turn, number)
        walk = _choose(idle, way.enter(number), walk)
        following = jnp.minimum(following + jnp.sum(idle), columns)
        enough = jnp.where(following < columns, int(_KEPT * width), 0)
        walk, shared = until(enough, number, walk, shared)
        return number, walk, following, book, shared

    book = jnp.zeros((columns, pages), dtype)
    following = jnp.zeros((), nobody.dtype)
    carry = (nobody, way.enter(nobody), following, book, shared)
    number, walk, _, book, shared = lax.while_loop(waiting, shift, carry)
    book = _write(book, number, ~travelling(number, walk), way.arrival(walk))
    return _read(book, shape), shared


def in_sorted_rows(work: Array, walk: Callable[[Array], Any]) -> Any:
    """Let rows of columns with like `work` walk one after the other.

    Args:
        walk: Numbers of columns → result; a number beyond the last column is an empty lane.

    Returns:
        The results: joined where their last axis is that of the lanes, else added.
    """
    (columns,) = work.shape
    width = lanes_for(columns)
    rows = -(-columns // width)
    if rows == 1:
        return walk(jnp.arange(columns))
    order = jnp.argsort(-work)
    queue = jnp.concatenate([order, jnp.full(rows * width - columns, columns)])
    results = lax.map(walk, queue.reshape(rows, width))
    place = jnp.argsort(order)

    def joined(x: Array) -> Array:
        if x.shape[-1] != width:
            return jnp.sum(x, axis=0)
        x = jnp.moveaxis(x, 0, -2)
        return jnp.take(x.reshape(*x.shape[:-2], rows * width), place, axis=-1)

    return jax.tree.map(joined, results)


def pick(tree: Any, chosen: Array, columns: int) -> Any:
    """Take some columns of every array; a column axis of length 1 serves all and stays.

    A number beyond the last column takes the last one: a lane must have something to work on.
    """

    def one(x: Array) -> Array:
        if columns == 1 or x.shape[-1] != columns:
            return x
        return jnp.take(x, chosen, axis=-1, mode="clip")

    return jax.tree.map(one, tree)


def _choose(which: Array, new: Any, old: Any) -> Any:
    def one(x: Array, y: Array) -> Array:
        return jnp.where(which.reshape((1,) * (x.ndim - 1) + which.shape), x, y)

    return jax.tree.map(one, new, old)


def _write(book: Array, number: Array, which: Array, arrival: Any) -> Array:
    """Write the pages of some lanes."""
    pages = jax.vmap(lambda one: ravel_pytree(one)[0], in_axes=-1)(arrival)
    # One scatter of rows: XLA:CPU runs and compiles a scatter as a loop over its rows.
    place = jnp.where(which, number, book.shape[0])
    return book.at[place].set(pages, mode="drop")


def _read(book: Array, shape: Any) -> Any:
    _, unravel = ravel_pytree(jax.tree.map(lambda s: jnp.zeros(s.shape[:-1], s.dtype), shape))
    return jax.vmap(unravel, out_axes=-1)(book)
