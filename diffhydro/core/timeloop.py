"""Walk a state through time, with a say in what the gradient remembers.

A reverse gradient needs the states of all T steps again. What is kept in between is a policy:

    PLAIN     all that every step computed: memory ∝ T, nothing computed twice
    SOLVED    the state before every step and what solvers recorded in it: memory ∝ T × record, all
              but the solvers computed twice
    REMAT     the state before every step: memory ∝ T × state, each step computed twice
    NESTED    the state before every √T-th step: memory ∝ 2 √T × state, three times

(Griewank 1992, with two levels.) In a bucket model over five years the last was the fastest as well
as the smallest, because what it keeps fits in cache. The values do not depend on the policy, to
the last bit; gradients agree to rounding.
"""

import abc
import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.ad_checkpoint import checkpoint_name

from diffhydro.errors import InputError
from diffhydro.typing import PyTree

_KEPT = "kept"

State = TypeVar("State")
Step = Callable[[State, Any], tuple[State, Any]]


class AbstractMemory(eqx.Module):
    """What a time loop keeps for its gradient."""

    @abc.abstractmethod
    def scan(
        self, step: Step[State], state: State, inputs: PyTree, length: int
    ) -> tuple[State, Any]:
        """Run `step` over the leading axis of `inputs`."""


class Plain(AbstractMemory):
    """Keep everything that every step computed."""

    def scan(
        self, step: Step[State], state: State, inputs: PyTree, length: int
    ) -> tuple[State, Any]:
        return jax.lax.scan(step, state, inputs, length)


class Solved(AbstractMemory):
    """Keep the state before every step, and what solvers asked to `keep` in it."""

    def scan(
        self, step: Step[State], state: State, inputs: PyTree, length: int
    ) -> tuple[State, Any]:
        policy = jax.checkpoint_policies.save_only_these_names(_KEPT)
        lean = jax.checkpoint(step, prevent_cse=False, policy=policy)
        return jax.lax.scan(lean, state, inputs, length)


class Remat(AbstractMemory):
    """Keep the state before every step."""

    def scan(
        self, step: Step[State], state: State, inputs: PyTree, length: int
    ) -> tuple[State, Any]:
        # Inside a scan the compiler cannot merge the second computation with the first, so the
        # barriers against that would only cost time.
        return jax.lax.scan(jax.checkpoint(step, prevent_cse=False), state, inputs, length)


class Nested(AbstractMemory):
    """Keep the state before every chunk of steps, and within one chunk before every step.

    Attributes:
        chunk: steps per chunk; √T, rounded up, when `None`. The last chunk is shorter where T is
            not a multiple, so no step is padded.
    """

    chunk: int | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        if self.chunk is not None and self.chunk < 1:
            raise InputError(f"a chunk needs at least one step, got {self.chunk}")

    def scan(
        self, step: Step[State], state: State, inputs: PyTree, length: int
    ) -> tuple[State, Any]:
        chunk = min(self.chunk or math.isqrt(max(length - 1, 0)) + 1, max(length, 1))
        count = length // chunk
        whole = count * chunk

        def run(state: State, inputs: PyTree, length: int) -> tuple[State, Any]:
            return Remat().scan(step, state, inputs, length)

        one_chunk = jax.checkpoint(partial(run, length=chunk), prevent_cse=False)
        chunks = jax.tree.map(lambda x: x[:whole].reshape(count, chunk, *x.shape[1:]), inputs)
        state, outputs = jax.lax.scan(one_chunk, state, chunks, count)
        outputs = jax.tree.map(lambda x: x.reshape(whole, *x.shape[2:]), outputs)
        if whole == length:
            return state, outputs
        # The remainder comes first on the way back, and is shorter than a chunk: what it keeps is
        # gone before the first chunk needs as much, so the peak gains nothing from a checkpoint.
        rest = jax.tree.map(lambda x: x[whole:], inputs)
        state, tail = run(state, rest, length - whole)
        return state, jax.tree.map(lambda a, b: jnp.concatenate([a, b]), outputs, tail)


PLAIN = Plain()
SOLVED = Solved()
REMAT = Remat()
NESTED = Nested()


def keep(results: PyTree) -> PyTree:
    """Mark what a solver needs for its gradient, so that `SOLVED` keeps it: solving is dear."""
    return checkpoint_name(results, _KEPT)


def timeloop(
    step: Step[State],
    state: State,
    inputs: PyTree = None,
    *,
    length: int | None = None,
    memory: AbstractMemory = PLAIN,
) -> tuple[State, Any]:
    """Run `state, output = step(state, input)` through time.

    >>> timeloop(lambda s, rain: (s + rain, s), 0.0, jnp.arange(4.0))[0].item()
    6.0

    Args:
        step: returns a state of the same structure, shapes and types as it was given.
        state: the state before the first step.
        inputs: a tree of arrays that all have time first; `None` with a `length` for none.
        length: number of steps, needed where there are no inputs, checked against them otherwise.
        memory: `PLAIN`, `SOLVED`, `REMAT`, `NESTED` or `Nested(chunk)`.

    Returns:
        The last state, and the outputs stacked along time.
    """
    return memory.scan(step, state, inputs, _steps(inputs, length))


def _steps(inputs: PyTree, length: int | None) -> int:
    lengths: dict[str, int] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(inputs):
        name = f"inputs{jax.tree_util.keystr(path)}"
        if not isinstance(leaf, jax.Array | np.ndarray) or leaf.ndim == 0:
            raise InputError(f"{name} has no time axis: it is {leaf!r}; broadcast it or close over")
        lengths[name] = leaf.shape[0]
    if not lengths and length is None:
        raise InputError("a time loop needs inputs or a length")
    expected = next(iter(lengths.values())) if length is None else length
    wrong = [f"{name} has {steps}" for name, steps in lengths.items() if steps != expected]
    if wrong:
        first = "length" if length is not None else next(iter(lengths))
        raise InputError(f"{first} says {expected} steps, but {', '.join(wrong)}")
    return expected
