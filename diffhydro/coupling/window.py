"""Predictions from a window of the past: one step ahead, or rolled out on themselves.

A model of this kind says what soil moisture is now, from what it was on the last k days and what
has happened since. Where the past is observed, all times are predicted at once (`one_ahead`). From
a start onward it runs freely: each prediction takes the place of the oldest value (`roll_out`).
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, Key


class Known(NamedTuple):
    """What does not depend on predictions, worked out once.

    Args:
        recent: What is read through the window.
        today: What is read at the time itself; None where nothing is.
    """

    recent: Float[Array, "*site time feature"]
    today: Float[Array, "*site time feature"] | None


class AbstractWindowed(eqx.Module):
    """A model that predicts from a window of its own past."""

    length: eqx.AbstractVar[int]
    past: eqx.AbstractVar[str]

    @abstractmethod
    def known(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Known:
        """Work out what does not depend on predictions."""

    @abstractmethod
    def ahead(
        self,
        window: Float[Array, "*site lag"],
        known: Known,
        *,
        key: Key[Array, ""] | None = None,
    ) -> Float[Array, "*site"]:
        """Predict one time.

        Args:
            window: Soil moisture of the times before, oldest first.
            known: With `lag` in place of `time`: the window that ends now, and today.
        """


def one_ahead(
    model: AbstractWindowed, inputs: Inputs, *, key: Key[Array, ""] | None = None
) -> Float[Array, "*site time"]:
    """Predict every time from the observed past before it.

    The first times have no whole past: there the first value stands for what was before, and the
    prediction should not be scored (a warm-up of `length` or more sees to it).
    """
    k = model.length
    past = _past(model, inputs)
    known = model.known(inputs, key=_part(key, 0))
    _check_length(model, past.shape[-1])
    times = past.shape[-1]
    # Of time t: what was at t − k … t − 1, and what drove t − k + 1 … t.
    lags = jnp.arange(times)[:, None] + jnp.arange(k)[None]
    before = jnp.maximum(lags - k, 0)
    until = jnp.maximum(lags - k + 1, 0)
    recent = jnp.take(known.recent, until, axis=-2)
    window = jnp.take(past, before, axis=-1)
    return model.ahead(window, Known(recent, known.today), key=_part(key, 1))


def roll_out(
    model: AbstractWindowed,
    inputs: Inputs,
    start: Float[Array, "*site lag"],
    *,
    teacher: Float[Array, ""] | float = 0.0,
    key: Key[Array, ""] | None = None,
) -> Float[Array, "*site time"]:
    """Run freely through time.

    Args:
        inputs: From the first time that is predicted on, and `length − 1` times before it.
        start: Soil moisture of the `length` times before the first that is predicted.
        teacher: Probability, at each time and site, that the observation (`model.past` in the
            inputs) goes into the window in place of the prediction; needs a key unless 0 or 1.
        key: Also asks for dropout.

    Returns:
        Predictions of the times of the inputs but the first `length − 1`.
    """
    k = model.length
    if start.shape[-1] != k:
        raise InputError(f"the start has {start.shape[-1]} times; the model looks back {k}")
    known = model.known(inputs, key=_part(key, 0))
    times = known.recent.shape[-2]
    _check_length(model, times)
    taught = not isinstance(teacher, int | float) or teacher > 0
    draws = _part(key, 2)
    if taught and draws is None:
        raise InputError("teacher forcing draws at random: give a key")
    truth = _past(model, inputs) if taught else jnp.zeros((*start.shape[:-1], times), start.dtype)
    dropout = _part(key, 1)

    def one(window: Array, at: Array) -> tuple[Array, Array]:
        recent = jax.lax.dynamic_slice_in_dim(known.recent, at, k, axis=-2)
        now = at + k - 1
        today = None if known.today is None else jnp.take(known.today, now, axis=-2)
        mine = None if dropout is None else jax.random.fold_in(dropout, at)
        said = model.ahead(window, Known(recent, today), key=mine)
        kept = said
        if taught and draws is not None:
            chance = jax.random.uniform(jax.random.fold_in(draws, at), said.shape, said.dtype)
            is_told = chance < jnp.asarray(teacher, said.dtype)
            kept = jnp.where(is_told, jnp.take(truth, now, axis=-1).astype(said.dtype), said)
        return jnp.concatenate([window[..., 1:], kept[..., None]], axis=-1), said

    _, said = jax.lax.scan(one, start, jnp.arange(times - k + 1))
    return jnp.moveaxis(said, 0, -1)


def _past(model: AbstractWindowed, inputs: Inputs) -> Float[Array, "*site time"]:
    if model.past not in inputs.series:
        raise InputError(
            f"the past of {model.past!r} is not among the series {', '.join(inputs.series)}; fill "
            "its gaps and add it"
        )
    return inputs.series[model.past]


def _check_length(model: AbstractWindowed, times: int) -> None:
    if times < model.length:
        raise InputError(f"{times} times are too few for a window of {model.length}")


def _part(key: Key[Array, ""] | None, which: int) -> Key[Array, ""] | None:
    return None if key is None else jax.random.fold_in(key, which)
