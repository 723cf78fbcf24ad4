"""The curves of APSIM's SWIM3: a monotone cubic through four points, and two pore systems.

θ is a Hermite cubic in x = log₁₀(−ψ[cm]) through (SAT, −1 cm), (DUL, ψ_DUL), (LL15, −15 000 cm) and
(0, −6·10⁶ cm). K(θ) = K_mic S^p + (K_s − K_mic) S^P, S = θ/SAT: a matrix whose slope follows from
the curve between DUL and LL15, and macropores that carry a hundredth of the flow at DUL, where K is
exactly k_dul. Given as functions, for comparing with SWIM3; not van Genuchten's form.
"""

import math

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics.domain import check_range
from diffhydro.typing import Array, Float

WETTEST, WILTING, DRIEST = 10.0, 150_000.0, 6e7  # mm of suction
MM_PER_CM = 10.0
_MATRIX_SHARE = 0.99  # of the conductivity at DUL


class SwimCurves(eqx.Module):
    """θ(ψ) and K(θ) from the three water contents that agronomists know."""

    ll15: Float[Array, "..."] = parameter(
        unit="m³/m³", bounds=(0.01, 0.4), description="water content at −15 000 cm"
    )
    dul: Float[Array, "..."] = parameter(
        unit="m³/m³", bounds=(0.02, 0.55), description="drained upper limit"
    )
    sat: Float[Array, "..."] = parameter(
        unit="m³/m³", bounds=(0.3, 0.6), description="saturated water content"
    )
    k_sat: Float[Array, "..."] = parameter(
        unit="mm/day", bounds=(1.0, 20_000.0), description="saturated conductivity"
    )
    k_dul: Float[Array, "..."] = parameter(
        unit="mm/day",
        bounds=(0.001, 10.0),
        default=0.1,
        fixed=True,
        description="conductivity at the drained upper limit",
        source="SWIM3",
    )
    psi_dul: Float[Array, "..."] = parameter(
        unit="mm",
        bounds=(-10_000.0, -100.0),
        default=-1000.0,
        fixed=True,
        description="head at the drained upper limit",
        source="SWIM3",
    )

    def __check_init__(self) -> None:
        check_range(self, "psi_dul", below=0.0, advice="psi_dul is a head in mm, negative")

    def theta(self, psi: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the water content at a head, mm."""
        suction = jnp.clip(-psi, WETTEST, DRIEST)
        x = jnp.log10(suction / MM_PER_CM)
        nodes = self._nodes()
        value = self._cubic(x, nodes, 2)
        for piece in (1, 0):
            value = jnp.where(x < nodes[0][piece + 1], self._cubic(x, nodes, piece), value)
        return value

    def conductivity(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the conductivity at a water content, mm/day."""
        ratio = jnp.log(self.dul / self.sat)
        slope = -jnp.log(-self.psi_dul / WILTING) / jnp.log(self.dul / self.ll15)
        power = 2.0 * slope + 3.0
        matrix = jnp.minimum(_MATRIX_SHARE * self.k_dul, self.k_sat) * jnp.exp(-power * ratio)
        rest = self.k_sat - matrix
        has_macropores = rest > 0
        safe = jnp.where(has_macropores, rest, 1.0)
        flow = jnp.minimum(_MATRIX_SHARE * self.k_dul, self.k_sat)
        macro = jnp.log(flow / (99.0 * safe)) / ratio
        wet = theta > 0
        log_s = jnp.log(jnp.where(wet, theta, self.sat) / self.sat)
        fine = matrix * jnp.exp(power * log_s)
        coarse = jnp.where(has_macropores, safe * jnp.exp(macro * log_s), 0.0)
        return jnp.where(wet, fine + coarse, 0.0)

    def _nodes(self) -> tuple[list[Array], list[Array], list[Array]]:
        """Give x, θ and slopes at the four points."""
        zero = jnp.zeros_like(self.dul)
        x = [
            zero,
            jnp.log10(-self.psi_dul / MM_PER_CM),
            zero + math.log10(WILTING / MM_PER_CM),
            zero + math.log10(DRIEST / MM_PER_CM),
        ]
        y = [self.sat, self.dul, self.ll15, zero]
        secant = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(3)]
        slopes = [zero, 0.5 * (secant[0] + secant[1]), 0.5 * (secant[1] + secant[2]), secant[2]]
        # Keep the first piece monotone (Fritsch & Carlson 1980).
        a, c = slopes[0] / secant[0], slopes[1] / secant[0]
        bends = a - (2.0 * a + c - 3.0) ** 2 / (3.0 * (a + c - 2.0)) <= 0.0
        scale = jnp.where(bends, 3.0 / jnp.sqrt(a**2 + jnp.where(bends, c, 1.0) ** 2), 1.0)
        slopes[0], slopes[1] = scale * slopes[0], scale * slopes[1]
        return x, y, slopes

    def _cubic(self, at: Array, nodes: tuple[list[Array], ...], piece: int) -> Array:
        x, y, slope = (part[piece : piece + 2] for part in nodes)
        width = x[1] - x[0]
        t = (at - x[0]) / width
        square, cube = t**2, t**3
        return (
            (2.0 * cube - 3.0 * square + 1.0) * y[0]
            + (cube - 2.0 * square + t) * width * slope[0]
            + (3.0 * square - 2.0 * cube) * y[1]
            + (cube - square) * width * slope[1]
        )
