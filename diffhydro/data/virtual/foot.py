"""The foot of a virtual column: a water table where one is in reach, free drainage elsewhere.

One boundary for both, so that one compiled program serves every place.
"""

import jax.numpy as jnp

from diffhydro.core.grids import Column
from diffhydro.core.parameters import parameter
from diffhydro.land.initial import AbstractInitial
from diffhydro.soil.boundary import AbstractBottom
from diffhydro.soil.hydraulics import AbstractHydraulics
from diffhydro.typing import Array, Float


class TableOrDrain(AbstractBottom):
    """A head at the foot (the forcing's `base`) where `reach` is 1, and gravity where it is 0."""

    reach: Float[Array, ""] = parameter(
        unit="-", bounds=(0.0, 1.0), default=0.0, fixed=True, description="a table is in reach"
    )

    def held(self, soil, drive):
        return (soil.conductivity(drive.base), self.reach)

    def flux(self, psi, conductivity, half, drive, held):
        beyond, reach = held
        table = 0.5 * (conductivity + beyond) * ((psi - drive.base) / half + 1.0)
        return jnp.where(reach > 0.5, table, conductivity)


class RestOrHead(AbstractInitial):
    """Water at rest above a table where one is in reach, one head everywhere elsewhere."""

    reach: Float[Array, ""] = parameter(
        unit="-", bounds=(0.0, 1.0), default=0.0, fixed=True, description="a table is in reach"
    )
    depth: Float[Array, ""] = parameter(
        unit="mm", bounds=(0.0, 1e5), default=1000.0, fixed=True, description="of the table"
    )
    head: Float[Array, ""] = parameter(
        unit="mm", bounds=(-1.5e5, 0.0), default=-1000.0, fixed=True, description="elsewhere"
    )

    def heads(self, grid: Column, soil: AbstractHydraulics) -> Float[Array, " layer"]:
        return jnp.where(self.reach > 0.5, grid.centres - self.depth, self.head)
