"""A network alone: weather and place in, soil moisture out; no recent observation is an input."""

import equinox as eqx

from diffhydro.coupling.features import Features
from diffhydro.coupling.heads import check_head
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.predictor import AbstractPredictor
from diffhydro.errors import InputError
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Float, Key

_EXAMPLE = 4


class Sequence(AbstractPredictor):
    """Series → head → soil moisture, as in GSM3 (Liu et al. 2023).

    Args:
        head: `[*site, time, feature]` to `[*site, time, 1]`.
        features: What it reads.
        mean: Of soil moisture in training, m³/m³.
        spread: Of soil moisture in training, m³/m³.
    """

    head: AbstractHead
    features: Features
    mean: float = eqx.field(static=True, default=0.25)
    spread: float = eqx.field(static=True, default=0.1)

    def __check_init__(self) -> None:
        if not self.spread > 0:
            raise InputError(f"the spread of soil moisture is {self.spread}; it must be positive")
        who = type(self).__name__
        check_head(self.head, (_EXAMPLE, self.features.count), 1, who, "soil moisture")

    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time"]:
        said = self.head(self.features.through_time(inputs), key=key)[..., 0]
        return self.mean + self.spread * said
