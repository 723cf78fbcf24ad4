"""Normalisation that has no memory, in place of batch normalisation.

    y = s (x − mean x)/√(var x + ε) + b

Mean and variance are of one sample, over its channels or over its whole map, and never of a batch
or of the past: what a network says of a sample does not depend on the others (Ba et al. 2016).
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from diffhydro.networks.recurrence import state_type
from diffhydro.typing import Array, Float

_LEAST = 1e-5  # ε: a variance, of values that weights have brought near one


class Normalise(nn.Module):
    """Zero mean and unit variance over the last axes, then a scale and a shift by channel.

    Args:
        over: Number of axes: 1 for the channels of a pixel, so that nothing depends on what is
            far away; 3 for a whole map, so that more of what few channels say survives.
    """

    over: int = 1

    @nn.compact
    def __call__(self, x: Float[Array, "... channel"]) -> Float[Array, "... channel"]:
        wide = x.astype(state_type(x.dtype))
        axes = tuple(range(-self.over, 0))
        off = wide - jnp.mean(wide, axis=axes, keepdims=True)
        unit = off * lax.rsqrt(jnp.mean(off**2, axis=axes, keepdims=True) + _LEAST)
        aligned = (1,) * (x.ndim - 1) + (-1,)
        scale = self.param("scale", nn.initializers.ones, (x.shape[-1],), jnp.float32)
        shift = self.param("shift", nn.initializers.zeros, (x.shape[-1],), jnp.float32)
        return unit.astype(x.dtype) * scale.reshape(aligned) + shift.reshape(aligned)
