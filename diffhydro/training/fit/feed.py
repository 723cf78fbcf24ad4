"""From batches to what a step takes: arrays, how many windows are real, what comes next."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.data.batches import AbstractBatches, Batch, Position, stream
from diffhydro.training.fit.arrays import Rows
from diffhydro.training.sample import REAL, Sample
from diffhydro.typing import Array


class Item(NamedTuple):
    """One batch.

    Attributes:
        amount: Windows that do not just fill it up, by member where there are several.
        after: The position of the next.
    """

    sample: Any
    amount: np.ndarray
    after: Position


def as_sample(batch: Any) -> Any:
    """Make of a batch what an objective is given, if nobody says otherwise.

    A `Sample` of windows of a data set; rows of a `Sample` are one, with weights 0 for what fills
    the batch up; rows of anything else stay `Rows`.
    """
    if isinstance(batch, Batch):
        return Sample.of(batch)
    rows: Rows = jax.tree.map(jnp.asarray, batch)
    if not isinstance(rows.arrays, Sample):
        return rows
    sample, is_real = rows.arrays, jnp.asarray(rows.is_real)
    weights = {name: _weighed(x, is_real) for name, x in sample.weights.items()}
    if REAL not in weights:
        types = [x.dtype for x in weights.values()] or [jnp.float32]
        weights[REAL] = is_real.astype(types[0])
    return Sample(sample.inputs, sample.observed, weights, sample.extra)


def items(
    batches: AbstractBatches, position: Position, epochs: int, prepare: Callable[[Any], Any]
) -> Iterator[Item]:
    """Give batch after batch."""
    for batch, after in stream(batches, position, epochs):
        yield Item(prepare(batch), windows(batch), after)


def windows(batch: Any) -> np.ndarray:
    """Count the windows that are real."""
    return np.asarray(batch.is_real).sum(axis=-1).astype(np.float32)


def _weighed(weights: Array, is_real: Array) -> Array:
    counts = is_real.reshape(is_real.shape + (1,) * (weights.ndim - is_real.ndim))
    return jnp.where(counts, weights, jnp.zeros_like(weights))
