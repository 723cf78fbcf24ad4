"""The recurrence of a long short-term memory, and the ways to arrange its products.

    z = W x_t + U h_{t−1} + b,    i, f, o = σ(z_i), σ(z_f), σ(z_o),    g = tanh(z_g)
    c_t = f c_{t−1} + i g,        h_t = o tanh(c_t)

(Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000.) Gates lie side by side in
the order i, f, g, o. State is kept in float32 at least: over a year of days narrower types forget.

Which arrangement is fast depends on the machine; the weights and the numbers are the same.
"""

import abc
import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.typing import Array, Float


class Carry(NamedTuple):
    """What a memory knows after the last time."""

    hidden: Float[Array, "*batch hidden"]
    cell: Float[Array, "*batch hidden"]


class Weights(NamedTuple):
    """The weights of a layer, gates side by side."""

    inputs: Float[Array, "feature gate"]
    state: Float[Array, "hidden gate"]
    bias: Float[Array, " gate"]


class AbstractArrangement(abc.ABC):
    """How the recurrence is computed."""

    @abc.abstractmethod
    def __call__(
        self,
        weights: Weights,
        x: Float[Array, "time batch feature"],
        carry: Carry,
        mask: Float[Array, "batch hidden"] | None = None,
    ) -> tuple[Float[Array, "time batch hidden"], Carry]:
        """Return the states of all times and the last one.

        Args:
            mask: What the state is multiplied by wherever it recurs.
        """


@dataclasses.dataclass(frozen=True)
class InLoop(AbstractArrangement):
    """Two products at every time: fast on a CPU, where each then finds its data in the cache."""

    def __call__(
        self,
        weights: Weights,
        x: Float[Array, "time batch feature"],
        carry: Carry,
        mask: Float[Array, "batch hidden"] | None = None,
    ) -> tuple[Float[Array, "time batch hidden"], Carry]:
        def step(carry: Carry, x: Array) -> tuple[Carry, Array]:
            return advanced(carry, projected(weights, x), weights, mask, x.dtype)

        carry, h = lax.scan(step, carry, x)
        return h, carry


@dataclasses.dataclass(frozen=True)
class Hoisted(AbstractArrangement):
    """One product for the inputs of all times, before the loop: fast on accelerators."""

    def __call__(
        self,
        weights: Weights,
        x: Float[Array, "time batch feature"],
        carry: Carry,
        mask: Float[Array, "batch hidden"] | None = None,
    ) -> tuple[Float[Array, "time batch hidden"], Carry]:
        def step(carry: Carry, z: Array) -> tuple[Carry, Array]:
            return advanced(carry, z, weights, mask, x.dtype)

        carry, h = lax.scan(step, carry, projected(weights, x))
        return h, carry


IN_LOOP, HOISTED = InLoop(), Hoisted()


@dataclasses.dataclass(frozen=True)
class ByPlatform(AbstractArrangement):
    """One arrangement on CPUs, another elsewhere; asked when a program is traced."""

    on_cpu: AbstractArrangement = IN_LOOP
    elsewhere: AbstractArrangement = HOISTED

    def __call__(
        self,
        weights: Weights,
        x: Float[Array, "time batch feature"],
        carry: Carry,
        mask: Float[Array, "batch hidden"] | None = None,
    ) -> tuple[Float[Array, "time batch hidden"], Carry]:
        arrangement = self.on_cpu if jax.default_backend() == "cpu" else self.elsewhere
        return arrangement(weights, x, carry, mask)


def state_type(dtype: Any) -> Any:
    """Return the type that state is kept in, and means are taken in."""
    return jnp.dtype("float32") if jnp.finfo(dtype).bits < 32 else dtype


def projected(weights: Weights, x: Float[Array, "... feature"]) -> Float[Array, "... gate"]:
    """Return what inputs and bias contribute to the gates."""
    z = jnp.matmul(x, weights.inputs, preferred_element_type=state_type(x.dtype))
    return z + weights.bias.astype(z.dtype).reshape((1,) * (z.ndim - 1) + (-1,))


def advanced(
    carry: Carry, z: Array, weights: Weights, mask: Array | None, dtype
) -> tuple[Carry, Array]:
    """Return state after one time, and the output, from what inputs contribute to the gates."""
    h = carry.hidden if mask is None else carry.hidden * mask
    z = z + jnp.matmul(h.astype(dtype), weights.state, preferred_element_type=z.dtype)
    hidden, cell = gated(z, carry.cell)
    return Carry(hidden, cell), hidden.astype(dtype)


@jax.custom_jvp
def gated(
    z: Float[Array, "*batch gate"], cell: Float[Array, "*batch hidden"]
) -> tuple[Float[Array, "*batch hidden"], Float[Array, "*batch hidden"]]:
    """Return h and c of what reaches the gates and c before.

    The derivative is written out: six numbers for each cell and time are then all that a gradient
    needs to keep, and training a fifth faster.
    """
    i, f, g, o = jnp.split(z, 4, axis=-1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(cell), cell


@gated.defjvp
def _gated_slope(
    given: tuple[Array, Array], moved: tuple[Array, Array]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    (z, before), (dz, dbefore) = given, moved
    i, f, g, o = jnp.split(z, 4, axis=-1)
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    cell = f * before + i * g
    bent = jnp.tanh(cell)
    hidden = o * bent
    slopes = [g * i * (1 - i), before * f * (1 - f), i * (1 - g * g), hidden * (1 - o)]
    by_i, by_f, by_g, by_o = jnp.split(jnp.concatenate(slopes, axis=-1) * dz, 4, axis=-1)
    dcell = f * dbefore + by_i + by_f + by_g
    return (hidden, cell), (o * (1 - bent * bent) * dcell + by_o, dcell)
