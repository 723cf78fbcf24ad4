"""Soil moisture as a departure from what is known of a place, such as the mean of a start window.

    W(t) = w₀ + s · f(x(t), place)

w₀ is an attribute of the site. What f has to learn then is how far a day is from the days of the
start window, for which the weather, and the water that a physics holds, are what it needs to know;
the level of a probe, which few attributes tell, is given.
"""

import equinox as eqx

from diffhydro.coupling.features import Features
from diffhydro.coupling.heads import check_head
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.predictor import AbstractPredictor
from diffhydro.errors import InputError
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Float, Key

_EXAMPLE = 4


class Departure(AbstractPredictor):
    """Series and attributes → head → departure from a level.

    Args:
        head: `[*site, time, feature]` to `[*site, time, 1]`.
        features: What it reads.
        level: Name of the attribute that is departed from, m³/m³.
        spread: What the head's output counts, m³/m³.
    """

    head: AbstractHead
    features: Features
    level: str = eqx.field(static=True)
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
        level = inputs.fixed((self.level,)).astype(said.dtype)
        return level + self.spread * said
