"""A likelihood for a fit that had none: errors as large, and as lasting, as what the fit left.

    e = s(ẑ) − o,   φ̂ = argmax of the likelihood with σ²(φ) = Σ η²/n,   σ̂² = σ²(φ̂) n/(n − k)

with η the whitened residuals of `training/likelihood.py` for σ = 1, and k the number of parameters
that were fitted.
"""

from collections.abc import Sequence
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.fitted import Fitted
from diffhydro.calibration.posterior.rounds import LANES, in_rounds
from diffhydro.calibration.prior import AbstractPrior
from diffhydro.calibration.problem import ERRORS, Calibration, Target
from diffhydro.core.bijections import interval
from diffhydro.core.parameters import specs
from diffhydro.errors import InputError
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import compared
from diffhydro.typing import Array

_MEMORIES = np.arange(0.0, 0.991, 0.005)  # tried for φ̂
_LEAST = 10  # observations beyond the number of parameters, for an estimate of a site's own


def require_likelihood(problem: Calibration) -> None:
    """Raise InputError unless every target's loss is a likelihood."""
    for target in problem.targets:
        if not isinstance(target.loss, Gaussian):
            raise InputError(
                f"the loss of {target.name}, {type(target.loss).__name__}, is no likelihood: how "
                "sure a fit is depends on how large errors are. Take with_likelihood(fitted), "
                "which estimates them, or calibrate with Gaussian() losses"
            )


def with_likelihood(
    fitted: Fitted,
    *,
    prior: AbstractPrior | None = None,
    train: Sequence[str] = (),
    lanes: int = LANES,
) -> Fitted:
    """Give a fit the likelihood that its residuals suggest, each site its own.

    Args:
        fitted: With any losses; its places are kept, and losses evaluated anew.
        prior: Of the new problem. A penalty that stood beside a mean square is none, since its
            strength was a choice, and is not taken over.
        train: Of `sigma` and `memory`, what is to be free in the new problem; all else stays as
            estimated. The places then have these numbers at their ends.

    Returns:
        The best places, in a problem whose targets have `Gaussian` losses with a σ and φ for each
        site. A site with too few observations takes the median of the others.
    """
    problem = fitted.problem
    laws = _laws(fitted, lanes)
    free = [f"{ERRORS}.{t.name}.{name}" for t in problem.targets for name in train]
    renewed = Calibration(
        problem.model,
        problem.forcing,
        [_with_law(target) for target in problem.targets],
        [*(p for p in problem.coordinates.paths if not p.startswith(f"{ERRORS}.")), *free],
        own={p: x for p, x in problem.own.items() if not p.startswith(f"{ERRORS}.")} | laws,
        prior=prior,
        names=problem.names,
        memory=problem.memory,
    )
    return _at(renewed, fitted)


def _with_law(target: Target) -> Target:
    return Target(target.name, target.observe, target.observed, Gaussian())


def _at(problem: Calibration, fitted: Fitted) -> Fitted:
    """Put the places of a fit into another problem, which has free numbers of errors at the end."""
    places = zip(fitted.names, fitted.best_z.T, strict=True)
    old = {name: x for name, x in places if not name.startswith(f"{ERRORS}.")}
    before = dict(zip(problem.coordinates.names, np.asarray(problem.before()).T, strict=True))
    z = np.stack([old.get(name, x) for name, x in before.items()], axis=-1)
    loss = in_rounds(lambda z, site: _losses(problem, z, site), z, np.arange(problem.sites))
    best = np.arange(problem.sites), fitted.best
    return replace(
        fitted,
        problem=problem,
        z=z[:, None],
        loss=loss[:, None],
        status=fitted.status[best][:, None],
        evaluations=fitted.evaluations[best][:, None],
        course=fitted.course[best][:, None],
    )


def _laws(fitted: Fitted, lanes: int) -> dict[str, Array]:
    """Estimate σ and φ of all targets `[site]`."""
    problem = fitted.problem
    z, site = fitted.best_z, np.arange(problem.sites)
    found = in_rounds(lambda z, site: _residual_laws(problem, z, site), z, site, lanes=lanes)
    laws = {}
    for target, (variance, memory, seen) in zip(problem.targets, found, strict=True):
        spare = seen - len(problem.coordinates)
        enough = (spare >= _LEAST) & np.isfinite(variance) & fitted.is_fitted
        if not enough.any():
            raise InputError(
                f"no site has {_LEAST} observations of {target.name} more than parameters "
                f"({len(problem.coordinates)}); errors cannot be estimated from that, give "
                "Gaussian(sigma=…) losses"
            )
        sigma = np.sqrt(np.where(enough, variance * seen / np.maximum(spare, 1), np.nan))
        least = interval(specs(Gaussian())["sigma"].bounds)[0]
        for name, x in (("sigma", np.maximum(sigma, least)), ("memory", memory)):
            filled = np.where(enough, x, np.median(x[enough]))
            laws[f"{ERRORS}.{target.name}.{name}"] = jnp.asarray(filled.astype(z.dtype))
    return laws


@eqx.filter_jit
def _losses(problem: Calibration, z: Array, site: Array) -> Array:
    return problem.loss(z, site)


@eqx.filter_jit
def _residual_laws(problem: Calibration, z: Array, site: Array) -> list[tuple[Array, ...]]:
    pairs = zip(problem.simulate(z, site), problem.targets, strict=True)
    return [jax.vmap(_law)(s, t.observed[site].astype(s.dtype)) for s, t in pairs]


def _law(simulated: Array, observed: Array) -> tuple[Array, Array, Array]:
    """Return variance, correlation and number of the errors of a series."""
    _, weight = compared(simulated, observed, jnp.ones_like(simulated))
    seen = jnp.sum(weight)

    def profile(memory: Array) -> tuple[Array, Array]:
        law = Gaussian(jnp.ones_like(memory), jnp.zeros_like(memory), memory)
        parts = law.parts(simulated, observed, weight)
        assert parts.residuals is not None
        variance = 2.0 * jnp.sum(parts.residuals**2) / jnp.maximum(seen, 1.0)
        return 0.5 * seen * jnp.log(variance) + parts.rest, variance

    memories = jnp.asarray(_MEMORIES, simulated.dtype)
    cost, variance = jax.lax.map(profile, memories)
    best = jnp.argmin(cost)
    return variance[best], memories[best], seen
