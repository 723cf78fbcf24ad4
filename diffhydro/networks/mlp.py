"""Fully connected layers.

The last layer begins small: a head that moves parameters begins at the physics it was given.
"""

from collections.abc import Callable

import flax.linen as nn

from diffhydro.typing import Array, Float


class Mlp(nn.Module):
    """`[..., feature]` to `[..., out]`.

    Args:
        hidden: Widths of the hidden layers.
        out: Number of outputs.
        dropout: Share of hidden values left out while training.
        start: Standard deviation of the first outputs, near enough, for standardised inputs.
    """

    hidden: tuple[int, ...]
    out: int
    activation: Callable[[Array], Array] = nn.gelu
    dropout: float = 0.0
    start: float = 1.0

    @nn.compact
    def __call__(self, x: Float[Array, "... feature"]) -> Float[Array, "... out"]:
        still = not self.has_rng("dropout")
        for width in self.hidden:
            x = self.activation(nn.Dense(width)(x))
            x = nn.Dropout(self.dropout, deterministic=still)(x)
        first = nn.initializers.variance_scaling(self.start**2, "fan_in", "truncated_normal")
        return nn.Dense(self.out, kernel_init=first)(x)
