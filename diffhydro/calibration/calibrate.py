"""From a calibration to fitted parameters."""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.fitted import Fitted
from diffhydro.calibration.independent import LANES, Found, Queue, line_up, search
from diffhydro.calibration.levenberg_marquardt import LevenbergMarquardt
from diffhydro.calibration.problem import Calibration
from diffhydro.calibration.search import FAILED, AbstractMethod
from diffhydro.calibration.sharing import Together, numbering
from diffhydro.errors import InputError
from diffhydro.typing import Array

_MARGIN = 0.03  # of the range: how near a bound a random start may be


def calibrate(
    problem: Calibration,
    method: AbstractMethod | None = None,
    *,
    starts: int = 1,
    key: Array | None = None,
    lanes: int = LANES,
    resume: Callable[[Queue], Queue] = lambda queue: queue,
    watch: Callable[[Queue], None] = lambda queue: None,
) -> Fitted:
    """Fit every site for itself.

    Args:
        method: `LevenbergMarquardt()` by default; `Lbfgs()` or `Adam()` for losses without
            residuals.
        starts: Searches of every site: the first from where its parameters are, the others from
            anywhere within the bounds.
        key: Of the random starts.
        lanes: Most searches side by side.
        resume: From the queue at the beginning to the one to go on with, such as one that `watch`
            has saved.
        watch: Is shown the queue after every round; may save it, and may raise to stop.

    Returns:
        All that was found. A site without observations, or with a loss that is no number, is
        named in `reasons`; the others are not disturbed by it.
    """
    method = LevenbergMarquardt() if method is None else method
    z = places(problem, starts, key)
    empty = _unobserved(problem)
    if empty.all():
        raise InputError(
            f"none of the {problem.sites} sites has an observation of "
            f"{', '.join(t.name for t in problem.targets)} on a day of the weather"
        )
    who = np.flatnonzero(~empty)
    site = np.repeat(who, starts)
    begin = z[jnp.asarray(who)].reshape(len(site), -1)
    queue = resume(line_up(method, begin, site, lanes))
    found = search(problem, method, begin, site, queue, watch)
    return _gathered(problem, z, who, found)


def calibrate_together(
    problem: Calibration,
    method: AbstractMethod | None = None,
    *,
    shared: Sequence[str] = (),
    by_cluster: Sequence[str] = (),
    clusters: np.ndarray | None = None,
    starts: int = 1,
    key: Array | None = None,
    resume: Callable[[Queue], Queue] = lambda queue: queue,
    watch: Callable[[Queue], None] = lambda queue: None,
) -> Fitted:
    """Fit sites that share parameters, to the mean of their losses.

    Args:
        shared: Paths or patterns of what all sites share.
        by_cluster: Of what the sites of a cluster share; the rest is every site's own.
        clusters: A label for each site.
    """
    method = LevenbergMarquardt() if method is None else method
    index = numbering(
        problem.coordinates,
        problem.sites,
        shared=shared,
        by_cluster=by_cluster,
        clusters=clusters,
    )
    empty = _unobserved(problem)
    if empty.all():
        raise InputError(f"none of the {problem.sites} sites has an observation")
    all_sites = Together(problem, index)
    z = _from(all_sites.before()[None], starts, key)[0]
    none = np.zeros(starts, int)
    found = search(all_sites, method, z, none, resume(line_up(method, z, none, 1)), watch)
    each = np.asarray(all_sites.of_sites(jnp.asarray(found.z)))
    # The loss of the whole, at every site, so that all sites take the same start for the best.
    whole = [np.broadcast_to(x, (problem.sites, *x.shape)) for x in found[1:]]
    return Fitted(problem, each, *whole, reasons={})


def places(problem: Calibration, starts: int, key: Array | None) -> Array:
    """Return where searches start `[site, start, entry]`."""
    return _from(problem.before(), starts, key)


def _from(first: Array, starts: int, key: Array | None) -> Array:
    if starts < 1:
        raise InputError(f"starts is {starts}; a calibration needs at least one")
    key = jax.random.key(0) if key is None else key
    shape = (first.shape[0], starts - 1, first.shape[1])
    where = jax.random.uniform(key, shape, first.dtype, _MARGIN, 1.0 - _MARGIN)
    return jnp.concatenate([first[:, None], jnp.log(where) - jnp.log1p(-where)], axis=1)


def _unobserved(problem: Calibration) -> np.ndarray:
    seen = [np.isfinite(np.asarray(t.observed)).any(axis=1) for t in problem.targets]
    return ~np.logical_or.reduce(seen)


def _gathered(problem: Calibration, z: Array, who: np.ndarray, found: Found) -> Fitted:
    """Put the results of the sites that were searched among all sites."""
    sites, starts = z.shape[:2]

    def spread(values: np.ndarray, empty: float) -> np.ndarray:
        out = np.full((sites, starts, *values.shape[1:]), empty, values.dtype)
        out[who] = values.reshape(len(who), starts, *values.shape[1:])
        return out

    names = ", ".join(target.name for target in problem.targets)
    reasons = {
        int(site): f"no observation of {names} on a day of the weather"
        for site in np.setdiff1d(np.arange(sites), who)
    }
    status = spread(found.status, FAILED)
    broken = [site for site in who if (status[site] == FAILED).all()]
    reasons |= {int(site): _what_broke(problem, z[site, 0], int(site)) for site in broken}
    places = np.where((status == FAILED)[..., None], np.asarray(z), spread(found.z, 0.0))
    evaluations, course = spread(found.evaluations, 0), spread(found.course, np.nan)
    loss = spread(found.loss, np.inf)
    return Fitted(problem, places, loss, status, evaluations, course, reasons)


def _what_broke(problem: Calibration, z: Array, site: int) -> str:
    terms = _terms(problem, z[None], jnp.asarray([site]))
    bad = [name for name, value in terms.items() if not np.isfinite(np.asarray(value)).all()]
    what = ", ".join(bad) if bad else "the gradient"
    return f"{what} is not a finite number at the start; look at the site's weather and parameters"


@eqx.filter_jit
def _terms(problem: Calibration, z: Array, site: Array) -> dict[str, Array]:
    return problem.terms(z, site)
