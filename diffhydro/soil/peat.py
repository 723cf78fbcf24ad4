"""Soil moisture above a water table that is near (Granberg et al. 1999, eqs 1–5).

With porosity φ, the least surface moisture θ_min, the depth z_θ down to which evaporation dries the
surface, and a = (φ − θ_min)/z_θ:

    θ_s = max(θ_min, φ − a z_wt),    θ(z) = θ_s + (φ − θ_s)(z/z_wt)² above the table, φ below

The deficit of a storage V against saturation down to z_b is D = φ z_b − V = ⅔ (φ − θ_s) z_wt, hence

    z_wt = max(√(3D/(2a)), 3D/(2(φ − θ_min)))

where the larger branch is always the right one. (The public TEM code takes the smaller.)
"""

from typing import NamedTuple

import jax.numpy as jnp

from diffhydro.core.parameters import as_parameter
from diffhydro.typing import Array, ArrayLike, Float

COARSE = (0.45, 0.20, 0.14)  # share of coarse pores in sand, silt and clay; Walter et al. 2001
LEAST_DEFICIT = 1e-6  # mm: the root has an infinite slope at zero


class Peat(NamedTuple):
    """Numbers of a profile."""

    porosity: Array
    driest: Array  # at the surface, θ_min
    influence: Array  # z_θ, mm
    depth: Array  # z_b, mm

    @property
    def full(self) -> Array:
        """Give the storage of a saturated profile, mm."""
        return self.porosity * self.depth

    @property
    def least(self) -> Array:
        """Give the storage with the water table at z_b, mm."""
        return self.full - (2.0 / 3.0) * (self.porosity - self.driest) * self.depth

    def water_table(self, stored: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the depth of the water table; 0 under standing water."""
        deficit = jnp.maximum(self.full - stored, 0.0)
        slope = (self.porosity - self.driest) / self.influence
        root = jnp.sqrt(1.5 * jnp.maximum(deficit, LEAST_DEFICIT) / slope)
        near = jnp.where(deficit > LEAST_DEFICIT, root, 0.0)
        far = 1.5 * deficit / (self.porosity - self.driest)
        return jnp.minimum(jnp.maximum(near, far), self.depth)

    def at_surface(self, table: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the water content at the surface above a water table."""
        slope = (self.porosity - self.driest) / self.influence
        return jnp.maximum(self.driest, self.porosity - slope * table)

    def theta(self, table: Float[Array, "..."], z: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the water content at a depth, mm."""
        surface = self.at_surface(table)
        above = z < table
        share = jnp.where(above, z / jnp.where(table > 0, table, 1.0), 1.0)
        return surface + (self.porosity - surface) * share**2

    def missing(self, table: Float[Array, "..."], z: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the water that the profile lacks above a depth z, mm; exact."""
        drained = self.porosity - self.at_surface(table)
        depth = jnp.minimum(z, table)
        share = jnp.where(z < table, z / jnp.where(table > 0, table, 1.0), 1.0)
        return drained * depth * (1.0 - share**2 / 3.0)


def coarse_pores(
    sand: Float[ArrayLike, "..."], silt: Float[ArrayLike, "..."], clay: Float[ArrayLike, "..."]
) -> Float[Array, "..."]:
    """Give the share of pores that drain, of textures in percent (Walter et al. 2001)."""
    sand, silt, clay = as_parameter(sand), as_parameter(silt), as_parameter(clay)
    parts = (as_parameter(x) for x in (sand, silt, clay))
    return sum((w * x for w, x in zip(COARSE, parts, strict=True)), jnp.zeros(())) / 100.0
