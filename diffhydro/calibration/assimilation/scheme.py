"""What every assimilation scheme is: something to carry from window to window, and a window."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import equinox as eqx

from diffhydro.calibration.assimilation.observation import Observation
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.typing import Array, Key

Result = TypeVar("Result")
Carry = TypeVar("Carry")


class AbstractScheme(eqx.Module, Generic[Carry, Result]):
    """A way to bring a model and observations together, a window of days at a time."""

    @abstractmethod
    def start(
        self, model: AbstractModel, state: State | None = None, *, key: Key[Array, ""] | None = None
    ) -> Carry:
        """Return what is known before the first window: a tree of arrays."""

    @abstractmethod
    def window(
        self,
        model: AbstractModel,
        forcing: Forcing,
        observations: Sequence[Observation],
        carry: Carry,
        *,
        key: Key[Array, ""] | None = None,
    ) -> tuple[Result, Carry]:
        """Assimilate a window, and return its result and what the next window starts from."""

    @property
    def name(self) -> str:
        """What the scheme is called in files."""
        return type(self).__name__


Anything = AbstractScheme[Any, Any]
