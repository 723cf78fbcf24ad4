"""What to say, and to keep, when a loss is no number."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.states import write_archive
from diffhydro.core.trainable import Free, Frozen
from diffhydro.data.batches import Batch, Position
from diffhydro.errors import InputError
from diffhydro.training.fit.state import RunState
from diffhydro.training.fit.step import AbstractObjective, differentiate
from diffhydro.typing import Array, PyTree

_SHOWN = 5


class TrainingError(InputError):
    """Say that a run came to where something is no number.

    Attributes:
        state: The run before that batch; `trained(error.state, frozen)` is its best model.
        position: Of the batch.
        batch: File that it was saved in, if there is a folder for it.
    """

    def __init__(self, message: str, state: RunState, position: Position, batch: Path | None):
        self.state, self.position, self.batch = state, position, batch
        Exception.__init__(self, message)


class Found(eqx.Module):
    """What a batch gives: the loss, its terms, and where a gradient is finite."""

    total: Array
    terms: dict[str, Array]
    gradient: PyTree

    def culprit(self) -> str | None:
        """Name what is no number; None if all are."""
        names = [name for name, x in self.terms.items() if not np.isfinite(x)]
        if names:
            return f"the term {' and '.join(names)} is {float(self.terms[names[0]])}"
        if not np.isfinite(self.total):
            return f"the total is {float(self.total)}, and each term is finite"
        bad = [
            jax.tree_util.keystr(path).lstrip(".")
            for path, is_finite in jax.tree_util.tree_leaves_with_path(self.gradient)
            if not is_finite
        ]
        if bad:
            return f"the loss is finite, and its gradient is not, in {_listed(bad)}"
        return None


@eqx.filter_jit
def look(
    objective: AbstractObjective,
    frozen: Frozen,
    free: Free,
    sample: PyTree,
    step: Array,
    key: Array,
) -> Found:
    """Find out what a batch gives to one member."""
    total, terms, gradient = differentiate(objective, frozen, free, sample, step, key)
    return Found(total, terms, jax.tree.map(lambda x: jnp.all(jnp.isfinite(x)), gradient))


def explain(
    objective: AbstractObjective, frozen: Frozen, state: RunState, batch: Any, sample: PyTree
) -> str:
    """Say what is wrong with a batch, and which windows do it; all of one member."""
    free, step = state.free, state.step
    bad = [path for path, x in named(free).items() if not np.isfinite(x).all()]
    if bad:
        return f"free numbers are not finite before the batch: {_listed(bad)}"
    key = jax.random.fold_in(state.key, state.walk.seen)

    def culprit(sample: PyTree) -> str | None:
        return look(objective, frozen, free, sample, step, key).culprit()

    what = culprit(sample)
    if what is None:
        return "the loss and its gradient are finite, and the step is not: lower the rate, or clip"
    real = np.flatnonzero(np.asarray(batch.is_real))
    size = len(batch.is_real)
    # Each alone, in all places of the batch, so that there is no program to be compiled.
    guilty = [int(i) for i in real if culprit(_only(sample, int(i), size)) is not None]
    if not guilty:
        return f"{what}, for all windows together and for none alone"
    return f"{what}, at {_windows(batch, guilty)}"


def keep(target: Path, batch: Any) -> None:
    """Save a batch as it was read."""
    write_archive(target, named(batch))


def named(tree: Any, path: str = "") -> dict[str, np.ndarray]:
    """Give all arrays by their path; of a batch as of any tree."""
    if isinstance(tree, Batch):
        tree = {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree)}
    if isinstance(tree, Mapping):
        found: dict[str, np.ndarray] = {}
        for name, x in tree.items():
            found |= named(x, f"{path}.{name}".lstrip("."))
        return found
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        path + jax.tree_util.keystr(keys) if path else jax.tree_util.keystr(keys).lstrip("."):
            np.asarray(x)
        for keys, x in leaves
    }  # fmt: skip


def of_member(batch: Any, number: int) -> Any:
    """Take the batch of a member."""

    def take(x: Any) -> Any:
        return (
            {name: one[number] for name, one in x.items()} if isinstance(x, Mapping) else x[number]
        )

    if isinstance(batch, Batch):
        fields = dataclasses.fields(batch)
        return Batch(**{field.name: take(getattr(batch, field.name)) for field in fields})
    return jax.tree.map(lambda x: x[number], batch)


def _only(sample: PyTree, window: int, size: int) -> PyTree:
    def one(x: Any) -> Any:
        is_by_window = eqx.is_array(x) and x.ndim > 0 and x.shape[0] == size
        return x[np.full(size, window)] if is_by_window else x

    return jax.tree.map(one, sample)


def _windows(batch: Any, which: list[int]) -> str:
    if not isinstance(batch, Batch):
        return f"window {_listed([str(i) for i in which])} of the batch"
    found = [f"site {batch.sites[i]} from {str(batch.starts[i])[:16]}" for i in which]
    return f"{len(which)} of {int(batch.is_real.sum())} windows: {_listed(found)}"


def _listed(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
