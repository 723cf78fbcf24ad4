"""Batches for members that have nothing in common but their size: clusters × folds × seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from diffhydro.data.batches import AbstractBatches, Batch, stack
from diffhydro.errors import InputError


@dataclass(frozen=True, eq=False)
class MemberBatches:
    """A batch of each member, side by side.

    An epoch is as long as that of the member with the most batches; one that is through gets
    batches of weight 0 until the others are.

    Args:
        parts: Of each member, all of one size; windows of a data set or rows of arrays, not mixed
            ones. (`MixedBatches` may mix several of these.)
    """

    parts: tuple[AbstractBatches, ...]

    @classmethod
    def of(cls, parts: Sequence[AbstractBatches]) -> "MemberBatches":
        """Put batches side by side."""
        if not parts:
            raise InputError("batches of no members; it takes those of at least one")
        sizes = [part.epoch(0).shape[1:] for part in parts]
        for i, size in enumerate(sizes):
            if size != sizes[0] or len(size) != 1:
                raise InputError(
                    f"a batch of member {i} is {list(size)} and one of member 0 {list(sizes[0])}; "
                    "expected one number of windows for all"
                )
        return cls(tuple(parts))

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return max(len(part) for part in self.parts)

    def epoch(self, number: int) -> np.ndarray:
        """Give the windows of all batches of an epoch, `[batch, member, window]`; −1 fills up."""
        return np.stack([self._filled_up(part.epoch(number)) for part in self.parts], axis=1)

    def read(self, which: np.ndarray) -> Any:
        """Read windows by their number, `[member, window]`."""
        read = [part.read(mine) for part, mine in zip(self.parts, which, strict=True)]
        if isinstance(read[0], Batch):
            return stack(read)
        return jax.tree.map(lambda *x: np.stack(x), *read)

    def _filled_up(self, every: np.ndarray) -> np.ndarray:
        none = np.full((len(self) - len(every), every.shape[1]), -1, every.dtype)
        return np.concatenate([every, none])
