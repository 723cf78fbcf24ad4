"""Water contents within their bounds: what a layer cannot hold, or must not lose, passed on."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from diffhydro.typing import Array

THETA_MIN = 0.01  # m³/m³


class Kept(NamedTuple):
    """What keeps water contents within bounds, and where it had to."""

    shift: Array  # to be added to every layer, m³/m³
    excess: Array  # mm, out of the first layer
    lack: Array  # mm, taken from the drainage
    full: Array
    dry: Array


def keep_within(theta: Array, most: Array, thickness: Array) -> Kept:
    """Pass what is too much upward, then what is too little downward."""

    def up(excess, row):
        theta, most, size = row
        water = theta + excess / size
        above = jnp.maximum(water - most, 0.0)
        return above * size, (excess / size - above, jnp.minimum(water, most), water > most)

    def down(lack, row):
        theta, size = row
        water = theta - lack / size
        below = jnp.maximum(THETA_MIN - water, 0.0)
        return below * size, (below - lack / size, water < THETA_MIN)

    none = jnp.zeros_like(theta[0])
    excess, (first, theta, full) = lax.scan(up, none, (theta, most, thickness), reverse=True)
    lack, (second, dry) = lax.scan(down, none, (theta, thickness))
    return Kept(first + second, excess, lack, full, dry)


def bounds_ahead(
    theta_dot: Array, most_dot: Array, kept: Kept, thickness: Array
) -> tuple[Array, Array, Array]:
    """Push θ̇, and that of the upper bound, through `keep_within`.

    Returns:
        Tangents of the water contents within their bounds, of the excess and of the lack.
    """

    def up(excess_dot, row):
        dot, most, full, size = row
        water = dot + excess_dot / size
        return jnp.where(full, (water - most) * size, 0.0), jnp.where(full, most, water)

    def down(lack_dot, row):
        dot, dry, size = row
        water = dot - lack_dot / size
        return jnp.where(dry, -water * size, 0.0), jnp.where(dry, 0.0, water)

    none = jnp.zeros_like(theta_dot[0])
    rows = theta_dot, most_dot, kept.full, thickness
    excess_dot, theta_dot = lax.scan(up, none, rows, reverse=True)
    lack_dot, theta_dot = lax.scan(down, none, (theta_dot, kept.dry, thickness))
    return theta_dot, excess_dot, lack_dot


def bounds_back(
    theta_bar: Array, drainage_bar: Array, out_bar: Array, kept: Kept, thickness: Array
) -> tuple[Array, Array]:
    """Pull θ̄ back through `keep_within`; also give what belongs to the upper bound."""

    def undo_down(lack_bar, row):
        bar, dry, size = row
        bar = jnp.where(dry, -lack_bar * size, bar)
        return -bar / size, bar

    def undo_up(excess_bar, row):
        bar, full, size = row
        back = jnp.where(full, excess_bar * size, bar)
        return back / size, (back, jnp.where(full, bar - excess_bar * size, 0.0))

    _, bar = lax.scan(undo_down, -drainage_bar, (theta_bar, kept.dry, thickness), reverse=True)
    _, (bar, most_bar) = lax.scan(undo_up, out_bar, (bar, kept.full, thickness))
    return bar, most_bar
