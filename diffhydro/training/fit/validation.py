"""How good a model is on data that it is not trained on."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffhydro.core.ensembles import AbstractMap
from diffhydro.core.trainable import Free, Frozen
from diffhydro.data.batches import START, AbstractBatches, prefetch
from diffhydro.errors import InputError
from diffhydro.training.fit.feed import items
from diffhydro.training.fit.step import AbstractObjective, evaluate
from diffhydro.typing import Array, Int


@dataclass(frozen=True, eq=False)
class Validation:
    """What is scored beside training, with nothing random.

    The scores are the terms of an objective, each averaged over all windows; they become the
    columns `validation.total` and `validation.<term>`.

    Args:
        batches: Of the windows held out; their order does not matter.
        objective: That of training if not given. Any score that is a mean over windows will do.
        every: Epochs from one to the next.
    """

    batches: AbstractBatches
    objective: AbstractObjective | None = None
    every: int = 1

    def __post_init__(self):
        """Refuse what has nothing in it."""
        if self.every < 1:
            raise InputError(f"a validation every {self.every} epochs; expected 1 or more")
        if len(self.batches) == 0:
            raise InputError("there is nothing to validate on: this fold has no windows")

    def is_due(self, epoch: int) -> bool:
        """Say whether there is one at the end of an epoch."""
        return (epoch + 1) % self.every == 0


def validate(
    how: AbstractMap | None,
    validation: Validation,
    objective: AbstractObjective,
    prepare: Callable[[Any], Any],
    frozen: Frozen,
    free: Free,
    step: Int[Array, " member"],
) -> dict[str, np.ndarray]:
    """Score all members.

    Args:
        objective: For a validation that has none of its own.

    Returns:
        Means over all windows, `[member]`; NaN where a member has none.
    """
    score = objective if validation.objective is None else validation.objective
    found, amounts = [], []
    with closing(prefetch(items(validation.batches, START, 1, prepare))) as coming:
        for sample, amount, _ in coming:
            found.append(evaluate(how, score, frozen, free, step, sample))
            amounts.append(amount)
    weights = np.stack(amounts).astype(float)
    whole = weights.sum(axis=0)
    return {
        f"validation.{name}": _mean(np.stack([np.asarray(x[name]) for x in found]), weights, whole)
        for name in found[0]
    }


def _mean(values: np.ndarray, weights: np.ndarray, whole: np.ndarray) -> np.ndarray:
    # What an objective makes of a batch without windows may be anything.
    weighed = np.where(weights > 0, values.astype(float) * weights, 0.0).sum(axis=0)
    return np.divide(weighed, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
