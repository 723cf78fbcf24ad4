"""What an instrument sees of a physics, corrected by a head.

    y = o(physics) + r tanh(head(features, o(physics))/r)

The correction is of what is observed: bias of a probe, a depth that is not quite the model's. The
stores of the physics and its budget are as they were; the sum is not in any store. Where soil
moisture must be water that is there, learn parameters or fluxes instead.
"""

import equinox as eqx
import jax.numpy as jnp

from diffhydro.coupling.features import Features
from diffhydro.coupling.heads import check_head
from diffhydro.coupling.hybrid import halves
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.observed import Observed
from diffhydro.coupling.predictor import AbstractPredictor
from diffhydro.errors import InputError
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Float, Key

_EXAMPLE = 4


class OutputCorrection(AbstractPredictor):
    """A physics as seen by an instrument, and a bounded correction.

    Args:
        observed: The physics and the instrument, which gives one series.
        head: `[*site, time, feature + 1]` to `[*site, time, 1]`; its last feature is what the
            physics says, in units of `spread` from `mean`.
        features: What else the head reads.
        reach: Most that it corrects, m³/m³.
        mean: Of soil moisture, m³/m³.
        spread: Of soil moisture, m³/m³.
    """

    observed: Observed
    head: AbstractHead
    features: Features
    reach: float = eqx.field(static=True, default=0.1)
    mean: float = eqx.field(static=True, default=0.25)
    spread: float = eqx.field(static=True, default=0.1)

    def __check_init__(self) -> None:
        if not isinstance(self.observed, Observed):
            raise InputError(
                f"OutputCorrection corrects an Observed physics, got {type(self.observed).__name__}"
            )
        if not (self.reach > 0 and self.spread > 0):
            raise InputError(f"reach is {self.reach} and spread {self.spread}; both are above 0")
        who = type(self).__name__
        check_head(self.head, (_EXAMPLE, self.features.count + 1), 1, who, "the correction")

    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time"]:
        mine, below = halves(key)
        seen = self.observed(inputs, key=below)
        standard = ((seen - self.mean) / self.spread)[..., None]
        features = self.features.through_time(inputs)
        known = jnp.concatenate([features, standard.astype(features.dtype)], axis=-1)
        said = self.head(known, key=mine)[..., 0].astype(seen.dtype)
        return seen + self.reach * jnp.tanh(said / self.reach)
