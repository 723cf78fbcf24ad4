"""Cosby et al. (1984): Clapp–Hornberger parameters as regressions on sand and clay.

With one variable each (used by CLM; our default), percent in, K in inch/h, ψ in cm as published:

    θ_s = 0.489 − 0.00126 sa             log₁₀ K = −0.884 + 0.0153 sa
    log₁₀ |ψ_sat| = 1.88 − 0.0131 sa     b = 2.91 + 0.159 cl

and with two:

    θ_s = 0.505 − 0.00142 sa − 0.00037 cl     log₁₀ K = −0.60 + 0.0126 sa − 0.0064 cl
    log₁₀ |ψ_sat| = 1.54 − 0.0095 sa + 0.0063 si     b = 3.10 + 0.157 cl − 0.003 sa

They smooth the classes: at the twelve centroids they miss the class means by 0.02 in θ_s, 0.17 in
log₁₀ ψ and log₁₀ K, and 0.5 in b (RMSE); sand is missed most.
"""

import jax.numpy as jnp
import numpy as np

from diffhydro.core.parameters import as_parameter
from diffhydro.soil.hydraulics import ClappHornberger
from diffhydro.soil.hydraulics.domain import check_values
from diffhydro.soil.pedotransfer.texture import normalise
from diffhydro.typing import Array, ArrayLike, Float

__all__ = ["cosby", "cosby_two_variable"]

LN_10 = float(np.log(10.0))
MM_PER_CM = 10.0
SECONDS_PER_DAY = 86400.0
INCH_PER_HOUR = 0.0070556 * SECONDS_PER_DAY  # in mm/day; the rounded factor of CLM and DOS-TEM


def cosby(sand: Float[ArrayLike, "..."], clay: Float[ArrayLike, "..."]) -> ClappHornberger:
    """Predict a Clapp–Hornberger soil from sand and clay in percent, one variable each."""
    sa, cl = as_parameter(sand), as_parameter(clay)
    for name, share in (("sand", sa), ("clay", cl)):
        check_values(name, share, (None, 0.0, None, 100.0), "give a percentage")
    return _soil(
        theta_s=0.489 - 0.00126 * sa,
        log10_k=-0.884 + 0.0153 * sa,
        log10_suction=1.88 - 0.0131 * sa,
        b=2.91 + 0.159 * cl,
    )


def cosby_two_variable(
    sand: Float[ArrayLike, "..."], silt: Float[ArrayLike, "..."], clay: Float[ArrayLike, "..."]
) -> ClappHornberger:
    """Predict a Clapp–Hornberger soil from sand, silt and clay in percent, scaled to 100 %."""
    sa, si, cl = normalise(sand, silt, clay)
    return _soil(
        theta_s=0.505 - 0.00142 * sa - 0.00037 * cl,
        log10_k=-0.60 + 0.0126 * sa - 0.0064 * cl,
        log10_suction=1.54 - 0.0095 * sa + 0.0063 * si,
        b=3.10 + 0.157 * cl - 0.003 * sa,
    )


def _soil(
    theta_s: Float[Array, "..."],
    log10_k: Float[Array, "..."],
    log10_suction: Float[Array, "..."],
    b: Float[Array, "..."],
) -> ClappHornberger:
    return ClappHornberger(
        theta_s=theta_s,
        k_sat=INCH_PER_HOUR * jnp.exp(LN_10 * log10_k),
        psi_sat=-MM_PER_CM * jnp.exp(LN_10 * log10_suction),
        b=b,
    )
