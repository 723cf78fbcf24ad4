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
    search = _Search(cost, stop, terms)
    first = search.begin(start)
    enough = _share(stop.gradient, start.dtype, 1 / 2) * first.gradients[0]

    def goes_on(now: _Walk) -> Array:
        return ~now.converged & ~now.stuck & (now.steps < stop.iterations)

    end = lax.while_loop(goes_on, lambda now: search.advance(now, enough), first)
    return Minimum(end.place, end.history, end.gradients, end.steps, end.converged)


class _Search(NamedTuple):
    """One step after the other."""

    cost: Callable[[Vector], Array]
    stop: Stop
    terms: Callable[[Vector, Array], Array]

    def begin(self, start: Vector) -> _Walk:
        """Evaluate once."""
        value, gradient = jax.value_and_grad(self.cost)(start)
        with jax.numpy_dtype_promotion("standard"):
            remembered = _lbfgs(self.stop).init(start)
        none = jnp.full((self.stop.iterations + 1,), jnp.nan, start.dtype)
        shown, size = self.terms(start, value), jnp.linalg.norm(gradient)
        history = jnp.broadcast_to(none[:, None], (none.size, shown.size))
        return _Walk(
            place=start,
            optimizer=remembered,
            value=value,
            gradient=gradient,
            history=history.at[0].set(shown),
            gradients=none.at[0].set(size),
            steps=jnp.zeros((), jnp.int32),
            converged=size == 0,
            stuck=~jnp.isfinite(value),
        )

    def advance(self, now: _Walk, enough: Array) -> _Walk:
        """Take a step, unless it leads to a larger cost."""
        step, memory = self._step(now)
        place, (value, gradient) = now.place + step, _at_end(memory)
        steps, size = now.steps + 1, jnp.linalg.norm(gradient)
        least = _share(self.stop.gain, value.dtype, 2 / 3) * jnp.abs(now.value)
        taken = _Walk(
            place=place,
            optimizer=memory,
            value=value,
            gradient=gradient,
            history=now.history.at[steps].set(self.terms(place, value)),
            gradients=now.gradients.at[steps].set(size),
            steps=steps,
            converged=(size <= enough) | (now.value - value <= least),
            stuck=jnp.asarray(False),
        )
        refused = now._replace(stuck=jnp.asarray(True), converged=_rounding(now.value, value))
        # A line search that finds nothing better stays where it is, or steps to worse.
        worse = ~(value <= now.value)
        return jax.tree.map(lambda a, b: jnp.where(worse, a, b), refused, taken)

    def _step(self, now: _Walk) -> tuple[Vector, Any]:
        # Optax mixes floats with the integers of its counters.
        with jax.numpy_dtype_promotion("standard"):
            return _lbfgs(self.stop).update(
                now.gradient,
                now.optimizer,
                now.place,
                value=now.value,
                grad=now.gradient,
                value_fn=self.cost,
            )


def _share(given: float | None, dtype: Any, power: float) -> float:
    return tolerance(dtype, factor=1.0, power=power) if given is None else given


def _rounding(before: Array, after: Array) -> Array:
    """Tell whether a step to worse is worse by rounding only: the cost has no digits left."""
    return jnp.abs(after - before) <= tolerance(after.dtype) * jnp.abs(before)


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
