"""Any scalar of free numbers, brought to its minimum: for objectives that are written by hand."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from diffhydro.core.trainable import Free
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float


class Minimum(NamedTuple):
    """Where a search ended.

    Attributes:
        free: The place.
        loss: There.
        course: The loss by step; NaN after the end.
        converged: Whether the gain fell below the tolerance before the steps ran out.
    """

    free: Free
    loss: Float[Array, ""]
    course: Float[Array, " step"]
    converged: Array


def minimise(
    misfit: Callable[[Free], Array], free: Free, *, steps: int = 100, tolerance: float = 1e-6
) -> Minimum:
    """Follow L-BFGS with a line search downhill.

    >>> found = minimise(lambda f: (f.parameters["x"] - 2.0) ** 2, Free({"x": jnp.zeros(())}, {}))
    >>> round(float(found.free.parameters["x"]), 3), bool(found.converged)
    (2.0, True)

    Args:
        misfit: A differentiable scalar of free numbers.
        free: Where to start, such as the first part of a `split`.
        steps: At most.
        tolerance: A step that gains less than this share of the loss is the last.
    """
    start = misfit(free)
    if jnp.shape(start) != () or not bool(jnp.isfinite(start)):
        raise InputError(f"the misfit at the start is {start}; expected one finite number")
    # The line search of optax mixes integers, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"):
        return _run(misfit, free, steps, tolerance)


@eqx.filter_jit
def _run(misfit: Callable[[Free], Array], free: Free, steps: int, tolerance: float) -> Minimum:
    optimizer = optax.lbfgs()
    evaluate = optax.value_and_grad_from_state(misfit)

    def goes_on(carry: tuple) -> Array:
        _, _, count, course, gain = carry
        # Before the first step the course holds no number yet, and the gain is infinite.
        last = jnp.nan_to_num(course[count - 1])
        return (count < steps) & (gain > tolerance * jnp.abs(last))

    def step(carry: Any) -> Any:
        free, state, count, course, _ = carry
        loss, slope = evaluate(free, state=state)
        loss = jnp.asarray(loss)
        move, state = optimizer.update(slope, state, free, value=loss, grad=slope, value_fn=misfit)
        after = optax.tree.get(state, "value")
        # A line search that finds nothing leaves an infinite value: it gained nothing.
        gain = jnp.where(jnp.isfinite(after), loss - after, 0.0).astype(course.dtype)
        moved: Any = optax.apply_updates(free, move)
        return moved, state, count + 1, course.at[count].set(loss), gain

    first = jax.eval_shape(misfit, free)
    course = jnp.full(steps, jnp.nan, first.dtype)
    gain = jnp.asarray(jnp.inf, first.dtype)
    anything: Any = free
    begin = (free, optimizer.init(anything), 0, course, gain)
    free, _, count, course, _ = jax.lax.while_loop(goes_on, step, begin)
    return Minimum(free, misfit(free), course, count < steps)
