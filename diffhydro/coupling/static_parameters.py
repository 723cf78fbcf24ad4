"""Parameters from attributes: a head reads the place, and says what its soil and plants are like.

The head sees a site once; its answer is the same for all times. Everything between the attributes
and the observations is one function, so that what sites have in common is learned from all of them
(differentiable parameter learning, Tsai et al. 2021).
"""

import equinox as eqx

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
from diffhydro.coupling.learned import Learned, learned, written
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Key


class StaticParameters(AbstractHybrid):
    """Attributes → head → parameters of the physics.

    Args:
        physics: A land model, or another hybrid; its own values are where the head begins.
        head: `[*site, feature]` to `[*site, learned]`.
        features: The attributes that the head reads.
        learns: Paths of parameters in `physics`.
    """

    physics: Physics
    head: AbstractHead
    features: Features
    learns: tuple[str, ...] = eqx.field(static=True, converter=tuple)

    def __check_init__(self) -> None:
        check_physics(self, self.physics)
        mine, who = self.learned, type(self).__name__
        owners(self)
        what = f"one for each of {', '.join(mine.specs)}"
        check_head(self.head, (len(self.features.attributes),), mine.count, who, what)

    @property
    def learned(self) -> Learned:
        """Give what the head computes."""
        return learned(self.physics, self.learns, type(self).__name__)

    def parameters(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> dict[str, Array]:
        """Give the parameters of every site, by path in `physics`."""
        mine, below = halves(key)
        return self._parameters(bind(self.physics, inputs, key=below), inputs, mine)

    def _parameters(
        self, inner: Bound, inputs: Inputs, key: Key[Array, ""] | None
    ) -> dict[str, Array]:
        learned = self.learned
        moves = self.head(self.features.fixed(inputs), key=key)
        return learned.moved(moves, known_at_sites(inner, learned.specs))

    def bind(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Bound:
        mine, below = halves(key)
        inner = bind(self.physics, inputs, key=below)
        found = self._parameters(inner, inputs, mine)
        found = {inner.place(path): x for path, x in found.items()}
        before, after = inner.moved_to
        return Bound(
            written(inner.model, found),
            inner.drive,
            tuple(dict.fromkeys((*inner.by_site, *found))),
            ("physics." + before, after),
        )
