"""Roots of scalar equations, element by element: bounded Newton with an implicit gradient.

The iterations are never differentiated. At the root of f(x, p) = 0 the derivative is
dx/dp = −f_p/f_x; one more Newton step with x held and p live has exactly that derivative, in
forward and in reverse mode.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.typing import Array, Float

_ROUNDINGS = 16.0  # of x: where Newton cannot do better


class Root(eqx.Module):
    """A root, and whether it is one."""

    value: Float[Array, "..."]
    converged: Array
    iterations: Array


def root(
    function: Callable[..., Array],
    guess: Float[Array, "..."],
    *parameters: Any,
    lower: Float[Array, "..."],
    upper: Float[Array, "..."],
    iterations: int = 30,
) -> Root:
    """Find x between `lower` and `upper` with function(x, *parameters) = 0, element by element.

    Newton where it stays inside the bracket, bisection where it does not; the function must rise or
    fall through the bracket. Where it has the same sign at both ends, `converged` is False and the
    value is the last iterate.

    >>> import jax.numpy as jnp
    >>> found = root(lambda x, a: x * x - a, jnp.ones(1), jnp.asarray([2.0]),
    ...              lower=jnp.zeros(1), upper=jnp.full(1, 2.0))
    >>> round(float(found.value[0]), 6), bool(found.converged[0])
    (1.414214, True)
    """
    held = lax.stop_gradient(parameters)
    low, high, start = lax.stop_gradient((lower, upper, guess))
    low, high = jnp.broadcast_to(low, start.shape), jnp.broadcast_to(high, start.shape)

    def slope_and_value(x: Array) -> tuple[Array, Array]:
        return jax.jvp(lambda y: function(y, *held), (x,), (jnp.ones_like(x),))

    rises = function(high, *held) > function(low, *held)
    bracketed = (function(high, *held) > 0) != (function(low, *held) > 0)

    def unfinished(carry):
        _, _, _, done, count = carry
        return (count < iterations) & ~jnp.all(done)

    def improve(carry):
        x, low, high, done, count = carry
        value, slope = slope_and_value(x)
        above = (value > 0) == rises
        low, high = jnp.where(above, low, x), jnp.where(above, x, high)
        newton = x - value / jnp.where(slope == 0, 1.0, slope)
        inside = (newton >= low) & (newton <= high) & (slope != 0)
        new = jnp.where(inside, newton, 0.5 * (low + high))
        new = jnp.where(value == 0, x, new)
        fine = jnp.abs(new - x) <= _ROUNDINGS * jnp.finfo(x.dtype).eps * (jnp.abs(x) + jnp.abs(new))
        return jnp.where(done, x, new), low, high, done | fine, count + 1

    begun = (start, low, high, jnp.zeros(start.shape, bool), jnp.zeros((), jnp.int32))
    x, _, _, done, count = lax.while_loop(unfinished, improve, begun)
    x = lax.stop_gradient(x)
    _, slope = slope_and_value(x)
    safe = jnp.where(slope == 0, 1.0, lax.stop_gradient(slope))
    return Root(x - _tangent_only(function(x, *parameters)) / safe, done & bracketed, count)


def _tangent_only(value: Array) -> Array:
    """Zero in value, unchanged in derivative: the root itself must not move again."""
    return value - lax.stop_gradient(value)
