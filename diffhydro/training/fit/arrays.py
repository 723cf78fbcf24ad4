"""Batches of anything that is in memory: tiles, a `Sample`, the arrays of a test."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from diffhydro.data.batches import AbstractOrder, Shuffled
from diffhydro.errors import InputError
from diffhydro.typing import ArrayLike, Bool, PyTree


class Rows(eqx.Module):
    """Some rows of a tree of arrays.

    The last batch of an epoch is filled up with copies of a row that count for nothing: an
    objective weighs by `is_real`, such as with `mean_where`. (In rows of a `Sample` the weights of
    the copies are 0 already.)
    """

    arrays: PyTree
    is_real: Bool[ArrayLike, "*member window"]


@dataclass(frozen=True, eq=False)
class ArrayBatches:
    """Batches of `size` rows; in every epoch each row once, the last batch filled up.

    >>> batches = ArrayBatches.of({"x": np.arange(5.0)}, size=2)
    >>> [batches.read(which).is_real.tolist() for which in batches.epoch(0)]
    [[True, True], [True, True], [True, False]]

    Args:
        arrays: Any tree; the first axis of each array is `window`.
        rows: Length of that axis.
    """

    arrays: Any
    size: int
    order: AbstractOrder
    rows: int

    @classmethod
    def of(cls, arrays: Any, size: int, order: AbstractOrder | None = None) -> "ArrayBatches":
        """Look at arrays; shuffled with seed 0 if no order is given."""
        lengths: dict[int, str] = {}
        for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
            name = jax.tree_util.keystr(path).lstrip(".") or "the array"
            if np.ndim(leaf) == 0:
                raise InputError(f"{name} has no rows: it is a scalar")
            lengths.setdefault(len(leaf), name)
        if len(lengths) != 1:
            found = ", ".join(f"{name} has {rows}" for rows, name in lengths.items())
            raise InputError(f"arrays disagree about the number of rows: {found or 'no arrays'}")
        rows = next(iter(lengths))
        if size < 1:
            raise InputError(f"batches of {size} rows; a batch has at least 1")
        if rows == 0:
            raise InputError("there are no rows: this fold is empty")
        return cls(jax.tree.map(np.asarray, arrays), size, order or Shuffled(), rows)

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return (self.rows + self.size - 1) // self.size

    def epoch(self, number: int) -> np.ndarray:
        """Give the rows of all batches of an epoch, `[batch, window]`; −1 fills up."""
        which = np.full(len(self) * self.size, -1, np.int64)
        which[: self.rows] = self.order.of(self.rows, number, 0)
        return which.reshape(len(self), self.size)

    def read(self, which: np.ndarray) -> Rows:
        """Take rows by their number."""
        is_real = which >= 0
        # Copies of a row that is there, so that a model can run on them.
        chosen = np.where(is_real, which, max(which.max(), 0))
        return Rows(jax.tree.map(lambda x: x[chosen], self.arrays), is_real)
