"""What a ground is: a land model that can lie under a surface.

A ground is driven by what a surface lets through: `precipitation` is the water that reaches it (of
which `melt` was snow), `potential_evaporation` and `transpiration` are demands, and `temperature`
is that of the ground's surface. It can run alone under such a forcing.
"""

from abc import abstractmethod

import equinox as eqx

from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.land.trajectory import Fluxes
from diffhydro.typing import Array, Float

GROUND_NEEDS = ("precipitation", "potential_evaporation")
FROST_MEMORY = 10.0  # days that soil remembers the air


def soil_warmth(before: Float[Array, ""], forcing: Forcing) -> Float[Array, ""]:
    """Give the temperature of the soil, °C: the mean of that above it over about ten days."""
    return before + (forcing.temperature - before) * (forcing.step / FROST_MEMORY)


class AbstractGroundStep(eqx.Module):
    """One interval of a ground that is laid out."""

    @abstractmethod
    def stress(self, state: State) -> Float[Array, ""]:
        """Give how well roots find water, 0 to 1, as the surface should see it.

        A ground that limits the uptake itself says 1.
        """

    @abstractmethod
    def __call__(self, state: State, forcing: Forcing) -> tuple[State, Fluxes]:
        """Advance by one interval."""


class AbstractGround(AbstractModel):
    """Soil, without what lies above it."""

    @abstractmethod
    def prepare(self) -> AbstractGroundStep:
        """Work out all that does not change with time, and return the step that uses it."""
