"""A recurrent imputer: gaps in series, filled from both sides and from helpers.

Two memories go through the series, one forward and one backward. What they read where nothing was
seen is the last value seen, drawn towards the mean, which is 0, as time goes by:

    x̃_t = e^(−δ_t softplus w) x_last,       δ_t the steps since that was seen

(Che et al. 2018). An estimate at t is a linear map of the forward state of t − 1, the backward
state of t + 1, the values x̃ that come to t from both sides, and helpers at t (Cao et al. 2018 for
the two directions). It never depends on what was seen at t, so that every observation can teach.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.errors import InputError
from diffhydro.networks.dropout import AbstractDropout, EveryTime
from diffhydro.networks.lstm import Recurrence, time_first, time_last
from diffhydro.networks.recurrence import AbstractArrangement, ByPlatform
from diffhydro.typing import Array, Bool, Float

Series = Float[Array, "time batch feature"]


class Since(NamedTuple):
    """What was seen last, at a time or before."""

    value: Float[Array, "time *rest"]  # 0 where nothing was
    steps: Float[Array, "time *rest"]  # 0 where something is seen at that very time


class Imputer(nn.Module):
    """`[..., time, feature]` to the same, gaps filled; what was seen comes back as it is.

    Values and helpers are standardised. To train, call `estimates` and compare with what was seen:
    `head.outputs(values, seen, helpers, method=Imputer.estimates)`.

    >>> from diffhydro.networks.head import FlaxHead
    >>> values, seen = jnp.zeros((40, 2)), jnp.ones((40, 2))
    >>> head = FlaxHead.create(Imputer(hidden=8), values, seen, key=jax.random.key(0))
    >>> head(jnp.ones((3, 40, 2)), jnp.zeros((3, 40, 2))).shape
    (3, 40, 2)

    Args:
        hidden: Width of each of the two memories.
        dropout: What is left out while training.
    """

    hidden: int
    dropout: AbstractDropout = EveryTime()
    arrangement: AbstractArrangement = ByPlatform()

    def __call__(
        self,
        values: Float[Array, "... time feature"],
        seen: Float[Array, "... time feature"],
        helpers: Float[Array, "... time helper"] | None = None,
    ) -> Float[Array, "... time feature"]:
        return jnp.where(seen > 0.5, values, self.estimates(values, seen, helpers))

    @nn.compact
    def estimates(
        self,
        values: Float[Array, "... time feature"],
        seen: Float[Array, "... time feature"],
        helpers: Float[Array, "... time helper"] | None = None,
    ) -> Float[Array, "... time feature"]:
        """Return what each value should be, from all that was seen at other times.

        Args:
            values: Where nothing was seen anything, and NaN too.
            seen: 1 or 0.
            helpers: Series without gaps that say something of the values, such as weather.
        """
        _check(values, seen, helpers)
        features = values.shape[-1]
        x, leading = time_first(values)
        is_seen = time_first(seen)[0] > 0.5
        x = jnp.where(is_seen, x, jnp.zeros((), x.dtype))
        beside = [] if helpers is None else [time_first(helpers)[0]]
        sides = []
        for name in ("forward", "backward"):
            decay = self.param(
                f"{name}_decay", nn.initializers.constant(-2.0), (features,), jnp.float32
            )
            memory = Recurrence(
                self.hidden, dropout=self.dropout, arrangement=self.arrangement, name=name
            )
            turned = name == "backward"
            read, carried = _read(_turned(x, turned), _turned(is_seen, turned), decay)
            h, _ = memory(jnp.concatenate([*read, *(_turned(b, turned) for b in beside)], -1))
            sides += [_turned(part, turned) for part in (_later(h), *carried)]
        return time_last(nn.Dense(features)(jnp.concatenate([*sides, *beside], -1)), leading)


def since_seen(values: Series, seen: Bool[Array, "time batch feature"]) -> Since:
    """Return what was seen last and how long ago; steps from the start where nothing was."""
    aligned = (-1,) + (1,) * (values.ndim - 1)
    now = jnp.arange(values.shape[0], dtype=jnp.int32).reshape(aligned)
    last = lax.cummax(jnp.where(seen, now, jnp.int32(-1)), axis=0)
    value = jnp.take_along_axis(values, jnp.maximum(last, 0), axis=0)
    steps = (now - last).astype(values.dtype)
    return Since(jnp.where(last < 0, jnp.zeros((), values.dtype), value), steps)


def _read(
    x: Series, seen: Array, decay: Float[Array, " feature"]
) -> tuple[tuple[Series, ...], tuple[Series, ...]]:
    """Return what a memory reads, and what is carried to each time from the ones before."""
    since = since_seen(x, seen)
    rate = jax.nn.softplus(decay).reshape(1, 1, -1)

    def drawn(value: Series, steps: Series) -> Series:
        return value * jnp.exp(-rate * steps)

    read = drawn(*since), seen.astype(x.dtype), jnp.log1p(since.steps)
    value, steps = (_later(part) for part in since)
    steps = steps + 1.0
    return read, (drawn(value, steps), jnp.log1p(steps))


def _later(x: Series) -> Series:
    """Move everything to the next time; nothing comes first."""
    return jnp.concatenate([jnp.zeros_like(x[:1]), x[:-1]])


def _turned(x: Array, turned: bool) -> Array:
    return x[::-1] if turned else x


def _check(values: Array, seen: Array, helpers: Array | None) -> None:
    if seen.shape != values.shape:
        raise InputError(f"every value is seen or not: {values.shape} values, {seen.shape} marks")
    if helpers is not None and helpers.shape[:-1] != values.shape[:-1]:
        raise InputError(
            f"helpers are series beside the values, {values.shape[:-1]} without their features; "
            f"these are {helpers.shape[:-1]}"
        )
