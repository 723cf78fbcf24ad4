"""The vendor's own kernel for the recurrence, where there is one.

The kernel wants all weights in one vector: W by gate and feature, U by gate and hidden, and two
biases, of which ours is one.
"""

import dataclasses
from typing import Any

import jax.numpy as jnp

from diffhydro.networks.recurrence import HOISTED, AbstractArrangement, Carry, Weights
from diffhydro.typing import Array, Float


@dataclasses.dataclass(frozen=True)
class Fused(AbstractArrangement):
    """cuDNN's kernel on Nvidia's GPUs in float32; elsewhere, and for masks, what is named.

    The kernel cannot be mapped over members with weights of their own, and has no forward mode:
    for an ensemble loop over members.
    """

    otherwise: AbstractArrangement = HOISTED

    def __call__(
        self,
        weights: Weights,
        x: Float[Array, "time batch feature"],
        carry: Carry,
        mask: Float[Array, "batch hidden"] | None = None,
    ) -> tuple[Float[Array, "time batch hidden"], Carry]:
        if mask is not None or x.dtype != jnp.float32 or not kernel_is_there():
            return self.otherwise(weights, x, carry, mask)
        # Imported late: an experimental module, which needs no GPU to exist but one to be used.
        from jax.experimental import rnn

        time, batch, features = x.shape
        found: Any = rnn.lstm(
            jnp.swapaxes(x, 0, 1),
            carry.hidden[None],
            carry.cell[None],
            packed(weights),
            jnp.full(batch, time, jnp.int32),
            features,
            weights.state.shape[0],
            1,
            0.0,
            False,
        )
        h, hidden, cell = found
        return jnp.swapaxes(h, 0, 1), Carry(hidden[0], cell[0])


def kernel_is_there() -> bool:
    """Tell whether programs run where the kernel is."""
    from jax.extend.backend import get_backend

    return "cuda" in get_backend().platform_version.lower()


def packed(weights: Weights) -> Float[Array, " weight"]:
    """Return the weights as the kernel wants them."""
    parts = weights.inputs.T, weights.state.T, weights.bias, jnp.zeros_like(weights.bias)
    return jnp.concatenate([part.ravel() for part in parts])
