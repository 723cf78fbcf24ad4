"""A line on which every place is a physical amount: straight between the bounds, bent near them.

    x = l + w [s((z − l)/w) − s((z − u)/w)],    s(a) = ln(1 + eᵃ)

with bounds l and u and the width w over which the line bends; one bound missing drops its term,
and without bounds x = z. As w shrinks this is a clip, and as it grows, a logit. With a w of a
fiftieth of the range a step in z is the same step in x nearly everywhere, so that a standard
deviation means what it says, and no step leaves the bounds. (A change of variable of this kind is
an anamorphosis, Bertino, Evensen & Wackernagel 2003.)
"""

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.typing import Array, Float

MARGIN = 0.01  # of the width: the least distance from a bound at which a place is looked up


class SoftBounds(eqx.Module):
    """Between amounts and places on the line.

    >>> half = SoftBounds(0.0, 0.4, 0.01)
    >>> [round(float(half.amount(jnp.asarray(z))), 4) for z in (-1.0, 0.2, 0.3, 2.0)]
    [0.0, 0.2, 0.3, 0.4]

    Args:
        lower: Least amount; None for none.
        upper: Most; None for none.
        width: Over which the line bends, in the unit of the amount.
    """

    lower: Float[Array, "..."] | float | None
    upper: Float[Array, "..."] | float | None
    width: Float[Array, "..."] | float

    def amount(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return the amount at a place."""
        lower, upper, width = self._of(z)
        if lower is not None and upper is not None:
            above = jax.nn.softplus((z - lower) / width) - jax.nn.softplus((z - upper) / width)
            return lower + width * above
        if lower is not None:
            return lower + width * jax.nn.softplus((z - lower) / width)
        if upper is not None:
            return upper - width * jax.nn.softplus((upper - z) / width)
        return z

    def place(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return the place of an amount; one on a bound, or beyond, has that of the margin."""
        lower, upper, width = self._of(x)
        x = self.inside(x)
        if lower is not None and upper is not None:
            below = jnp.log(-jnp.expm1((x - upper) / width))
            return x + width * (jnp.log(-jnp.expm1((lower - x) / width)) - below)
        if lower is not None:
            return x + width * jnp.log(-jnp.expm1((lower - x) / width))
        if upper is not None:
            return x - width * jnp.log(-jnp.expm1((x - upper) / width))
        return x

    def inside(self, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return the amount, or the nearest that is a margin away from the bounds."""
        lower, upper, width = self._of(x)
        # Hard limits: an amount at its bound has no place, and the margin is far below any error.
        x = x if lower is None else jnp.maximum(x, lower + MARGIN * width)
        return x if upper is None else jnp.minimum(x, upper - MARGIN * width)

    def moved(self, x: Float[Array, "..."], step: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return the amount a step away along the line; a step of zero leaves all bits."""
        lower, upper, _ = self._of(x)
        start = self.place(x)
        x = self.inside(x) + (self.amount(start + step) - self.amount(start))
        # Only against rounding: the line itself ends at the bounds.
        x = x if lower is None else jnp.maximum(x, lower)
        return x if upper is None else jnp.minimum(x, upper)

    def _of(self, like: Array) -> tuple[Array | None, Array | None, Array]:
        """Return the numbers in the floating type of an array."""

        def typed(x: Array | float) -> Array:
            return jnp.broadcast_to(jnp.asarray(x, like.dtype), like.shape)

        lower = None if self.lower is None else typed(self.lower)
        return lower, None if self.upper is None else typed(self.upper), typed(self.width)
