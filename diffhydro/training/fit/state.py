"""All that a run needs to go on, as arrays: with the model it began with, it is the trained model.

An ensemble has one of these whose arrays have a leading `member` axis.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.trainable import Free, Frozen, merge
from diffhydro.data.batches import Position
from diffhydro.training.fit.optimizer import Descent, Optimizer
from diffhydro.typing import Array, Bool, Float, Int, Key, PyTree

RUNNING, PATIENT, BROKEN = range(3)
TOTAL, GRADIENT = "training.total", "gradient"


class Walk(eqx.Module):
    """What changes with every batch.

    Attributes:
        seen: Batches that had anything in them.
        position: The next batch, `(epoch, batch)`; where a run broke, the one that broke it.
        ending: RUNNING, or why there is no more to come.
        sums: Of the terms of this epoch, each weighted by the windows of its batch.
        amount: Windows of this epoch so far.
    """

    descent: Descent
    seen: Int[Array, ""]
    position: Int[Array, "2"]
    ending: Int[Array, ""]
    sums: dict[str, Float[Array, ""]]
    amount: Float[Array, ""]

    @property
    def is_running(self) -> Bool[Array, ""]:
        """Whether the next batch will change anything."""
        return self.ending == RUNNING


class RunState(eqx.Module):
    """A run.

    Attributes:
        best: Free numbers of the best score.
        best_score: Larger is better, whichever way the metric goes; −∞ before the first.
        mark: The score that last counted as a gain.
        since_best: Scores since then.
        key: Of all that is random; what a batch gets depends on it and on the batches seen.
    """

    walk: Walk
    best: Free
    best_score: Float[Array, ""]
    mark: Float[Array, ""]
    since_best: Int[Array, ""]
    key: Key[Array, ""]

    @property
    def free(self) -> Free:
        """Free numbers after the last step."""
        return self.walk.descent.free

    @property
    def average(self) -> Free | None:
        """Their average over all steps, if one is kept."""
        return self.walk.descent.average

    @property
    def step(self) -> Int[Array, ""]:
        """Steps taken."""
        return self.walk.descent.step

    @property
    def position(self) -> Int[Array, "2"]:
        """The next batch."""
        return self.walk.position

    @property
    def is_done(self) -> Bool[Array, ""]:
        """Whether it has stopped for itself."""
        return ~self.walk.is_running


def begin(
    optimizer: Optimizer, names: tuple[str, ...], dtype: Any, free: Free, key: Key[Array, ""]
) -> RunState:
    """Give the state before the first batch.

    Args:
        names: Of the sums.
        dtype: Of the loss.
    """
    zero = jnp.zeros((), jnp.int32)
    sums = {name: jnp.zeros((), dtype) for name in names}
    none, worst = jnp.zeros((), jnp.float32), jnp.asarray(-jnp.inf, dtype)
    start = jnp.zeros((2,), jnp.int32)
    walk = Walk(optimizer.begin(free), zero, start, jnp.asarray(RUNNING, jnp.int32), sums, none)
    return RunState(walk, free, worst, worst, zero, key)


def trained(state: RunState, frozen: Frozen, *, last: bool = False) -> PyTree:
    """Give the model of a state: the best, or that after the last step."""
    return merge(state.walk.descent.outcome if last else state.best, frozen)


def furthest(state: RunState) -> Position:
    """Give the next batch of the members that go on, which are ahead of those that do not."""
    positions = np.asarray(state.position).reshape(-1, 2)
    return Position(*(int(x) for x in max(positions.tolist())))


def endings(state: RunState) -> np.ndarray:
    """Give how each member has ended, or has not."""
    return np.asarray(state.walk.ending).reshape(-1)


def means(walk: Walk) -> dict[str, Float[Array, "..."]]:
    """Give the terms of this epoch, averaged over its windows."""
    amount = jnp.maximum(walk.amount, 1.0)
    return jax.tree.map(lambda x: x / amount.astype(x.dtype), walk.sums)
