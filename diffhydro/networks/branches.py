"""A memory for what was and a plain branch for what is, joined by a linear layer.

    y = V [h_k, a(P)] + d,      h_k the last state of a memory that read the window

(Xi et al. 2025; Xi & Zhuang 2026.)
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from diffhydro.networks.lstm import Recurrence, time_first
from diffhydro.networks.recurrence import AbstractArrangement, ByPlatform
from diffhydro.typing import Array, Float


class TwoBranches(nn.Module):
    """`[..., time, feature]` of a window and `[..., feature]` of today to `[..., out]`.

    >>> import jax
    >>> from diffhydro.networks.head import FlaxHead
    >>> network = TwoBranches(hidden=8, widths=(6,))
    >>> head = FlaxHead.create(network, jnp.zeros((9, 4)), jnp.zeros(10), key=jax.random.key(0))
    >>> head(jnp.ones((3, 9, 4)), jnp.ones((3, 10))).shape
    (3, 1)

    Args:
        hidden: Width of the memory.
        widths: Of the layers of the plain branch.
        dropout: Share of what the branches say that is left out while training.
    """

    hidden: int
    widths: tuple[int, ...]
    out: int = 1
    activation: Callable[[Array], Array] = nn.gelu
    dropout: float = 0.0
    arrangement: AbstractArrangement = ByPlatform()

    @nn.compact
    def __call__(
        self, window: Float[Array, "... time feature"], today: Float[Array, "... feature"]
    ) -> Float[Array, "... out"]:
        still = not self.has_rng("dropout")
        series, leading = time_first(window)
        memory = Recurrence(self.hidden, every_time=False, arrangement=self.arrangement)
        past = memory(series)[0].reshape(*leading, self.hidden)
        for width in self.widths:
            today = self.activation(nn.Dense(width)(today))
        joined = jnp.concatenate([past, today], axis=-1)
        return nn.Dense(self.out)(nn.Dropout(self.dropout, deterministic=still)(joined))
