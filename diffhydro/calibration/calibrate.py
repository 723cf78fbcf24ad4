"""From a calibration to fitted parameters."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.fitted import Fitted
from diffhydro.calibration.independent import LANES, Found, Queue, line_up, search
from diffhydro.calibration.levenberg_marquardt import LevenbergMarquardt
from diffhydro.calibration.problem import Calibration
from diffhydro.calibration.reasons import broken, observed, unseen
from diffhydro.calibration.search import FAILED, AbstractMethod
from diffhydro.calibration.sharing import Together, entries, numbering
from diffhydro.calibration.starts import key_or_first, places, starting_from
from diffhydro.errors import InputError
from diffhydro.typing import Array


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
        starts: Searches of every site: the first from where its parameters are, or from a little
            inside of a bound on which they are, the others from anywhere within the bounds.
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
    who = observed(problem)
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

    Returns:
        All that was found. A site without observations takes what it shares from the others, one
        with a loss that is no number is left out; `reasons` names both.
    """
    method = LevenbergMarquardt() if method is None else method
    index = numbering(
        problem.coordinates,
        problem.sites,
        shared=shared,
        by_cluster=by_cluster,
        clusters=clusters,
    )
    who = observed(problem)
    bad = broken(problem, who)
    who = np.setdiff1d(who, list(bad))
    if not len(who):
        raise InputError(f"no site can be fitted: {'; '.join(bad.values())}")
    used, mine = np.unique(index[who], return_inverse=True)
    part = Together(problem.of_sites(who.tolist()), mine.reshape(len(who), -1))
    is_bounded = problem.coordinates.is_bounded[entries(index)[used]]
    z = starting_from(part.before()[None], is_bounded, starts, key_or_first(key)[None])[0]
    none = np.zeros(starts, int)
    found = search(part, method, z, none, resume(line_up(method, z, none, 1)), watch)
    numbers = np.tile(np.asarray(Together(problem, index).before()), (starts, 1))
    numbers[:, used] = found.z
    each = np.moveaxis(numbers[:, index], 0, 1)
    # The loss of the whole, at every site, so that all sites take the same start for the best.
    _, loss, status, evaluations, course = (np.stack([x] * problem.sites) for x in found)
    status[list(bad)], loss[list(bad)] = FAILED, np.inf
    reasons = bad | {
        site: f"{why}; what it shares is that of the others"
        for site, why in unseen(problem).items()
    }
    if (found.status == FAILED).all():
        why = "the loss of all together, or its gradient, is not a finite number at any start"
        reasons |= {int(site): why for site in who}
    return Fitted(problem, each, loss, status, evaluations, course, reasons)


def _gathered(problem: Calibration, z: Array, who: np.ndarray, found: Found) -> Fitted:
    """Put the results of the sites that were searched among all sites."""
    sites, starts = z.shape[:2]

    def spread(values: np.ndarray, empty: float) -> np.ndarray:
        out = np.full((sites, starts, *values.shape[1:]), empty, values.dtype)
        out[who] = values.reshape(len(who), starts, *values.shape[1:])
        return out

    status = spread(found.status, FAILED)
    failed = [site for site in who if (status[site] == FAILED).all()]
    reasons = unseen(problem) | broken(problem, np.array(failed, int), "the gradient")
    places = np.where((status == FAILED)[..., None], np.asarray(z), spread(found.z, 0.0))
    evaluations, course = spread(found.evaluations, 0), spread(found.course, np.nan)
    loss = spread(found.loss, np.inf)
    return Fitted(problem, places, loss, status, evaluations, course, reasons)
