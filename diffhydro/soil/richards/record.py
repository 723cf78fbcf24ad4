"""The steps that were taken in an interval: what the adjoint walks back over."""

import equinox as eqx
import jax
import jax.numpy as jnp

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
