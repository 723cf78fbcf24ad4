"""What training sees of a model: inputs in, predictions out."""

from abc import abstractmethod

import equinox as eqx

from diffhydro.coupling.inputs import Inputs
from diffhydro.typing import Array, ArrayLike, Float, Key


class AbstractPredictor(eqx.Module):
    """A model that predicts what is observed."""

    @abstractmethod
    def __call__(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Float[Array, "..."]:
        """Return predictions; a key asks for what is random in training, such as dropout."""


class AbstractScheduled(eqx.Module):
    """A model that is another one early in training than late."""

    @abstractmethod
    def at(self, step: ArrayLike) -> AbstractPredictor:
        """Return the model as it is at a training step."""
