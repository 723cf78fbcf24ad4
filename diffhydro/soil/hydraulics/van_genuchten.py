"""van Genuchten (1980): smooth retention, saturated at ψ = 0.

For n < 2 Mualem's slope is singular at saturation: dK/dψ grows as h^(n−2), and no Newton method
lands on a head within the last micrometres of suction, where at n = 1.1 most of the conductivity
is lost. The last 0.1 to 1 mm of suction, the `rim`, is therefore bridged by a chord. Heads move by
less than that, water contents by less than (α·rim)ⁿ of the pores, infiltration into clay by about
0.1 %; in return slopes are finite everywhere, and so are gradients.
"""

import jax.numpy as jnp

from diffhydro.core.bijections import LINEAR, LOG, log_above
from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics.curves import Curves
from diffhydro.soil.hydraulics.mualem import (
    ROSETTA_RANGE,
    AbstractMualem,
    check_shape,
    mualem_curves,
    mualem_psi,
)
from diffhydro.typing import Array, Float

__all__ = ["VanGenuchten"]


class VanGenuchten(AbstractMualem):
    """The classic form, saturated at ψ = 0.

    Example:
        >>> import jax.numpy as jnp
        >>> soil = VanGenuchten(theta_r=0.08, theta_s=0.43, alpha=0.004, n=1.6, k_sat=500.0)
        >>> round(float(soil.theta(jnp.asarray(-1000.0))), 3)
        0.227
    """

    theta_r: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.02, 0.20),
        scale=LINEAR,
        description="residual water content",
        source=ROSETTA_RANGE,
    )
    theta_s: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.30, 0.60),
        scale=LINEAR,
        description="saturated water content",
        source=ROSETTA_RANGE,
    )
    alpha: Float[Array, "..."] = parameter(
        unit="1/mm",
        bounds=(1e-4, 0.02),
        scale=LOG,
        description="inverse of the suction at which large pores empty",
        source=ROSETTA_RANGE,
    )
    n: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(1.05, 5.0),
        scale=log_above(1.0),
        description="evenness of pore sizes",
        source=ROSETTA_RANGE,
    )
    k_sat: Float[Array, "..."] = parameter(
        unit="mm/day",
        bounds=(5.0, 20000.0),
        scale=LOG,
        description="saturated conductivity",
        source=ROSETTA_RANGE,
    )
    l: Float[Array, "..."] = parameter(  # noqa: E741 — Mualem's own letter
        unit="-",
        bounds=(-2.0, 2.0),
        scale=LINEAR,
        description="connectivity of pores",
        source="Mualem 1976",
        default=0.5,
        fixed=True,
    )

    def __check_init__(self) -> None:
        check_shape(self)

    @staticmethod
    def from_texture(texture: str, version: int = 3) -> "VanGenuchten":
        """Give the Rosetta soil at the middle of a USDA texture class, such as "silt loam"."""
        # Imported late because that module is made of soils: it can only come after this one.
        from diffhydro.soil.pedotransfer import centroid, rosetta

        return rosetta(*centroid(texture), version=version)

    @property
    def air_entry(self) -> float:
        """Give the head at and above which the soil is saturated: 0."""
        return 0.0

    @property
    def rim(self) -> Float[Array, "..."]:
        """Give the suction over which the curves are straight: 0.1 mm, and 1 mm at n = 1.1."""
        return jnp.clip(0.01 / (self.n - 1.0) ** 2, 0.1, 1.0)

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        is_near = psi > -self.rim
        below = mualem_curves(
            self, jnp.where(is_near, -self.rim, psi), entry_log_se=0.0, entry_conducting=1.0
        )
        return _chord(self, psi, is_near, below)

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`."""
        joint = self.theta(-self.rim)
        is_near = theta > joint
        below = mualem_psi(self, jnp.where(is_near, joint, theta), entry_log_se=0.0)
        gap = self.theta_s - joint
        gap = jnp.where(gap > 0.0, gap, 1.0)  # coarse sand loses nothing there in float32
        near = -self.rim * jnp.maximum(self.theta_s - theta, 0.0) / gap
        return jnp.where(is_near, near, below)


def _chord(soil: VanGenuchten, psi: Array, is_near: Array, below: Curves) -> Curves:
    """Go straight from the curves at the rim to saturation, and stay there."""
    # Counted from saturation, so that a saturated soil holds and conducts exactly what it should.
    short = jnp.clip(-psi / soil.rim, 0.0, 1.0)
    slope = jnp.where(psi < 0.0, 1.0 / soil.rim, 0.0)
    water = soil.theta_s - below.theta
    flow = soil.k_sat - below.conductivity
    return Curves(
        theta=jnp.where(is_near, soil.theta_s - short * water, below.theta),
        capacity=jnp.where(is_near, slope * water, below.capacity),
        conductivity=jnp.where(is_near, soil.k_sat - short * flow, below.conductivity),
        slope=jnp.where(is_near, slope * flow, below.slope),
    )
