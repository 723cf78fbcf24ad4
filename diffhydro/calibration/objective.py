"""What a search needs to know of what it fits: losses, slopes and curvatures of many lanes."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx

from diffhydro.typing import Array, Float, Int

Lanes = Float[Array, "lane entry"]
Places = Int[Array, " lane"]


class Normal(NamedTuple):
    """A loss, its gradient and its Gauss–Newton curvature, per lane."""

    loss: Float[Array, " lane"]
    gradient: Float[Array, "lane entry"]
    curvature: Float[Array, "lane entry entry"]


class AbstractObjective(eqx.Module):
    """A loss of free numbers, at places that do not see each other."""

    @abstractmethod
    def loss(self, z: Lanes, site: Places) -> Float[Array, " lane"]:
        """Return the loss of every lane."""

    @abstractmethod
    def gradient(self, z: Lanes, site: Places) -> tuple[Array, Array]:
        """Return the loss `[lane]` and its gradient `[lane, entry]`, in reverse mode."""

    @abstractmethod
    def normal(self, z: Lanes, site: Places) -> Normal:
        """Return loss, gradient and Gauss–Newton curvature, in forward mode."""
