"""Physics whose parameters change with time."""

from typing import Any

import equinox as eqx

from diffhydro.coupling.learned import written
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State, Step
from diffhydro.land.trajectory import Fluxes, Profile
from diffhydro.typing import Array, Float


class Driven(eqx.Module):
    """Weather and parameters: what a `Forcing` is to other models, for those that vary.

    A slice of it in time is one again, as with a forcing.
    """

    forcing: Any
    parameters: dict[str, Float[Array, "*site time"]]

    @property
    def precipitation(self) -> Float[Array, "*site time"]:
        """Give the rain, which tells models what shape the series have."""
        return self.forcing.precipitation

    @property
    def step(self) -> float:
        """Give the length of a step, days."""
        return self.forcing.step

    def require(self, names: Any, who: str) -> None:
        """Raise InputError if a series that `who` reads is not here."""
        self.forcing.require(names, who)


class Varying(AbstractModel):
    """A land model that takes some of its parameters from what drives it, at every step."""

    physics: AbstractModel

    @property
    def needs(self) -> tuple[str, ...]:
        return self.physics.needs

    def init_state(self) -> State:
        return self.physics.init_state()

    def prepare(self) -> Step:
        def step(state: State, now: Forcing) -> tuple[State, Fluxes]:
            if not isinstance(now, Driven):
                raise InputError("parameters that vary come with the weather, in a Driven")
            return written(self.physics, now.parameters).step(state, now.forcing)

        return step

    def stores(self, state: State) -> dict[str, Array]:
        return self.physics.stores(state)

    def profile(self, states: State) -> Profile | None:
        return self.physics.profile(states)
