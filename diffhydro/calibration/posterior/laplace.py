"""Laplace's posterior: normal about the mode, as wide as the curvature there says.

    Σ = (H + Σ_prior⁻¹)⁻¹,        H the information of the data (`information.py`)

(MacKay 1992; Tarantola 2005, ch. 3.) Σ_prior is diagonal with the prior's own standard deviations,
s. For a normal prior that is its curvature. For the uniform law between bounds it is not: z is
logistic, flat near a bound, and its curvature there would let an interval grow without end. In
entries measured by s,

    s H s = V λ Vᵀ,    Σ = R Rᵀ,    R = s V (1 + λ)^−½

so that a direction of which the data say nothing (λ = 0) keeps the spread of the prior, whatever
else they determine, and

    ln p(o) ≈ −L_data(ẑ) − ½ Σ ((ẑ − m)/s)² − ½ Σ ln (1 + λ)
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.fitted import Fitted
from diffhydro.calibration.independent import line_up, search
from diffhydro.calibration.levenberg_marquardt import LevenbergMarquardt
from diffhydro.calibration.posterior.information import Local, information
from diffhydro.calibration.posterior.likelihood import require_likelihood
from diffhydro.calibration.posterior.posterior import Posterior
from diffhydro.calibration.posterior.rounds import LANES
from diffhydro.calibration.prior import AbstractPrior, Uniform
from diffhydro.calibration.problem import Calibration
from diffhydro.calibration.reasons import observed, unseen
from diffhydro.calibration.search import AbstractMethod
from diffhydro.errors import InputError

# A log-likelihood is a number of thousands, and a standard deviation from its mode is ½.
SETTLED = LevenbergMarquardt(tolerance=1e-8, most=60)
_ASSUMED = "no prior was given: all places within the bounds count as alike before (Uniform)"
_BROKEN = "the likelihood or its slope is not a finite number at the fit"


def laplace(
    fitted: Fitted,
    *,
    prior: AbstractPrior | None = None,
    method: AbstractMethod = SETTLED,
    lanes: int = LANES,
) -> Posterior:
    """Work out the posterior of every site, each for itself.

    Args:
        fitted: Of a problem whose losses are likelihoods; see `with_likelihood` for others. What
            `calibrate_together` made sites share, they do not share here.
        prior: In the place of the problem's own; `Uniform()` where neither is given, and a note
            says so.
        method: Goes from the fit to the mode, which a prior moves and a search with a coarse
            tolerance stops short of.
        lanes: Most sites side by side.

    Returns:
        The posterior; a site without observations has the prior, and one whose likelihood is no
        number has NaN. `reasons` names both.
    """
    require_likelihood(fitted.problem)
    problem, notes = _with_prior(fitted.problem, prior)
    observed(problem)
    site = np.arange(problem.sites)
    z = fitted.best_z
    begin = jnp.asarray(z)
    found = search(problem, method, begin, site, line_up(method, begin, site, lanes))
    z = np.where(np.isfinite(found.z).all(axis=1, keepdims=True), found.z, z)
    local = information(problem, z, site, lanes=lanes)
    return _posterior(problem, z, local, notes)


class Factors(NamedTuple):
    """A covariance in factors, of many sites."""

    root: np.ndarray  # R [site, entry, entry]
    felt: np.ndarray  # λ [site, entry], what the data say over what the prior does


def factorise(curvature: np.ndarray, deviation: np.ndarray, eps: float) -> Factors:
    """Put data and prior together.

    Args:
        curvature: Of the data `[site, entry, entry]`.
        deviation: Of the prior `[site, entry]`.
        eps: Rounding of what the curvature was computed in: what that alone can have made is no
            information.
    """
    scaled = deviation[:, :, None] * curvature * deviation[:, None, :]
    values, vectors = np.linalg.eigh(0.5 * (scaled + np.swapaxes(scaled, 1, 2)))
    least = eps * values.shape[1] * np.abs(values).max(axis=1, keepdims=True)
    felt = np.where(values > least, values, 0.0)
    root = deviation[:, :, None] * vectors / np.sqrt(1.0 + felt)[:, None, :]
    return Factors(root, felt)


def _with_prior(
    problem: Calibration, prior: AbstractPrior | None
) -> tuple[Calibration, tuple[str, ...]]:
    chosen = problem.prior if prior is None else prior
    if chosen is None:
        chosen = Uniform()
    if isinstance(chosen, Uniform):
        _require_bounds(problem)
    notes = (_ASSUMED,) if problem.prior is None and prior is None else ()
    problem = eqx.tree_at(lambda p: p.prior, problem, chosen, is_leaf=lambda x: x is None)
    return problem, notes


def _require_bounds(problem: Calibration) -> None:
    coordinates = problem.coordinates
    pairs = zip(coordinates.names, coordinates.is_bounded, strict=True)
    if open_ := [name for name, is_bounded in pairs if not is_bounded]:
        raise InputError(
            f"{', '.join(open_)}: without two bounds there is no uniform law; give "
            "prior=Near(spread) of free numbers"
        )


def _posterior(
    problem: Calibration, z: np.ndarray, local: Local, notes: tuple[str, ...]
) -> Posterior:
    prior = problem.prior
    assert prior is not None
    mean, deviation = (np.asarray(x, np.float64) for x in jax.vmap(prior.moments)(problem.before()))
    eps = float(np.finfo(z.dtype).eps)
    fine = np.isfinite(local.curvature).all(axis=(1, 2)) & np.isfinite(local.slope).all(axis=1)
    fine &= np.isfinite(local.loss)
    root, felt = factorise(np.where(fine[:, None, None], local.curvature, 0.0), deviation, eps)
    slope = local.slope + _pull(problem, z)
    off = np.sqrt(np.sum(np.einsum("sij,si->sj", root, slope) ** 2, axis=1))
    z64 = z.astype(np.float64)
    occam = 0.5 * np.sum(((z64 - mean) / deviation) ** 2 + np.log1p(felt), axis=1)
    reasons = {i: f"{why}; what is known is the prior" for i, why in unseen(problem).items()}
    reasons |= {int(i): _BROKEN for i in np.flatnonzero(~fine)}
    nothing = np.where(fine, 0.0, np.nan)
    return Posterior(
        problem,
        z64 + nothing[:, None],
        root + nothing[:, None, None],
        mean,
        deviation,
        -local.loss - occam + nothing,
        off + nothing,
        reasons,
        notes,
    )


def _pull(problem: Calibration, z: np.ndarray) -> np.ndarray:
    prior = problem.prior
    assert prior is not None
    centre = problem.before().astype(z.dtype)
    return np.asarray(jax.vmap(jax.grad(prior.penalty))(jnp.asarray(z), centre), np.float64)
