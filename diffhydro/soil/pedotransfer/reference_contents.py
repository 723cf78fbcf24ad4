"""Water contents that agronomy names: air-dry, lower limit, drained upper limit, saturation.

They are the retention curve read at four heads: LL15 at 15 bar (150 m), DUL at a third of a bar
(3.3 m), air-dry at 10 km, SAT at zero. In pure sand DUL − LL15 falls to 8e-5, on which curves that
divide by ln(DUL/LL15) break, so neighbours are kept apart by a stated least distance.
"""

import equinox as eqx
import jax.numpy as jnp

from diffhydro.soil.hydraulics import AIR_DRY, AbstractHydraulics
from diffhydro.typing import Array, Float

__all__ = ["ReferenceContents", "reference_contents"]

PSI_LL15 = -150000.0  # mm; SWIM
PSI_DUL = -3300.0  # mm; 33 kPa
LEAST_ABOVE_AIR_DRY = 0.001  # of LL15
LEAST_ABOVE_LL15 = 0.01  # of DUL
LEAST_ABOVE_DUL = 0.02  # of SAT


class ReferenceContents(eqx.Module):
    """Volumetric water contents, increasing in this order."""

    air_dry: Float[Array, "..."]
    ll15: Float[Array, "..."]
    dul: Float[Array, "..."]
    sat: Float[Array, "..."]


def reference_contents(soil: AbstractHydraulics) -> ReferenceContents:
    """Read the reference contents off a soil's retention curve and keep them apart.

    A content that had to be moved has the gradient of its lower neighbour.
    """

    def theta(psi: float) -> Float[Array, "..."]:
        return soil.theta(jnp.full_like(soil.theta_s, psi))

    air_dry = theta(-AIR_DRY)
    # Hard limits, not smooth ones: where they do not bind the contents must be the curve's own.
    ll15 = jnp.maximum(theta(PSI_LL15), air_dry + LEAST_ABOVE_AIR_DRY)
    dul = jnp.maximum(theta(PSI_DUL), ll15 + LEAST_ABOVE_LL15)
    sat = jnp.maximum(soil.theta_s, dul + LEAST_ABOVE_DUL)
    return ReferenceContents(air_dry=air_dry, ll15=ll15, dul=dul, sat=sat)
