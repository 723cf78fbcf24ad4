"""One batch: a gradient, a step, and all of it undone where something is not a finite number.

A member whose loss, gradient or step is no number stays as it was before the batch and says so in
its `ending`. It can therefore be looked at whenever it suits, and nothing waits for the check.
"""

from functools import partial
from typing import Any, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.core.ensembles import AbstractMap
from diffhydro.core.trainable import Free, Frozen, merge
from diffhydro.errors import InputError
from diffhydro.training.fit.members import over
from diffhydro.training.fit.optimizer import Optimizer, choose, norm
from diffhydro.training.fit.state import BROKEN, GRADIENT, TOTAL, RunState, Walk, begin, means
from diffhydro.typing import Array, ArrayLike, Float, Int, Key, PyTree


class AbstractObjective(Protocol):
    """What is made small; an `Objective`, or any such function."""

    def __call__(
        self, model: Any, sample: Any, *, step: Any, key: Any
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Return the loss of a batch, and its terms by name.

        Args:
            step: Steps taken before.
            key: For what is random; None when nothing shall be.
        """
        ...


@eqx.filter_jit
def start(
    how: AbstractMap | None,
    optimizer: Optimizer,
    names: tuple[str, ...],
    dtype: Any,
    free: Free,
    key: Key,
) -> RunState:
    """Begin all members."""
    return over(partial(begin, optimizer, names, dtype), how)(free, key)


@eqx.filter_jit
def advance(
    how: AbstractMap | None,
    optimizer: Optimizer,
    objective: AbstractObjective,
    frozen: Frozen,
    key: Key[Array, " member"],
    walk: Walk,
    sample: PyTree,
    amount: Float[ArrayLike, " member"],
    after: Int[ArrayLike, "2"],
) -> Walk:
    """Take one batch into all members.

    Args:
        amount: Windows that are real; a member with none stays as it is.
        after: The position of the batch after this one.
    """

    def one(frozen: Frozen, key: Any, walk: Walk, sample: Any, amount: Any) -> Walk:
        return _advance(optimizer, objective, after, frozen, key, walk, sample, amount)

    return over(one, how)(frozen, key, walk, sample, amount)


@eqx.filter_jit
def evaluate(
    how: AbstractMap | None,
    objective: AbstractObjective,
    frozen: Frozen,
    free: Free,
    step: Int[Array, " member"],
    sample: PyTree,
) -> dict[str, Float[Array, " member"]]:
    """Give the loss and its terms of all members, with nothing random."""

    def one(frozen: Frozen, free: Free, step: Any, sample: Any) -> dict[str, Array]:
        total, terms = objective(merge(free, frozen), sample, step=step, key=None)
        return {"total": total, **terms}

    return over(one, how)(frozen, free, step, sample)


@eqx.filter_jit
def summary(
    how: AbstractMap | None, optimizer: Optimizer, walk: Walk
) -> dict[str, Float[Array, " member"]]:
    """Give the means of the epoch and the rates."""

    def one(walk: Walk) -> dict[str, Array]:
        rates = optimizer.rates(walk.descent.step)
        return means(walk) | {f"rate.{group}": rate for group, rate in rates.items()}

    return over(one, how)(walk)


def _advance(
    optimizer: Optimizer,
    objective: AbstractObjective,
    after: Int[ArrayLike, "2"],
    frozen: Frozen,
    key: Key[Array, ""],
    walk: Walk,
    sample: PyTree,
    amount: Float[Array, ""],
) -> Walk:
    step = walk.descent.step
    key = jax.random.fold_in(key, walk.seen)
    total, terms, gradient = differentiate(objective, frozen, walk.descent.free, sample, step, key)
    size = norm(gradient)
    descent, change = optimizer.descend(walk.descent, gradient, amount)
    is_sound = jnp.isfinite(total) & jnp.isfinite(size) & jnp.isfinite(change)
    counts = walk.is_running & (amount > 0)
    is_broken = counts & ~is_sound
    found = {TOTAL: total, GRADIENT: size} | {f"training.{name}": x for name, x in terms.items()}
    taken = Walk(
        descent, walk.seen + 1, walk.position, walk.ending, _summed(walk, found, amount),
        walk.amount + amount,
    )  # fmt: skip
    now: Walk = choose(counts & is_sound, taken, walk)
    position = jnp.where(walk.is_running & ~is_broken, jnp.asarray(after, jnp.int32), walk.position)
    ending = jnp.where(is_broken, BROKEN, walk.ending).astype(jnp.int32)
    return Walk(now.descent, now.seen, position, ending, now.sums, now.amount)


def differentiate(
    objective: AbstractObjective, frozen: Frozen, free: Free, sample: PyTree, step: Any, key: Any
) -> tuple[Array, dict[str, Array], Free]:
    """Give the loss of a batch, its terms, and the gradient."""

    def loss(free: Free) -> tuple[Array, dict[str, Array]]:
        return objective(merge(free, frozen), sample, step=step, key=key)

    (total, terms), gradient = jax.value_and_grad(loss, has_aux=True)(free)
    return total, terms, gradient


def _summed(walk: Walk, found: dict[str, Array], amount: Array) -> dict[str, Array]:
    if set(found) != set(walk.sums):
        expected, came = (sorted(set(x) - {TOTAL, GRADIENT}) for x in (walk.sums, found))
        raise InputError(
            f"the objective gave the terms {', '.join(came) or 'none'} for this batch and "
            f"{', '.join(expected) or 'none'} for the first; all batches need the same terms"
        )
    return {
        name: x + amount.astype(x.dtype) * found[name].astype(x.dtype)
        for name, x in walk.sums.items()
    }
