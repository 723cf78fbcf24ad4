"""Rosetta: van Genuchten parameters from texture, without its networks.

Rosetta (Schaap et al. 2001; Zhang & Schaap 2017) is an ensemble of small networks. Its model of
sand, silt and clay is tabulated at the 5151 whole-percent textures and interpolated between the
three nearest ones with barycentric weights (DeepSoil eqs 8–10), in α, n and K_s of the logarithms.
Against the networks that is within 1.5e-4 in θ and 1e-3 in log₁₀ K_s.

The three versions differ by more than their stated errors: name the one you used. Version 2's
small n makes stiff curves.
"""

from functools import cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.pedotransfer.texture import normalise
from diffhydro.typing import Array, ArrayLike, Float

__all__ = ["rosetta", "rosetta_about"]

TABLE = Path(__file__).parents[1] / "data" / "rosetta.npz"
VERSIONS = (1, 2, 3)
LN_10 = float(np.log(10.0))
MM_PER_CM = 10.0


def rosetta(
    sand: Float[ArrayLike, "..."],
    silt: Float[ArrayLike, "..."],
    clay: Float[ArrayLike, "..."],
    version: int = 3,
) -> VanGenuchten:
    """Predict a van Genuchten soil from texture in percent.

    Differentiable in all three shares: the gradient is constant inside a triangle of the table and
    jumps across its edges. l is Mualem's 0.5, never Rosetta's own, which belongs to another K.

    Args:
        sand: share of sand; the three are scaled to a sum of 100 %.
        silt: share of silt.
        clay: share of clay.
        version: 1 (2001), 2 (2004) or 3 (2017) of Rosetta.

    Example:
        >>> soil = rosetta(17, 70, 13)
        >>> f"{float(soil.n):.2f}"
        '1.57'
    """
    row = _interpolate(*normalise(sand, silt, clay), version)
    alpha_per_cm, n, k_sat_cm = (jnp.exp(LN_10 * row[..., i]) for i in (2, 3, 4))
    return VanGenuchten(
        theta_r=row[..., 0],
        theta_s=row[..., 1],
        alpha=alpha_per_cm / MM_PER_CM,
        n=n,
        k_sat=k_sat_cm * MM_PER_CM,
        l=jnp.full_like(n, 0.5),
    )


def rosetta_about() -> str:
    """Say where the shipped table comes from: model, versions, averaging, program."""
    with np.load(TABLE, allow_pickle=False) as file:
        return str(file["about"])


def _interpolate(
    sand: Float[Array, "..."], silt: Float[Array, "..."], clay: Float[Array, "..."], version: int
) -> Float[Array, "... 5"]:
    """Weigh the rows of the triangle's three corners; θ linearly, the others as logarithms."""
    if version not in VERSIONS:
        raise InputError(f"Rosetta has no version {version!r}; choose one of {VERSIONS}")
    i, j = jnp.floor(sand).astype(int), jnp.maximum(jnp.floor(clay).astype(int), 0)
    # Textures without silt lie on the table's edge, where the cell ahead has no corners: use the
    # cell behind, so that every corner exists and a weight that is only rounding meets a number.
    on_edge = i + j >= 100
    i, j = jnp.where(on_edge & (i > 0), i - 1, i), jnp.where(on_edge & (i == 0), j - 1, j)
    f, g = sand - i.astype(sand.dtype), clay - j.astype(clay.dtype)
    is_lower = (f + g <= 1.0) | (i + j >= 99)
    near = jnp.where(is_lower, 1.0 - f - g, f + g - 1.0)
    by_sand = jnp.where(is_lower, f, 1.0 - g)
    by_clay = jnp.where(is_lower, g, 1.0 - f)
    table = jnp.asarray(_table(version), sand.dtype)
    step = jnp.where(is_lower, 0, 1)
    corners = (
        (near, table[_row(i + step, j + step)]),
        (by_sand, table[_row(i + 1, j)]),
        (by_clay, table[_row(i, j + 1)]),
    )
    return sum(
        (weight[..., None] * row for weight, row in corners), start=jnp.zeros((), sand.dtype)
    )


def _row(sand: Array, clay: Array) -> Array:
    """Give the table's row of a whole-percent texture: clay runs fastest, up to 100 − sand."""
    return sand * 101 - sand * (sand - 1) // 2 + clay


@cache
def _table(version: int) -> np.ndarray:
    with np.load(TABLE, allow_pickle=False) as file:
        return file[f"version_{version}"]
