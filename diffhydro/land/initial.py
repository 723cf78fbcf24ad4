"""The water a soil column starts with, as heads at layer centres (mm)."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.grids import Column
from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics import AbstractHydraulics
from diffhydro.typing import Array, Float


class AbstractInitial(eqx.Module):
    """A way to fill a column before the first step."""

    @abstractmethod
    def heads(self, grid: Column, soil: AbstractHydraulics) -> Float[Array, " layer"]:
        """Return the heads at layer centres, given the soil of every layer."""


class UniformHead(AbstractInitial):
    """One head everywhere; water drains from the first moment on."""

    head: Float[Array, ""] = parameter(
        unit="mm",
        bounds=(-150_000.0, 1000.0),
        default=-1000.0,
        fixed=True,
        description="head at the start",
    )

    def heads(self, grid: Column, soil: AbstractHydraulics) -> Float[Array, " layer"]:
        return jnp.broadcast_to(self.head, (grid.layers,))


class WaterTable(AbstractInitial):
    """Water at rest above, and under, a water table."""

    depth: Float[Array, ""] = parameter(
        unit="mm",
        bounds=(-1000.0, 150_000.0),
        default=2000.0,
        fixed=True,
        description="depth of the water table at the start",
    )

    def heads(self, grid: Column, soil: AbstractHydraulics) -> Float[Array, " layer"]:
        return grid.centres - self.depth


class WaterContents(AbstractInitial):
    """Given water contents; what lies outside θ_r … θ_s starts at that limit."""

    theta: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.0, 1.0),
        fixed=True,
        description="water content at the start, one number or one per layer",
    )

    def heads(self, grid: Column, soil: AbstractHydraulics) -> Float[Array, " layer"]:
        return soil.psi(jnp.broadcast_to(self.theta, (grid.layers,)))
