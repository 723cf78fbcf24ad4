"""How a gradient becomes a step: clipped, gathered over batches, at one rate or two, averaged.

    ḡ = Σ aᵢ gᵢ / Σ aᵢ              over `accumulate` batches; aᵢ counts the windows of a batch
    g = ḡ min(1, clip/‖ḡ‖)          one norm for parameters and weights together
    z ← z + u(g)                    Adam, say, at the rate of this step
    z̄ ← d z̄ + (1 − d) z             d = min(average, (1 + t)/(10 + t)) after t steps

With batches of unlike numbers of windows, ḡ is still that of one big batch, if the objective is a
mean over windows.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from diffhydro.core.trainable import Free
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, Int, PyTree

Rate = float | Callable[[Any], Any]
GROUPS = ("parameters", "networks")  # of `Free`


class Optimizer(eqx.Module):
    """What is done with gradients.

    >>> import functools
    >>> rates = {"parameters": 0.05, "networks": optax.cosine_decay_schedule(1e-3, 10_000)}
    >>> gently = Optimizer(rates, functools.partial(optax.adamw, weight_decay=1e-4), clip=1.0)

    Args:
        rate: Learning rate, or a schedule of Optax that gives it for a step; by group, if
            parameters of physics and weights of networks shall have their own.
        kind: Makes a transformation of Optax from a rate, such as `optax.adam`; by group, if they
            differ.
        clip: Largest norm of a gradient, all groups together.
        accumulate: Batches to a step.
        average: How slowly an average of all steps follows (EMA), such as 0.999; it is what is
            validated and kept. None if the last step alone shall count.
    """

    rate: Rate | Mapping[str, Rate] = 1e-3
    kind: Callable[..., Any] | Mapping[str, Callable[..., Any]] = optax.adam
    clip: float | None = None
    accumulate: int = 1
    average: float | None = None

    def __check_init__(self):
        """Refuse what would train in silence as nobody meant."""
        for name, value in (("rate", self.rate), ("kind", self.kind)):
            if isinstance(value, Mapping) and set(value) != set(GROUPS):
                raise InputError(
                    f"{name} has the groups {', '.join(map(str, value)) or 'none'}; expected "
                    f"{' and '.join(GROUPS)}"
                )
        for group in GROUPS:
            kind, rate = _of(self.kind, group), _of(self.rate, group)
            if isinstance(kind, optax.GradientTransformation) or not callable(kind):
                raise InputError(
                    "kind makes a transformation from a rate: give optax.adam, and the rate apart, "
                    "not optax.adam(rate)"
                )
            if not callable(rate) and not rate >= 0:
                raise InputError(f"a rate of {rate}; expected 0 or more")
        if self.clip is not None and not self.clip > 0:
            raise InputError(f"clip is {self.clip}; expected a norm above 0, or None")
        if self.accumulate < 1:
            raise InputError(f"{self.accumulate} batches to a step; it takes at least 1")
        if self.average is not None and not 0 <= self.average < 1:
            raise InputError(f"average is {self.average}; expected 0 to below 1, such as 0.999")

    def transformation(self) -> optax.GradientTransformation:
        """Give all of it but gathering and averaging, for gradients in a `Free`."""
        groups = {group: _of(self.kind, group)(_of(self.rate, group)) for group in GROUPS}
        both = optax.multi_transform(groups, Free(*GROUPS))  # pyright: ignore[reportArgumentType]
        clips = [] if self.clip is None else [optax.clip_by_global_norm(self.clip)]
        return optax.chain(*clips, both)

    def rates(self, step: Int[Array, ""]) -> dict[str, Float[Array, ""]]:
        """Give the rate of each group at a step."""
        # Schedules mix floats with the counter of steps, which strict promotion refuses.
        with jax.numpy_dtype_promotion("standard"):
            found = {group: _of(self.rate, group) for group in GROUPS}
            return {
                group: jnp.asarray(rate(step) if callable(rate) else rate, jnp.float32)
                for group, rate in found.items()
            }

    def begin(self, free: Free) -> "Descent":
        """Give the state before the first step."""
        return Descent(
            free,
            self.transformation().init(free),  # pyright: ignore[reportArgumentType]
            None if self.average is None else free,
            None if self.accumulate == 1 else _nothing(free),
            jnp.zeros((), jnp.int32),
        )

    def descend(
        self, now: "Descent", gradient: Free, amount: Float[Array, ""]
    ) -> tuple["Descent", Array]:
        """Take a gradient in; also give the norm of the change, or of what was gathered."""
        if now.gathered is None:
            return self._step(now, gradient)
        gathered = _more(now.gathered, gradient, amount)
        after, change = self._step(now, gathered.mean())
        is_full = gathered.batches == self.accumulate
        waiting = replace(now, gathered=gathered)
        after = replace(after, gathered=_nothing(now.free))
        change = jnp.where(is_full, change, norm(gathered.sum))
        return choose(is_full, after, waiting), change

    def _step(self, now: "Descent", gradient: Free) -> tuple["Descent", Array]:
        # Optax mixes a float with its counter of steps, too.
        with jax.numpy_dtype_promotion("standard"):
            change, optimizer = self.transformation().update(
                gradient,  # pyright: ignore[reportArgumentType]
                now.optimizer,
                now.free,  # pyright: ignore[reportArgumentType]
            )
        free = jax.tree.map(lambda z, u: z + u.astype(z.dtype), now.free, change)
        step = now.step + 1
        average = None if now.average is None else self._averaged(now.average, free, step)
        return Descent(free, optimizer, average, now.gathered, step), norm(change)

    def _averaged(self, average: Free, free: Free, step: Int[Array, ""]) -> Free:
        def one(old: Array, new: Array) -> Array:
            t = step.astype(new.dtype)
            # A young average follows fast: where training began soon counts for nothing.
            keep = jnp.minimum(jnp.asarray(self.average, new.dtype), (1.0 + t) / (10.0 + t))
            return keep * old + (1.0 - keep) * new

        return jax.tree.map(one, average, free)


class Gathered(eqx.Module):
    """Gradients on their way to one step: their sum, weighted by the windows they came from."""

    sum: Free
    amount: Float[Array, ""]
    batches: Int[Array, ""]

    def mean(self) -> Free:
        """Give the gradient of all the windows."""
        whole = jnp.maximum(self.amount, 1.0)
        return jax.tree.map(lambda x: x / whole.astype(x.dtype), self.sum)


class Descent(eqx.Module):
    """What changes from step to step: free numbers, and what the optimizer remembers.

    Attributes:
        average: Of the free numbers of all steps, if one is kept.
        step: Steps taken; with gathering there are fewer than batches.
    """

    free: Free
    optimizer: Any
    average: Free | None
    gathered: Gathered | None
    step: Int[Array, ""]

    @property
    def outcome(self) -> Free:
        """The free numbers to be judged and kept."""
        return self.free if self.average is None else self.average


def choose(which: Array, yes: Any, no: Any) -> Any:
    """Take all arrays of one of two trees."""
    return jax.tree.map(lambda a, b: jnp.where(which, a, b), yes, no)


def norm(tree: PyTree) -> Float[Array, ""]:
    """Give the length of all numbers taken together."""
    with jax.numpy_dtype_promotion("standard"):  # types may differ between the groups
        return optax.global_norm(tree)


def _nothing(free: Free) -> Gathered:
    zero = jnp.zeros((), jnp.float32)
    return Gathered(jax.tree.map(jnp.zeros_like, free), zero, jnp.zeros((), jnp.int32))


def _more(gathered: Gathered, gradient: Free, amount: Float[Array, ""]) -> Gathered:
    summed = jax.tree.map(lambda s, g: s + amount.astype(g.dtype) * g, gathered.sum, gradient)
    return Gathered(summed, gathered.amount + amount, gathered.batches + 1)


def _of(value: Any, group: str) -> Any:
    return value[group] if isinstance(value, Mapping) else value
