"""Long short-term memory: a series in; a series, or what follows from its last time, out.

States go through a linear layer, y = V h + d. Where the products of the recurrence are computed is
an arrangement, for which the weights are the same.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from diffhydro.networks.dropout import AbstractDropout, EveryTime
from diffhydro.networks.recurrence import (
    AbstractArrangement,
    ByPlatform,
    Carry,
    Weights,
    state_type,
)
from diffhydro.typing import Array, Float, Key


class Recurrence(nn.Module):
    """States, time first: `[time, batch, feature]` to `[time, batch, hidden]`.

    Args:
        every_time: Whether all states come out, or the last one only.
        forget_bias: At the start: what is known is kept, until training says otherwise (Gers et
            al. 2000).
    """

    hidden: int
    every_time: bool = True
    forget_bias: float = 1.0
    dropout: AbstractDropout = EveryTime()
    arrangement: AbstractArrangement = ByPlatform()

    @nn.compact
    def __call__(
        self, x: Float[Array, "time batch feature"], carry: Carry | None = None
    ) -> tuple[Float[Array, "time batch hidden"], Carry]:
        gates = 4 * self.hidden
        weights = Weights(
            self.param("inputs", _by_gate(nn.initializers.glorot_uniform()), (x.shape[-1], gates)),
            self.param("state", _by_gate(nn.initializers.orthogonal()), (self.hidden, gates)),
            self.param("bias", self._bias, (gates,)),
        )
        kind = state_type(x.dtype)
        if carry is None:
            nothing = jnp.zeros((x.shape[1], self.hidden), kind)
            carry = Carry(nothing, nothing)
        carry = Carry(*(part.astype(kind) for part in carry))
        mask = None
        if self.has_rng("dropout"):
            x = self.dropout.inputs(x, self.make_rng("dropout"))
            mask = self.dropout.state(carry.hidden, self.make_rng("dropout"))
        h, carry = self.arrangement(weights, x, carry, mask)
        h = h if self.every_time else carry.hidden[None].astype(x.dtype)
        if self.has_rng("dropout"):
            h = self.dropout.outputs(h, self.make_rng("dropout"))
        return h, carry

    def _bias(self, _: Key[Array, ""], shape: tuple[int, ...]) -> Array:
        forget = jnp.arange(shape[0]) // self.hidden == 1
        return jnp.where(forget, jnp.float32(self.forget_bias), jnp.float32(0.0))


class Lstm(nn.Module):
    """`[..., time, feature]` to `[..., time, out]`, or to `[..., out]` of the last time.

    To go on where a series ended, call `roll`: `head.outputs(x, carry, method=Lstm.roll)`.

    >>> from diffhydro.networks.head import FlaxHead
    >>> head = FlaxHead.create(Lstm(hidden=8, out=1), jnp.zeros((365, 5)), key=jax.random.key(0))
    >>> head(jnp.ones((3, 30, 5))).shape
    (3, 30, 1)

    Args:
        hidden: Width of the state.
        out: Number of outputs.
        every_time: Whether there are outputs at all times, or at the last one only.
        dropout: What is left out while training.
        forget_bias: Of the gate that forgets, at the start.
        start: Standard deviation of the first outputs at most, near enough.
        arrangement: Where products are computed.
    """

    hidden: int
    out: int
    every_time: bool = True
    dropout: AbstractDropout = EveryTime()
    forget_bias: float = 1.0
    start: float = 1.0
    arrangement: AbstractArrangement = ByPlatform()

    def setup(self) -> None:
        first = nn.initializers.variance_scaling(self.start**2, "fan_in", "truncated_normal")
        self.memory = Recurrence(
            self.hidden, self.every_time, self.forget_bias, self.dropout, self.arrangement
        )
        self.last = nn.Dense(self.out, kernel_init=first)

    def __call__(self, x: Float[Array, "... time feature"]) -> Float[Array, "..."]:
        return self.roll(x)[0]

    def roll(
        self, x: Float[Array, "... time feature"], carry: Carry | None = None
    ) -> tuple[Float[Array, "..."], Carry]:
        """Return outputs, and the state after the last time; begin at a state if one is given."""
        series, leading = time_first(x)
        if carry is not None:
            carry = Carry(*(part.reshape(series.shape[1], self.hidden) for part in carry))
        h, carry = self.memory(series, carry)
        carry = Carry(*(part.reshape(*leading, self.hidden) for part in carry))
        outputs = time_last(self.last(h), leading)
        return outputs if self.every_time else outputs[..., 0, :], carry


def time_first(x: Float[Array, "... time feature"]) -> tuple[Array, tuple[int, ...]]:
    """Return `[time, batch, feature]`, and the axes that became the batch."""
    together = x.reshape(-1, *x.shape[-2:])
    return jnp.swapaxes(together, 0, 1), x.shape[:-2]


def time_last(
    x: Float[Array, "time batch feature"], leading: tuple[int, ...]
) -> Float[Array, "... time feature"]:
    """Undo `time_first`."""
    return jnp.swapaxes(x, 0, 1).reshape(*leading, x.shape[0], x.shape[-1])


def _by_gate(initialiser: Callable[..., Array]) -> Callable[..., Array]:
    """Draw four gates one by one: the products of each have their own size."""

    def draw(key: Key[Array, ""], shape: tuple[int, int], dtype: Any = jnp.float32) -> Array:
        each = shape[0], shape[1] // 4
        return jnp.concatenate([initialiser(k, each, dtype) for k in jax.random.split(key, 4)], -1)

    return draw
