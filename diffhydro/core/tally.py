"""Sums that do not lose small additions: thousands of tiny steps into one float32."""

from typing import NamedTuple

import jax.numpy as jnp

from diffhydro.typing import Array


class Tally(NamedTuple):
    """A running sum and the part of it that its dtype cannot show (Kahan 1965, two-sum).

    An addition is as exact as the amount added; the sum is not rounded on top of that.

    >>> tally = Tally.of(jnp.float32(1.0))
    >>> for _ in range(1000):
    ...     tally = tally.plus(jnp.float32(1e-8))
    >>> float(tally.value) > 1.0
    True
    """

    value: Array
    crumbs: Array

    @classmethod
    def of(cls, value: Array) -> "Tally":
        """Start from `value`."""
        return cls(value, jnp.zeros_like(value))

    def plus(self, amount: Array) -> "Tally":
        """Add `amount`; what rounding drops is kept for the next time."""
        amount = amount + self.crumbs
        total = self.value + amount
        taken = total - self.value
        return Tally(total, (self.value - (total - taken)) + (amount - taken))
