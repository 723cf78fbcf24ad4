"""Bands without draws: the posterior carried through the model's slopes.

    var s_t = J_t Σ J_tᵀ = Σ_k (J_t R_k)²,       var o_t = var s_t + (σ + g |s_t|)²

with R_k the columns of a root of Σ: one run and one tangent for each parameter. Exact where the
series is linear in the free numbers; elsewhere it may leave what is physical, and is even on both
sides where the truth is not. Errors have σ, growth and φ of the mode; φ makes them last and does
not widen a band of one time.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.posterior.bands import (
    LEVELS,
    Bands,
    Interval,
    check_levels,
    deviations,
)
from diffhydro.calibration.posterior.errors import error_spread
from diffhydro.calibration.posterior.posterior import Posterior
from diffhydro.calibration.posterior.rounds import LANES, in_rounds
from diffhydro.calibration.problem import Calibration
from diffhydro.training.likelihood import Gaussian
from diffhydro.typing import Array


def linear_bands(
    posterior: Posterior, *, levels: Sequence[float] = LEVELS, lanes: int = LANES
) -> dict[str, Bands]:
    """Return bands of every target at all sites, by name.

    Args:
        levels: Probabilities of the bands.
        lanes: Most sites side by side.
    """
    levels = check_levels(levels)
    problem = posterior.problem
    dtype = problem.before().dtype
    given = posterior.z.astype(dtype), posterior.root.astype(dtype), np.arange(problem.sites)
    found = in_rounds(lambda *x: _spreads(problem, *x), *given, lanes=lanes)
    pairs = zip(problem.targets, found, strict=True)
    return {target.name: _bands(levels, *three) for target, three in pairs}


@eqx.filter_jit
def _spreads(
    problem: Calibration, z: Array, root: Array, site: Array
) -> tuple[tuple[Array, Array, Array], ...]:
    """Return the series and the standard deviations of truth and measurement `[site, time]`."""

    def along(direction: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        return jax.jvp(lambda z: problem.simulate(z, site), (z,), (direction,))

    columns = jnp.moveaxis(root, 2, 0)
    series, slopes = jax.vmap(along, out_axes=(None, 0))(columns)
    losses = jax.vmap(problem.losses_at)(z, site)
    out = []
    for law, one, slope in zip(losses, series, slopes, strict=True):
        assert isinstance(law, Gaussian)
        variance = jnp.sum(slope**2, axis=0)
        error = jax.vmap(error_spread)(law, one)
        out.append((one, jnp.sqrt(variance), jnp.sqrt(variance + error**2)))
    return tuple(out)


def _bands(
    levels: tuple[float, ...], centre: np.ndarray, model: np.ndarray, observed: np.ndarray
) -> Bands:
    def around(spread: np.ndarray) -> Interval:
        wide = np.array([deviations(x) for x in levels])[:, None, None] * spread
        return Interval(centre - wide, centre + wide)

    return Bands(levels, centre, around(model), around(observed))
