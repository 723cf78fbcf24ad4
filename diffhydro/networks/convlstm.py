"""Convolutional long short-term memory with peepholes: maps of some days in, one map out.

    z = W ∗ x_t + U ∗ h_{t−1} + b
    i, f = σ(z_i + p_i c_{t−1}), σ(z_f + p_f c_{t−1}),      c_t = f c_{t−1} + i tanh(z_g)
    o = σ(z_o + p_o c_t),                                   h_t = o tanh(c_t)

(Shi et al. 2015, eq. 3). There the peephole weights p have a value for every pixel; here for every
channel, so that a network fits tiles of any size and does not know where in a tile a pixel lies.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.networks.norm import Normalise
from diffhydro.networks.recurrence import state_type
from diffhydro.typing import Array, Float

# Inside a loop XLA:CPU convolves 25 times slower than outside: few times are written out, and for
# many the convolution is a product.
_UNROLLED = 8


class ConvLstmLayer(nn.Module):
    """States of all times, `[time, batch, y, x, feature]` to `[time, batch, y, x, filter]`.

    Args:
        kernel: Side of both convolutions; odd.
        forget_bias: At the start: what is known is kept, until training says otherwise.
    """

    filters: int
    kernel: int = 3
    forget_bias: float = 1.0

    @nn.compact
    def __call__(
        self, x: Float[Array, "time batch y x feature"]
    ) -> Float[Array, "time batch y x filter"]:
        window, width = (self.kernel, self.kernel), self.filters
        fan = nn.initializers.variance_scaling(1.0, "fan_in", "uniform")
        into = self.param("inputs", fan, (*window, x.shape[-1], 4 * width), jnp.float32)
        again = self.param("state", fan, (*window, width, 4 * width), jnp.float32)
        bias = self.param("bias", self._bias, (4 * width,))
        peepholes = self.param("peepholes", nn.initializers.zeros, (3, width), jnp.float32)
        kind = state_type(x.dtype)

        # Inputs of all times at once: the product is large enough as it is.
        together = _convolved(x.reshape(-1, *x.shape[2:]), into).astype(kind)
        z = together.reshape(*x.shape[:2], *together.shape[1:])
        z = z + bias.astype(kind).reshape(1, 1, 1, 1, -1)
        peep = peepholes.astype(kind).reshape(3, 1, 1, 1, -1)

        times = z.shape[0]
        convolved = _convolved if times <= _UNROLLED else _gathered

        def step(state: tuple[Array, Array], z: Array) -> tuple[tuple[Array, Array], Array]:
            h, c = state
            state = _advanced(z + convolved(h.astype(x.dtype), again).astype(kind), c, peep)
            return state, state[0].astype(x.dtype)

        # Before the first time there is nothing to convolve.
        first = _advanced(z[0], jnp.zeros_like(z[0, ..., :width]), peep)
        _, rest = lax.scan(step, first, z[1:], unroll=times if times <= _UNROLLED else 1)
        return jnp.concatenate([first[0].astype(x.dtype)[None], rest])

    def _bias(self, _: Array, shape: tuple[int, ...]) -> Array:
        forget = jnp.arange(shape[0]) // self.filters == 1
        return jnp.where(forget, jnp.float32(self.forget_bias), jnp.float32(0.0))


class ConvLstm(nn.Module):
    """`[..., time, y, x, feature]` to `[..., y, x, out]`, what follows the last time.

    The eight layers of Rabiei et al. (2025), who say that filters go from 4 up to 256. For several
    leads at once let `out` be their number.

    >>> from diffhydro.networks.head import FlaxHead
    >>> network = ConvLstm(out=2, filters=(4, 8))
    >>> head = FlaxHead.create(network, jnp.zeros((3, 8, 8, 5)), key=jax.random.key(0))
    >>> head(jnp.ones((6, 3, 8, 8, 5))).shape
    (6, 8, 8, 2)

    Args:
        filters: Of each layer.
        dropout: Share of values left out after each layer while training.
    """

    out: int = 1
    filters: tuple[int, ...] = (4, 4, 8, 16, 32, 64, 128, 256)
    kernel: int = 3
    dropout: float = 0.2

    @nn.compact
    def __call__(self, x: Float[Array, "... time y x feature"]) -> Float[Array, "... y x out"]:
        still = not self.has_rng("dropout")
        leading, sides = x.shape[:-4], x.shape[-3:-1]
        x = jnp.swapaxes(x.reshape(-1, *x.shape[-4:]), 0, 1)
        for depth, filters in enumerate(self.filters):
            x = ConvLstmLayer(filters, self.kernel)(x)
            x = x[-1:] if depth + 1 == len(self.filters) else x
            x = nn.relu(Normalise(over=3)(x))
            x = nn.Dropout(self.dropout, deterministic=still)(x)
        return nn.Dense(self.out)(x[0]).reshape(*leading, *sides, self.out)


def _convolved(x: Array, kernel: Array) -> Array:
    axes = "NHWC", "HWIO", "NHWC"
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=axes)


def _gathered(x: Array, kernel: Array) -> Array:
    """Convolve by laying all pixels that a pixel sees side by side."""
    height, width = x.shape[1:3]
    rows, columns = kernel.shape[:2]
    beyond = (rows // 2, rows // 2), (columns // 2, columns // 2)
    padded = jnp.pad(x, ((0, 0), *beyond, (0, 0)))
    seen = [padded[:, i : i + height, j : j + width] for i in range(rows) for j in range(columns)]
    return jnp.concatenate(seen, axis=-1) @ kernel.reshape(-1, kernel.shape[-1])


def _advanced(z: Array, c: Array, peepholes: Array) -> tuple[Array, Array]:
    """Return state and cell after one time."""
    i, f, g, o = jnp.split(z, 4, axis=-1)
    of_input, of_forget, of_output = peepholes
    kept = jax.nn.sigmoid(f + of_forget * c) * c
    c = kept + jax.nn.sigmoid(i + of_input * c) * jnp.tanh(g)
    return jax.nn.sigmoid(o + of_output * c) * jnp.tanh(c), c
