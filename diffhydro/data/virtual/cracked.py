"""Soil with cracks: a share of strong rain passes it by and is drainage at once.

Macropores and shrinkage cracks carry water past the matrix when rain is strong (Beven & Germann
2013). The virtual Earth has them because the water-balance model has not.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.parameters import parameter
from diffhydro.land.forcing import Forcing
from diffhydro.land.ground import AbstractGround, AbstractGroundStep
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.typing import Array, Float


class Cracked(AbstractGround):
    """A ground whose cracks take their share of the water that comes faster than `threshold`."""

    ground: AbstractGround
    share: Float[Array, ""] = parameter(
        unit="-", bounds=(0.0, 0.9), default=0.1, description="share of strong rain in cracks"
    )
    threshold: Float[Array, ""] = parameter(
        unit="mm/day", bounds=(0.0, 200.0), default=12.0, description="rain that is strong"
    )

    @property
    def needs(self) -> tuple[str, ...]:
        return self.ground.needs

    def init_state(self) -> Any:
        return self.ground.init_state()

    def prepare(self) -> "CrackedStep":
        return CrackedStep(self.ground.prepare(), self.share, self.threshold)

    def stores(self, state: Any) -> dict[str, Array]:
        """Return the water of the ground; cracks hold none."""
        return self.ground.stores(state)

    def profile(self, states: Any) -> Profile | None:
        return self.ground.profile(states)


class CrackedStep(AbstractGroundStep):
    """One interval."""

    ground: AbstractGroundStep
    share: Float[Array, ""]
    threshold: Float[Array, ""]

    def stress(self, state: Any) -> Float[Array, ""]:
        """Return that of the ground."""
        return self.ground.stress(state)

    def __call__(self, state: Any, forcing: Forcing) -> tuple[Any, Fluxes]:
        """Let the cracks have their share, and the ground the rest."""
        rain = forcing.precipitation
        passing = self.share * jnp.maximum(rain - self.threshold, 0.0)
        rest = eqx.tree_at(lambda now: now.precipitation, forcing, rain - passing)
        after, moved = self.ground(state, rest)
        amount = forcing.step * passing
        return after, eqx.tree_at(
            lambda f: (f.precipitation, f.drainage),
            moved,
            (moved.precipitation + amount, moved.drainage + amount),
        )
