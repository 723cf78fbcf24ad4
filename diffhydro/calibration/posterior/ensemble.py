"""From members, each a vector of free numbers, to series and bands.

A band of the model is where the true series lies, as far as parameters are what is unknown; one of
observations adds errors (`errors.py`). Draws come in as `[member, site, entry]`, from `Posterior`
or `Chains`. The quantile of M members at probability p is their p (M + 1)-th in order (Weibull's):
a further draw of the same law then lies below it with probability p, however few members there are.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.posterior.bands import LEVELS, Bands, Interval, check_levels
from diffhydro.calibration.posterior.errors import draw_errors
from diffhydro.calibration.posterior.likelihood import require_likelihood
from diffhydro.calibration.posterior.rounds import in_rounds
from diffhydro.calibration.problem import Calibration
from diffhydro.errors import InputError
from diffhydro.training.likelihood import Gaussian
from diffhydro.typing import Array

LANES = 1024  # members times sites side by side


def bands(
    problem: Calibration,
    draws: np.ndarray,
    *,
    key: Array,
    levels: Sequence[float] = LEVELS,
    sites: Sequence[int] | None = None,
    lanes: int = LANES,
) -> dict[str, Bands]:
    """Simulate members and return bands of every target, by name.

    Args:
        problem: Whose posterior the draws come from.
        draws: Free numbers `[member, site, entry]`.
        key: Of the errors of measurements.
        levels: Probabilities of the bands.
        sites: That the draws belong to; all by default.
        lanes: Most simulations side by side; no more series are held in memory at a time.
    """
    require_likelihood(problem)
    site = _checked(problem, draws, sites)
    levels = check_levels(levels)
    _require_members(len(draws), max(levels))
    ends = np.array([0.5, *_tails(levels)])

    def quantiles(z: Array, site: Array) -> tuple[tuple[Array, Array], ...]:
        return _quantiles(problem, z, site, key, jnp.asarray(ends))

    by_site = np.moveaxis(_cast(problem, draws), 0, 1)
    found = in_rounds(quantiles, by_site, site, lanes=max(1, lanes // len(draws)))
    pairs = zip(problem.targets, found, strict=True)
    return {target.name: _bands(levels, *both) for target, both in pairs}


def simulate_members(
    problem: Calibration,
    draws: np.ndarray,
    *,
    sites: Sequence[int] | None = None,
    lanes: int = LANES,
) -> dict[str, np.ndarray]:
    """Return what every member simulates `[member, site, time]`, by target."""
    site = _checked(problem, draws, sites)
    z = _cast(problem, draws)
    flat = z.reshape(-1, z.shape[2])
    where = np.tile(site, len(z))
    found = in_rounds(lambda z, site: _simulate(problem, z, site), flat, where, lanes=lanes)
    pairs = zip(problem.targets, found, strict=True)
    return {target.name: x.reshape(*z.shape[:2], -1) for target, x in pairs}


@eqx.filter_jit
def _simulate(problem: Calibration, z: Array, site: Array) -> tuple[Array, ...]:
    return problem.simulate(z, site)


@eqx.filter_jit
def _quantiles(
    problem: Calibration, z: Array, site: Array, key: Array, ends: Array
) -> tuple[tuple[Array, Array], ...]:
    """Return quantiles `[site, end, time]` of the series and of measurements, by target."""
    sites, members = z.shape[:2]
    where = jnp.repeat(site, members)
    flat = z.reshape(sites * members, -1)
    series = problem.simulate(flat, where)
    losses = jax.vmap(problem.losses_at)(flat, where)
    # A site's errors are its own, whatever the sites beside it.
    keys = jax.vmap(lambda s: jax.random.split(jax.random.fold_in(key, s), members))(site)
    out = []
    for number, (law, one) in enumerate(zip(losses, series, strict=True)):
        assert isinstance(law, Gaussian)
        mine = jax.vmap(lambda k, n=number: jax.random.fold_in(k, n))(keys.reshape(-1))
        error = jax.vmap(lambda law, s, k: draw_errors(law, s, key=k))(law, one, mine)
        pair = (x.reshape(sites, members, -1) for x in (one, one + error))
        out.append(tuple(jax.vmap(lambda x: ordered(x, ends))(x) for x in pair))
    return tuple(out)


def ordered(members: Array, ends: Array) -> Array:
    """Return Weibull's quantiles `[end, time]` of members `[member, time]`."""
    count = members.shape[0]
    place = jnp.clip(ends.astype(members.dtype) * (count + 1) - 1.0, 0.0, count - 1.0)
    below = jnp.clip(jnp.floor(place).astype(jnp.int32), 0, max(count - 2, 0))
    share = (place - below.astype(place.dtype))[:, None]
    rows = jnp.sort(members, axis=0)
    return (1.0 - share) * rows[below] + share * rows[jnp.minimum(below + 1, count - 1)]


def _tails(levels: tuple[float, ...]) -> list[float]:
    return [0.5 - 0.5 * x for x in levels] + [0.5 + 0.5 * x for x in levels]


def _bands(levels: tuple[float, ...], model: np.ndarray, observed: np.ndarray) -> Bands:
    def ends(found: np.ndarray) -> Interval:
        by_level = np.moveaxis(found[:, 1:], 1, 0)
        return Interval(by_level[: len(levels)], by_level[len(levels) :])

    return Bands(levels, model[:, 0], ends(model), ends(observed))


def _cast(problem: Calibration, draws: np.ndarray) -> np.ndarray:
    return np.asarray(draws).astype(problem.before().dtype)


def _checked(problem: Calibration, draws: np.ndarray, sites: Sequence[int] | None) -> np.ndarray:
    site = np.arange(problem.sites) if sites is None else np.asarray(sites, int)
    wanted = (len(site), len(problem.coordinates))
    if np.ndim(draws) != 3 or np.shape(draws)[1:] != wanted or not len(draws):
        raise InputError(
            f"draws have shape {np.shape(draws)}; expected [member, site, entry] with "
            f"{wanted[0]} sites and {wanted[1]} entries"
        )
    if len(site) and not (site.min() >= 0 and site.max() < problem.sites):
        raise InputError(f"sites are 0 to {problem.sites - 1}; got {site.min()} to {site.max()}")
    return site


def _require_members(count: int, level: float) -> None:
    least = int(np.ceil(2.0 / (1.0 - level) - 1.0 - 1e-9))
    if count < least:
        raise InputError(
            f"{count} members have no {level:.6g} band: the outermost are too far in; draw at "
            f"least {least}"
        )
