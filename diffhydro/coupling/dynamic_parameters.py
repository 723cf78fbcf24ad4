"""Parameters that change with the weather: a head reads the series, the physics follows.

    p(t) = constrain(free(p₀) + r tanh(y(t)/r)),     without a reach r: constrain(free(p₀) + y(t))

Every step uses the parameters of its time. Water is in the states, not in the parameters, so that a
parameter that changes cannot make any: where a layer can hold less than it has, the rest moves on.
What defines how much water a state stands for, and what shapes the grid, is better left still;
`budget` tells.
"""

from typing import cast

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.trainable import owners
from diffhydro.coupling.features import Features
from diffhydro.coupling.heads import check_head
from diffhydro.coupling.hybrid import (
    AbstractHybrid,
    Bound,
    Physics,
    bind,
    check_physics,
    halves,
    known_at_sites,
)
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.learned import Learned, learned
from diffhydro.coupling.varying import Driven, Varying
from diffhydro.land.forcing import Forcing
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Key

_EXAMPLE = 4  # times, of which a head must make as many


class DynamicParameters(AbstractHybrid):
    """Series → head → parameters of the physics, at every time.

    Args:
        physics: A land model, or another hybrid, such as one whose other parameters are static.
        head: `[*site, time, feature]` to `[*site, time, learned]`, such as an LSTM; it must not
            look ahead unless that is meant.
        features: The series that the head reads, and attributes beside them.
        learns: Paths of parameters in `physics`.
        reach: Most that the free number of a parameter moves from its start; None is no limit.
    """

    physics: Physics
    head: AbstractHead
    features: Features
    learns: tuple[str, ...] = eqx.field(static=True, converter=tuple)
    reach: float | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        check_physics(self, self.physics)
        mine, who = self.learned, type(self).__name__
        owners(self)
        what = f"at every time one for each of {', '.join(mine.specs)}"
        check_head(self.head, (_EXAMPLE, self.features.count), mine.count, who, what)

    @property
    def learned(self) -> Learned:
        """Give what the head computes."""
        return learned(self.physics, self.learns, type(self).__name__)

    def parameters(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> dict[str, Array]:
        """Give the parameters of every site and time, by path in `physics`."""
        mine, below = halves(key)
        return self._parameters(bind(self.physics, inputs, key=below), inputs, mine)

    def _parameters(
        self, inner: Bound, inputs: Inputs, key: Key[Array, ""] | None
    ) -> dict[str, Array]:
        learned = self.learned
        moves = self.head(self.features.through_time(inputs), key=key)
        if self.reach is not None:
            moves = self.reach * jnp.tanh(moves / self.reach)
        return learned.moved(moves, known_at_sites(inner, learned.specs))

    def bind(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Bound:
        mine, below = halves(key)
        inner = bind(self.physics, inputs, key=below)
        found = self._parameters(inner, inputs, mine)
        found = {inner.place(path): x for path, x in found.items()}
        before, after = inner.moved_to
        return Bound(
            Varying(inner.model),
            cast(Forcing, Driven(inner.drive, found)),
            tuple("physics." + path for path in inner.by_site),
            ("physics." + before, "physics." + after),
        )
