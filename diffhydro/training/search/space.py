"""What may be chosen: numbers between limits, and things from a list."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffhydro.errors import InputError


class AbstractRange:
    """The values of one setting."""

    @abstractmethod
    def distribution(self) -> Any:
        """Give it in Optuna's words."""

    @abstractmethod
    def told(self) -> dict[str, Any]:
        """Give it as JSON, to know it again."""


Space = Mapping[str, AbstractRange]


@dataclass(frozen=True)
class Between(AbstractRange):
    """A number between two limits; of a logarithm, for what is better by a factor."""

    low: float
    high: float
    is_log: bool = False

    def __post_init__(self) -> None:
        _check_limits(self.low, self.high, self.is_log)

    def distribution(self) -> Any:
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=self.is_log)

    def told(self) -> dict[str, Any]:
        return {"between": [self.low, self.high], "log": self.is_log}


@dataclass(frozen=True)
class Whole(AbstractRange):
    """A whole number between two limits, both of them allowed."""

    low: int
    high: int
    is_log: bool = False

    def __post_init__(self) -> None:
        _check_limits(self.low, self.high, self.is_log)

    def distribution(self) -> Any:
        from optuna.distributions import IntDistribution

        return IntDistribution(self.low, self.high, log=self.is_log)

    def told(self) -> dict[str, Any]:
        return {"whole": [self.low, self.high], "log": self.is_log}


@dataclass(frozen=True)
class OneOf(AbstractRange):
    """One of some words, numbers or truths."""

    choices: tuple[str | float | int | bool | None, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise InputError("OneOf nothing; give at least one choice")

    def distribution(self) -> Any:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.choices)

    def told(self) -> dict[str, Any]:
        return {"one_of": list(self.choices)}


def check_space(space: Space) -> None:
    """Raise InputError for a space in which there is nothing to choose."""
    if not space:
        raise InputError("there is nothing to choose: the space is empty")
    for name, values in space.items():
        if not isinstance(values, AbstractRange):
            raise InputError(
                f"{name} is {values!r}; give Between(low, high), Whole(low, high) or OneOf(choices)"
            )


def _check_limits(low: float, high: float, is_log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(f"limits {low} and {high}; expected two numbers, the lower first")
    if is_log and not low > 0:
        raise InputError(f"the logarithm of {low} is asked for; a lower limit above 0 has one")
