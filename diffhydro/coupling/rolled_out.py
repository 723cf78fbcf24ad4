"""A windowed model that is trained, or judged, on its own predictions."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.predictor import AbstractPredictor, AbstractScheduled
from diffhydro.coupling.window import AbstractWindowed, roll_out
from diffhydro.errors import InputError
from diffhydro.typing import Array, ArrayLike, Float, Key

Schedule = Callable[[Any], Any]


class RolledOut(AbstractPredictor, AbstractScheduled):
    """Starts from the first `length` observations of the past, and goes on by itself.

    Args:
        model: Predicts from a window of its own past.
        teacher: Probability that an observation takes the place of a prediction while training: a
            number, or a schedule of it by training step. Without a key it is 0: the model runs
            freely.
    """

    model: AbstractWindowed
    teacher: float | Schedule | Float[Array, ""] = 0.0

    def __check_init__(self) -> None:
        if not isinstance(self.model, AbstractWindowed):
            raise InputError(
                f"only a model with a window of its past can be rolled out, not a "
                f"{type(self.model).__name__}"
            )
        if isinstance(self.teacher, int | float) and not 0.0 <= self.teacher <= 1.0:
            raise InputError(f"teacher is {self.teacher}; it is a probability, from 0 to 1")

    def at(self, step: ArrayLike) -> "RolledOut":
        """Give the model as it is at a training step."""
        if not callable(self.teacher):
            return self
        return RolledOut(self.model, jnp.clip(jnp.asarray(self.teacher(step)), 0.0, 1.0))

    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time"]:
        if callable(self.teacher) and key is not None:
            raise InputError("teacher is a schedule: ask for the model `at` a step")
        k = self.model.length
        times = inputs.series[self.model.past].shape[-1]
        start = inputs.series[self.model.past][..., :k]
        teacher = 0.0 if key is None or callable(self.teacher) else self.teacher
        said = roll_out(self.model, inputs.between(1, times), start, teacher=teacher, key=key)
        # The first window is no prediction; a warm-up of `length` keeps it out of every score.
        return jnp.concatenate([start.astype(said.dtype), said], axis=-1)
