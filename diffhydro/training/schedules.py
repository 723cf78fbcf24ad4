"""Shares that depend on the step of training, such as the α of a loss and its 1 − α.

    linear   α = a + (b − a) s                     s = (step − begin)/steps, held within 0 and 1
    cosine   α = b + (a − b) (1 + cos πs)/2
    stairs   α = values[i] from at[i − 1] on

A weight may also be any callable of the step, such as a schedule of Optax. With a step that is an
array, as in a compiled loop, a schedule costs no compilation per step.
"""

from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, Int

Step = int | Int[Array, ""]


class AbstractSchedule(eqx.Module):
    """A number that depends on the step, never below 0."""

    @property
    @abstractmethod
    def highest(self) -> float:
        """Give a number that it never exceeds."""

    @abstractmethod
    def __call__(self, step: Step) -> Float[Array, ""]:
        """Return the number at a step, counted from 0."""


class LinearSchedule(AbstractSchedule):
    """A share that goes straight from one value to another.

    >>> share = LinearSchedule(1.0, 0.0, steps=4)
    >>> [float(share(step)) for step in (0, 1, 4, 9)]
    [1.0, 0.75, 0.0, 0.0]

    Args:
        steps: How many the way takes.
        begin: First step of the way.
    """

    start: float = eqx.field(static=True)
    end: float = eqx.field(static=True)
    steps: int = eqx.field(static=True)
    begin: int = eqx.field(static=True, default=0)

    def __check_init__(self) -> None:
        _check_shares(self.start, self.end)
        _check_steps(self.steps)

    @property
    def highest(self) -> float:
        """Give the higher of both ends."""
        return max(self.start, self.end)

    def __call__(self, step: Step) -> Float[Array, ""]:
        return self.start + (self.end - self.start) * _way(step, self.begin, self.steps)


class CosineSchedule(AbstractSchedule):
    """A share that goes from one value to another, slowly at both ends; see `LinearSchedule`."""

    start: float = eqx.field(static=True)
    end: float = eqx.field(static=True)
    steps: int = eqx.field(static=True)
    begin: int = eqx.field(static=True, default=0)

    def __check_init__(self) -> None:
        _check_shares(self.start, self.end)
        _check_steps(self.steps)

    @property
    def highest(self) -> float:
        """Give the higher of both ends."""
        return max(self.start, self.end)

    def __call__(self, step: Step) -> Float[Array, ""]:
        left = 0.5 * (1.0 + jnp.cos(jnp.pi * _way(step, self.begin, self.steps)))
        return self.end + (self.start - self.end) * left


class StepSchedule(AbstractSchedule):
    """A share that goes in stairs.

    >>> share = StepSchedule((1.0, 0.5, 0.2), at=(100, 200))
    >>> [round(float(share(step)), 6) for step in (0, 99, 100, 200)]
    [1.0, 1.0, 0.5, 0.2]

    Args:
        at: Steps from which the second value holds, the third and so on.
    """

    values: tuple[float, ...] = eqx.field(static=True)
    at: tuple[int, ...] = eqx.field(static=True)

    def __check_init__(self) -> None:
        _check_shares(*self.values)
        if len(self.at) != len(self.values) - 1 or list(self.at) != sorted(set(self.at)):
            raise InputError(
                f"{len(self.values)} values need {len(self.values) - 1} rising steps at which they "
                f"change; these are {self.at}"
            )

    @property
    def highest(self) -> float:
        """Give the highest value."""
        return max(self.values)

    def __call__(self, step: Step) -> Float[Array, ""]:
        at = jnp.asarray(self.at, float)
        return jnp.asarray(self.values, float)[jnp.sum((at <= _real(step)).astype(int))]


class OneMinus(AbstractSchedule):
    """What a share leaves of one."""

    share: Callable[[Step], Array]

    @property
    def highest(self) -> float:
        """Give one."""
        return 1.0

    def __call__(self, step: Step) -> Float[Array, ""]:
        return 1.0 - jnp.asarray(self.share(step), float)


class Times(AbstractSchedule):
    """A schedule times a number, such as 1 − α times the λ of a penalty."""

    schedule: Callable[[Step], Array]
    factor: float = eqx.field(static=True)

    def __check_init__(self) -> None:
        if not 0 <= self.factor < float("inf"):
            raise InputError(f"a schedule times {self.factor}; weights are 0 or more, and finite")

    @property
    def highest(self) -> float:
        """Give what the product never exceeds."""
        return self.factor * getattr(self.schedule, "highest", float("inf"))

    def __call__(self, step: Step) -> Float[Array, ""]:
        return self.factor * jnp.asarray(self.schedule(step), float)


def one_minus(share: float | Callable[[Step], Array]) -> float | OneMinus:
    """Give 1 − α of a number or a schedule.

    >>> one_minus(0.25), float(one_minus(LinearSchedule(1.0, 0.0, steps=4))(1))
    (0.75, 0.25)
    """
    if not callable(share):
        _check_shares(share)
        return 1.0 - share
    if isinstance(share, AbstractSchedule) and share.highest > 1.0:
        raise InputError(f"1 − α of a schedule that reaches {share.highest}; α is between 0 and 1")
    return OneMinus(share)


def times(share: float | Callable[[Step], Array], factor: float) -> float | Times:
    """Give a number or a schedule times a number."""
    return Times(share, factor) if callable(share) else share * factor


def _way(step: Step, begin: int, steps: int) -> Float[Array, ""]:
    return jnp.clip((_real(step) - begin) / steps, 0.0, 1.0)


def _real(step: Step) -> Float[Array, ""]:
    return jnp.asarray(step, float)


def _check_shares(*values: float) -> None:
    for value in values:
        if not 0.0 <= value <= 1.0:
            raise InputError(f"α is a share between 0 and 1; {value} is none")


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise InputError(f"a schedule over {steps} steps; it takes 1 or more")
