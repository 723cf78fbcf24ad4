"""Downhill to the minimum of a cost: L-BFGS (Liu & Nocedal 1989) in one compiled loop.

Steps are found by the zoom line search (Nocedal & Wright 2006, algorithms 3.5 and 3.6). The search
has converged when the gradient has fallen to a share of what it was at the start, or when a step
gains less than a share of the cost.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.precision import tolerance
from diffhydro.errors import InputError
from diffhydro.typing import Array, Bool, Float, Int

Vector = Float[Array, " entry"]


class Stop(eqx.Module):
    """When a search ends.

    Args:
        gradient: Share of the first gradient's norm; ε^½ of the floating type when None.
        gain: Share of the cost that a step must gain; ε^⅔ when None.
        iterations: Most steps.
        tries: Most evaluations in a line search.
        memory: Pairs of steps and gradients that L-BFGS keeps.
    """

    gradient: float | None = eqx.field(static=True, default=None)
    gain: float | None = eqx.field(static=True, default=None)
    iterations: int = eqx.field(static=True, default=100)
    tries: int = eqx.field(static=True, default=20)
    memory: int = eqx.field(static=True, default=10)

    def __check_init__(self) -> None:
        if min(self.iterations, self.tries, self.memory) < 1:
            raise InputError("iterations, tries and memory of a Stop are 1 or more")


class Minimum(NamedTuple):
    """Where a search ended, and how.

    Attributes:
        place: The vector.
        history: Terms of the cost at the start and after every step; NaN after the last.
        gradients: Norm of the gradient at the same places.
        iterations: Steps.
        converged: Whether the search ended by itself.
    """

    place: Vector
    history: Float[Array, "iteration term"]
    gradients: Float[Array, " iteration"]
    iterations: Int[Array, ""]
    converged: Bool[Array, ""]


class _Walk(NamedTuple):
    place: Vector
    optimizer: Any
    value: Float[Array, ""]
    gradient: Vector
    history: Array
    gradients: Array
    steps: Int[Array, ""]
    converged: Bool[Array, ""]
    stuck: Bool[Array, ""]


def minimise(
    cost: Callable[[Vector], Array],
    start: Vector,
    stop: Stop,
    terms: Callable[[Vector, Array], Array],
) -> Minimum:
    """Search from a place.

    Args:
        cost: A differentiable function.
        start: Where to begin.
        stop: When to end.
        terms: What the history keeps of a place and its cost.
    """
    least, gain = _shares(stop, start.dtype)
    first_value, first = jax.value_and_grad(cost)(start)
    enough = least * jnp.linalg.norm(first)
    optimizer = _lbfgs(stop)

    def advance(now: _Walk) -> _Walk:
        # Optax mixes floats with the integers of its counters.
        with jax.numpy_dtype_promotion("standard"):
            step, memory = optimizer.update(
                now.gradient,
                now.optimizer,
                now.place,
                value=now.value,
                grad=now.gradient,
                value_fn=cost,
            )
        place = now.place + step
        value, gradient = _at_end(memory)
        steps, size = now.steps + 1, jnp.linalg.norm(gradient)
        small = now.value - value <= gain * jnp.abs(now.value)
        # A line search that finds nothing better stays where it is, or steps to worse.
        worse = ~(value <= now.value)
        kept = _Walk(
            place,
            memory,
            value,
            gradient,
            now.history.at[steps].set(terms(place, value)),
            now.gradients.at[steps].set(size),
            steps,
            (size <= enough) | (small & ~worse),
            jnp.asarray(False),
        )
        refused = now._replace(stuck=jnp.asarray(True), converged=_rounding(now, value))
        return jax.tree.map(lambda a, b: jnp.where(worse, a, b), refused, kept)

    def goes_on(now: _Walk) -> Array:
        return ~now.converged & ~now.stuck & (now.steps < stop.iterations)

    with jax.numpy_dtype_promotion("standard"):
        remembered = optimizer.init(start)
    none = jnp.full((stop.iterations + 1,), jnp.nan, start.dtype)
    shown = terms(start, first_value)
    norm = jnp.linalg.norm(first)
    walk = _Walk(
        start,
        remembered,
        first_value,
        first,
        jnp.full((stop.iterations + 1, *shown.shape), jnp.nan, shown.dtype).at[0].set(shown),
        none.at[0].set(norm),
        jnp.zeros((), jnp.int32),
        norm == 0,
        ~jnp.isfinite(first_value),
    )
    end = lax.while_loop(goes_on, advance, walk)
    return Minimum(end.place, end.history, end.gradients, end.steps, end.converged)


def _shares(stop: Stop, dtype: Any) -> tuple[float, float]:
    gradient = tolerance(dtype, factor=1.0, power=1 / 2) if stop.gradient is None else stop.gradient
    return gradient, tolerance(dtype, factor=1.0, power=2 / 3) if stop.gain is None else stop.gain


def _rounding(now: _Walk, value: Array) -> Array:
    """Tell whether a step to worse is worse by rounding only: the cost has no digits left."""
    return jnp.abs(value - now.value) <= tolerance(value.dtype) * jnp.abs(now.value)


def _lbfgs(stop: Stop) -> Any:
    import optax

    return optax.lbfgs(
        memory_size=stop.memory,
        linesearch=optax.scale_by_zoom_linesearch(
            max_linesearch_steps=stop.tries, initial_guess_strategy="one"
        ),
    )


def _at_end(memory: Any) -> tuple[Array, Array]:
    """Return cost and gradient where the line search ended."""
    import optax

    return optax.tree.get(memory, "value"), optax.tree.get(memory, "grad")
