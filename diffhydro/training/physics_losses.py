"""What soil physics says of predicted water contents: within their bounds, and near in suction.

    ψ(θ) = (1/α) [S_e^(−1/m) − 1]^(1/n),     m = 1 − 1/n,     S_e = (θ − θ_r)/(θ_s − θ_r)

(DeepSoil, Khandelwal et al. 2026, eqs 14–19.) All terms are values of a pixel; `mean_where`
averages them. θ is held 1e-4 within its bounds before it becomes a suction, and a suction below
that of air-dry soil: beyond, only `beyond_bounds` has a gradient, so the terms belong together.
"""

import jax.numpy as jnp
import numpy as np

from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.typing import Array, Float

MARGIN = 1e-4  # m³/m³
AIR_DRY = 1e7  # mm
WILTING = 150_000.0  # mm, that suctions are measured in: the study does not say its own
_LN_10 = float(np.log(10.0))


def beyond_bounds(theta: Float[Array, "..."], soil: VanGenuchten) -> Float[Array, "..."]:
    """Give by how much water contents lie below θ_r or above θ_s."""
    return jnp.maximum(soil.theta_r - theta, 0.0) + jnp.maximum(theta - soil.theta_s, 0.0)


def suction_misfit(
    theta: Float[Array, "..."],
    target: Float[Array, "..."],
    soil: VanGenuchten,
    unit: float = WILTING,
) -> Float[Array, "..."]:
    """Give |ψ(θ) − ψ(target)| in units of `unit`, mm; the driest pixels rule it."""
    return jnp.abs(suction(theta, soil) - suction(target, soil)) / unit


def log_suction_misfit(
    theta: Float[Array, "..."], target: Float[Array, "..."], soil: VanGenuchten
) -> Float[Array, "..."]:
    """Give |log₁₀ ψ(θ) − log₁₀ ψ(target)|, a difference of pF: wet and dry pixels count alike."""
    return jnp.abs(log_suction(theta, soil) - log_suction(target, soil)) / _LN_10


def suction(theta: Float[Array, "..."], soil: VanGenuchten) -> Float[Array, "..."]:
    """Give −ψ at a water content, mm."""
    return jnp.exp(log_suction(theta, soil))


def log_suction(theta: Float[Array, "..."], soil: VanGenuchten) -> Float[Array, "..."]:
    """Give ln(−ψ/mm), worked out in logarithms: the power itself overflows single precision."""
    held = jnp.clip(theta, soil.theta_r + MARGIN, soil.theta_s - MARGIN)
    saturation = (held - soil.theta_r) / (soil.theta_s - soil.theta_r)
    y = -jnp.log(saturation) / (1.0 - 1.0 / soil.n)
    rest = jnp.log(-jnp.expm1(-y))
    return jnp.minimum((y + rest) / soil.n - jnp.log(soil.alpha), float(np.log(AIR_DRY)))


def mean_where(values: Float[Array, "..."], is_known: Array) -> Float[Array, ""]:
    """Average where something is known; 0 where nothing is.

    What stands elsewhere does not matter, NaN included, and gets no gradient. (What it was computed
    from can still get NaN from its own NaN: fill unknown targets before, and mask after.)
    """
    kept = jnp.where(is_known, values, 0.0)
    count = jnp.sum(is_known.astype(values.dtype))
    return jnp.sum(kept) / jnp.maximum(count, 1.0)
