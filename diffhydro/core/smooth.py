"""Smooth maximum, minimum, step and cap, with one convention for how smooth.

`width` is the length, in units of the argument, over which a kink is rounded. Half of it lies on
either side; beyond it the result is the hard one, exactly. With h = width / 2 and t = x / h:

    relu(x) = h (1 + t)³ (3 − t) / 16,     step(x) = relu′(x) = (1 + t)² (2 − t) / 4,     |t| < 1.

Curvature is continuous, and at the kink the rounded form lies 3/32 of the width from the hard one,
its greatest distance. Compact support is chosen over softplus because where no water moves it
keeps zero exactly zero, and because it costs no exponential. A width of zero is the hard form, as
is any width below √tiny of the dtype, whose powers a float cannot hold. All gradients are finite.
"""

import jax.numpy as jnp

from diffhydro.typing import Array, ArrayLike, Float


def relu(x: Float[ArrayLike, "..."], *, width: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Return max(x, 0), rounded upward."""
    x = jnp.asarray(x)
    inside, h, t = _scaled(x, width)
    return jnp.where(inside, h * _rounded(t), jnp.maximum(x, 0.0))


def step(x: Float[ArrayLike, "..."], *, width: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
    """Return 0 below zero and 1 above, the slope of `relu`; 1/2 at zero."""
    x = jnp.asarray(x)
    inside, _, t = _scaled(x, width)
    hard = jnp.where(x > 0, 1.0, jnp.where(x < 0, 0.0, 0.5)).astype(t.dtype)
    return jnp.where(inside, (1.0 + t) ** 2 * (2.0 - t) / 4.0, hard)


def maximum(
    x: Float[ArrayLike, "..."], y: Float[ArrayLike, "..."], *, width: Float[ArrayLike, "..."]
) -> Float[Array, "..."]:
    """Return max(x, y), rounded upward."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    inside, h, t = _scaled(x - y, width)
    return jnp.where(inside, y + h * _rounded(t), jnp.maximum(x, y))


def minimum(
    x: Float[ArrayLike, "..."], y: Float[ArrayLike, "..."], *, width: Float[ArrayLike, "..."]
) -> Float[Array, "..."]:
    """Return min(x, y), rounded downward."""
    return -maximum(-jnp.asarray(x), -jnp.asarray(y), width=width)


def cap(
    x: Float[ArrayLike, "..."], limit: Float[ArrayLike, "..."], *, width: Float[ArrayLike, "..."]
) -> Float[Array, "..."]:
    """Return what of a demand x a supply can meet: never above the limit, never below zero.

    `minimum` rounds downward, so where both are near zero it would ask for negative water. Here the
    half width h shrinks with the supply, to h·limit / (limit + h) < limit. Therefore
    cap(x, limit) = x for every x ≤ 0, cap(x, 0) = 0 for every x ≥ 0, and a negative limit is
    imposed hard.
    """
    x, limit, width = jnp.asarray(x), jnp.asarray(limit), jnp.asarray(width)
    supply = jnp.maximum(limit, 0.0)
    h = 0.5 * width
    total = supply + h
    has_room = total > _smallest(total)
    share = jnp.where(has_room, supply, 0.0) / jnp.where(has_room, total, 1.0)
    return minimum(x, limit, width=width * share)


def _scaled(x: Array, width: Float[ArrayLike, "..."]) -> tuple[Array, Array, Array]:
    """Return whether x lies inside the rounding, the half width there, and x by the half width.

    Outside, x is replaced by 0 and h by 1 before the division, so that neither its value nor its
    gradient can overflow in the branch that is not taken.
    """
    h = 0.5 * jnp.asarray(width)
    inside = (jnp.abs(x) < h) & (h > _smallest(x))
    h = jnp.where(inside, h, 1.0)
    return inside, h, jnp.where(inside, x, 0.0) / h


def _smallest(x: Array) -> float:
    return float(jnp.finfo(x.dtype).tiny) ** 0.5


def _rounded(t: Array) -> Array:
    return (1.0 + t) ** 3 * (3.0 - t) / 16.0
