"""The steps that were taken in an interval: what derivatives walk over, forward and back."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.soil.richards.rows import in_sorted_rows, pick
from diffhydro.typing import Array


class Steps(eqx.Module):
    """Heads and ponds of every stage of every step; `column` is the last axis.

    While columns take turns it is the first, so that a step of a column is one piece to write.
    """

    psi: Array  # step, stage, node
    pond: Array  # step, stage: pond at the start of each stage
    length: Array  # step; 0 where no step was taken

    def with_step(
        self, number: Array, place: Array, psi: Array, pond: Array, length: Array
    ) -> "Steps":
        """Write a step of some columns (column first).

        Args:
            number: Of the columns; a number beyond the last one writes nothing.
            place: The step's own number, for every column.
            psi: Heads, stage, node, column.
            pond: Ponds, stage, column.
            length: Of the step.
        """
        where = number, place.astype(jnp.int32)
        return Steps(
            self.psi.at[where].set(psi.transpose(2, 0, 1), mode="drop"),
            self.pond.at[where].set(pond.T, mode="drop"),
            self.length.at[where].set(length, mode="drop"),
        )

    def columns_last(self, duration: Array) -> "Steps":
        """Turn a record by columns, with lengths as shares of `duration`, into the final one."""
        turned = jax.tree.map(lambda x: jnp.moveaxis(x, 0, -1), self)
        return Steps(turned.psi, turned.pond, turned.length * duration[None])


def blank_record(room: int, psi: Array) -> Steps:
    """Make room for the steps of two stages of columns with heads like `psi` (column first)."""
    nodes, columns = psi.shape
    return Steps(
        jnp.zeros((columns, room, 2, nodes), psi.dtype),
        jnp.zeros((columns, room, 2), psi.dtype),
        jnp.zeros((columns, room), psi.dtype),
    )


def by_column(
    steps: Steps,
    given: Any,
    walk: Callable[[Any, Callable[[Array], Steps], Array], Any],
    *,
    uneven: bool,
) -> Any:
    """Let columns walk over their steps, all together or those with as many steps in one row.

    Args:
        given: What belongs to the columns, for `walk`.
        walk: (given, step, taken) → result; step(number) gives the steps of that number, with
            length 0 for who has none, and `taken` tells how many every column has.
        uneven: Some columns may have taken many more steps than others.
    """
    taken = jnp.sum(steps.length > 0, axis=0)
    (columns,) = taken.shape
    if not uneven:

        def step(number: Array) -> Steps:
            return jax.tree.map(lambda x: lax.dynamic_index_in_dim(x, number, 0, False), steps)

        return walk(given, step, taken)

    trail = jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), steps)  # column, step

    def row(chosen: Array) -> Any:
        few = pick(given, chosen, columns)
        count = jnp.where(chosen < columns, pick(taken, chosen, columns), 0)

        def step(number: Array) -> Steps:
            one = jax.tree.map(lambda x: x.at[chosen, number].get(mode="clip"), trail)
            one = jax.tree.map(lambda x: jnp.moveaxis(x, 0, -1), one)
            return Steps(one.psi, one.pond, jnp.where(number < count, one.length, 0.0))

        return walk(few, step, count)

    return in_sorted_rows(taken, row)
