"""Retention of van Genuchten (1980) with the conductivity integral of Mualem (1976).

With h = −ψ > 0 and m = 1 − 1/n:

    S_e = [1 + (αh)ⁿ]^(−m)          K = k_sat S_e^l [1 − (1 − S_e^(1/m))^m]²

Raising to a power costs five times the logarithm and loses digits at both ends, so everything is
built from one logarithm a = n ln(αh) and its softplus: ln S_e = −m softplus(a) and
ln(1 − S_e^(1/m)) = −softplus(−a). Both softplus share t = e^(−|a|) and neither subtracts.

An air entry divides S_e and the bracket by their values at the entry suction.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from diffhydro.soil.hydraulics.curves import (
    AbstractHydraulics,
    Curves,
    conductivity_floor,
    dryness,
    is_unsaturated,
    saturated_or,
)
from diffhydro.soil.hydraulics.domain import check_range, check_water_contents
from diffhydro.soil.hydraulics.elementary import log1p_fraction, one_minus_exp
from diffhydro.typing import Array, Float

__all__ = [
    "ROSETTA_RANGE",
    "AbstractMualem",
    "check_shape",
    "mualem_curves",
    "mualem_psi",
    "pores_at",
]

ROSETTA_RANGE = "range of Rosetta 3 over all textures, widened"


class AbstractMualem(AbstractHydraulics):
    """A soil whose pores follow van Genuchten's α and n, and conduct as Mualem's."""

    alpha: eqx.AbstractVar[Float[Array, "..."]]
    n: eqx.AbstractVar[Float[Array, "..."]]
    l: eqx.AbstractVar[Float[Array, "..."]]  # noqa: E741 — Mualem's own letter


class Pores(NamedTuple):
    """The pieces all four curves are made of, at suction h."""

    log_se: Float[Array, "..."]  # −ln of the classic S_e
    conducting: Float[Array, "..."]  # F = 1 − (1 − S_e^(1/m))^m
    idle: Float[Array, "..."]  # 1 − F
    drained: Float[Array, "..."]  # (αh)ⁿ/[1 + (αh)ⁿ] = d softplus(a)/da
    filled: Float[Array, "..."]  # 1 − drained


def pores_at(h: Float[Array, "..."], alpha: Float[Array, "..."], n: Float[Array, "..."]) -> Pores:
    """Evaluate the classic van Genuchten soil, which air enters at once."""
    a = n * jnp.log(alpha * h)
    t = jnp.exp(-jnp.abs(a))
    share = 1.0 / (1.0 + t)
    rest = t * share
    is_dry = a > 0.0
    s = log1p_fraction(t)
    m = (n - 1.0) / n
    conducting, idle = one_minus_exp(m * (jnp.maximum(-a, 0.0) + s))
    return Pores(
        log_se=m * (jnp.maximum(a, 0.0) + s),
        conducting=conducting,
        idle=idle,
        drained=jnp.where(is_dry, share, rest),
        filled=jnp.where(is_dry, rest, share),
    )


def mualem_curves(
    soil: AbstractMualem,
    psi: Float[Array, "..."],
    entry_log_se: Float[Array, "..."] | float,
    entry_conducting: Float[Array, "..."] | float,
) -> Curves:
    """Evaluate θ, dθ/dψ, K and dK/dψ, with the classic ln S_e and bracket at air entry given."""
    unsaturated = is_unsaturated(psi, soil.air_entry)
    h = jnp.where(unsaturated, -psi, 1.0)
    pores = pores_at(h, soil.alpha, soil.n)
    log_se = pores.log_se - entry_log_se
    se = jnp.exp(-log_se)
    conducting = pores.conducting / entry_conducting
    path = jnp.exp(-soil.l * log_se) * conducting
    width = soil.theta_s - soil.theta_r
    per_head = (soil.n - 1.0) / h
    bends = soil.l * pores.drained * conducting + 2.0 * pores.idle * pores.filled / entry_conducting
    floor = conductivity_floor(psi, soil.k_sat)
    return saturated_or(
        unsaturated,
        soil,
        theta=soil.theta_r + width * se,
        capacity=width * se * per_head * pores.drained,
        conductivity=soil.k_sat * (path * conducting + floor),
        slope=soil.k_sat * per_head * path * bends,
    )


def mualem_psi(
    soil: AbstractMualem,
    theta: Float[Array, "..."],
    entry_log_se: Float[Array, "..."] | float,
) -> Float[Array, "..."]:
    """Invert in logarithms, because (1/S_e)^(1/m) alone overflows float32 at n = 1.1."""
    dry = dryness(theta, soil.theta_r, soil.theta_s)
    m = (soil.n - 1.0) / soil.n
    x = (jnp.log1p(dry.ratio) + entry_log_se) / m
    log_suction = (x + jnp.log(-jnp.expm1(-x))) / soil.n - jnp.log(soil.alpha)
    return dry.head(log_suction, soil.air_entry)


def check_shape(soil: AbstractMualem) -> None:
    """Raise `InputError` where the formulas do not hold."""
    check_water_contents(soil)
    check_range(soil, "alpha", above=0.0, advice="give alpha in 1/mm (1/cm divided by 10)")
    check_range(soil, "n", above=1.0, advice="n below about 1.05 is rarely identifiable")
    check_range(soil, "l", advice="0.5 is Mualem's value")
