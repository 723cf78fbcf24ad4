"""Clapp & Hornberger (1978), Campbell (1974): the soil of most land-surface models.

With s = θ/θ_s:  ψ = ψ_sat s^(−b),  K = k_sat s^(2b+3).

Evaluated in logarithms with the limits that single precision needs, each applied before the
exponential and with derivatives of zero beyond it: s ≥ 10⁻³, K ≥ 10⁻¹² mm/s, and |ψ(θ)| at most
1.5×10⁶ mm (−14.7 MPa). Without the last a nearly dry clay has ψ ≈ −10¹⁷ mm, and one wet neighbour
makes any solver explode.
"""

from typing import TYPE_CHECKING

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.core.bijections import LINEAR, LOG
from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics.curves import (
    AbstractHydraulics,
    Curves,
    dryness,
    is_unsaturated,
    saturated_or,
)
from diffhydro.soil.hydraulics.domain import check_range, check_water_contents
from diffhydro.typing import Array, Float

__all__ = ["ClappHornberger"]

DRIEST = 1.5e6  # mm
LOG_LEAST_SATURATION = float(np.log(1e-3))
LOG_LEAST_CONDUCTIVITY = float(np.log(8.64e-8))  # of mm/day; 1e-12 mm/s


class ClappHornberger(AbstractHydraulics):
    """Campbell's power law, saturated down to ψ_sat. Its residual water content is zero."""

    theta_s: Float[Array, "..."] = parameter(
        unit="m³/m³",
        bounds=(0.30, 0.65),
        scale=LINEAR,
        description="saturated water content",
        source="Cosby et al. 1984",
    )
    k_sat: Float[Array, "..."] = parameter(
        unit="mm/day",
        bounds=(0.864, 43200.0),
        scale=LOG,
        description="saturated conductivity",
        source="Cosby et al. 1984",
    )
    psi_sat: Float[Array, "..."] = parameter(
        unit="mm",
        bounds=(-1000.0, -10.0),
        scale=LOG,
        description="head at which air enters",
        source="Cosby et al. 1984",
    )
    b: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(2.0, 15.0),
        scale=LINEAR,
        description="exponent of the retention curve",
        source="Cosby et al. 1984",
    )

    def __check_init__(self) -> None:
        check_water_contents(self)
        check_range(self, "psi_sat", below=0.0, advice="psi_sat is a head in mm, negative")
        check_range(self, "b", above=0.0, advice="sands have about 3, clays 12")

    if TYPE_CHECKING:
        # What is derived is no argument of the constructor, which a property does not tell pyright.
        theta_r: Float[Array, "..."] = eqx.field(init=False)
    else:

        @property
        def theta_r(self) -> Float[Array, "..."]:
            """Give the residual water content, which this form does not have: 0."""
            return jnp.zeros_like(self.theta_s)

    @property
    def air_entry(self) -> Float[Array, "..."]:
        """Give the head at and above which the soil is saturated: ψ_sat."""
        return self.psi_sat

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        unsaturated = is_unsaturated(psi, self.psi_sat)
        h = jnp.where(unsaturated, -psi, -2.0 * self.psi_sat)
        free = -jnp.log(h / -self.psi_sat) / self.b
        log_s = jnp.maximum(free, LOG_LEAST_SATURATION)
        power = 2.0 * self.b + 3.0
        free_log_k = jnp.log(self.k_sat) + power * log_s
        log_k = jnp.maximum(free_log_k, LOG_LEAST_CONDUCTIVITY)
        theta, k = self.theta_s * jnp.exp(log_s), jnp.exp(log_k)
        per_head = jnp.where(free > LOG_LEAST_SATURATION, 1.0 / (self.b * h), 0.0)
        return saturated_or(
            unsaturated,
            self,
            theta=theta,
            capacity=theta * per_head,
            conductivity=k,
            slope=jnp.where(free_log_k > LOG_LEAST_CONDUCTIVITY, power * k * per_head, 0.0),
        )

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`, at least −1.5×10⁶ mm."""
        dry = dryness(theta, self.theta_r, self.theta_s)
        log_s = jnp.maximum(-jnp.log1p(dry.ratio), LOG_LEAST_SATURATION)
        return dry.head(jnp.log(-self.psi_sat) - self.b * log_s, self.psi_sat, driest=DRIEST)
