"""Sampling a posterior that may be bent or one-sided: NUTS (Hoffman & Gelman 2014).

Chains walk in v, z = ẑ + R v, with ẑ and R from Laplace: where that is a good likeness v has a unit
ball for a posterior, and what is left for the warm-up to learn is a step length and a few scales.
Chains start from draws of Laplace's posterior. Sites do not see each other; chains of many go side
by side, each with its own tree, and wait for the deepest.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.posterior.chains import Chains
from diffhydro.calibration.posterior.diagnostics import (
    blackjax,
    effective_draws,
    loosely,
    split_r_hat,
)
from diffhydro.calibration.posterior.posterior import Posterior
from diffhydro.calibration.problem import Calibration
from diffhydro.errors import InputError
from diffhydro.typing import Array

LANES = 256  # chains side by side
_DOUBLINGS = 8  # of a trajectory: 255 steps; one in a unit ball takes 3 to 7
_BLOCK = 100  # draws between two calls of `watch`


def sample(
    posterior: Posterior,
    *,
    key: Array,
    chains: int = 4,
    warmup: int = 300,
    draws: int = 500,
    sites: Sequence[int] | None = None,
    accept: float = 0.8,
    lanes: int = LANES,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Chains:
    """Draw from the posterior by NUTS.

    Args:
        posterior: Laplace's, of the problem whose loss is −ln p.
        key: Draws of a site depend on it, on the site's number and on nothing beside it.
        chains: Of every site.
        warmup: Draws that tune step length and scales, and are thrown away.
        draws: Of every chain, that are kept.
        sites: All by default that have a posterior.
        accept: Acceptance that the step length is tuned to; more where trajectories diverge.
        lanes: Most chains side by side.
        watch: Is shown how many draws of a chain are done, of how many, over all batches of sites;
            may raise to stop.
    """
    blackjax()
    site = _checked(posterior, sites, chains, warmup, draws)
    size = max(1, lanes // chains)
    batches = [site[i : i + size] for i in range(0, len(site), size)]
    total = len(batches) * (warmup + draws)
    found = []
    for number, batch in enumerate(batches):
        # One shape serves all: the last batch is filled up with its last site.
        missing = min(size, len(site)) - len(batch)
        filled = np.append(batch, np.repeat(batch[-1:], missing))
        past = number * (warmup + draws)
        kept = _drawn(
            posterior.problem,
            _places(posterior, filled, chains),
            _keys(filled, chains, key),
            (warmup, draws),
            accept,
            lambda done, past=past: watch(past + done, total),
        )
        count = len(batch) * chains
        found.append(jax.tree.map(lambda x, count=count: x[:count], kept))
    draw: _Draw = jax.tree.map(
        lambda *x: np.concatenate(x).reshape(len(site), chains, *x[0].shape[1:]), *found
    )
    return Chains(
        problem=posterior.problem,
        sites=site,
        z=draw.z,
        divergent=draw.divergent.mean(axis=2),
        acceptance=draw.acceptance.mean(axis=2),
        steps=draw.steps.mean(axis=2),
        r_hat=split_r_hat(draw.z),
        effective=effective_draws(draw.z),
    )


class _Draw(NamedTuple):
    """What is kept of a draw."""

    z: Any
    divergent: Any
    acceptance: Any
    steps: Any


class _Place(eqx.Module):
    """Where a chain walks."""

    site: Array
    middle: Array
    root: Array

    def z(self, v: Array) -> Array:
        return self.middle + jnp.sum(self.root * v[None], axis=1)


def _places(posterior: Posterior, sites: np.ndarray, chains: int) -> _Place:
    dtype = posterior.problem.before().dtype
    who = np.repeat(sites, chains)
    z, root = (jnp.asarray(x[who].astype(dtype)) for x in (posterior.z, posterior.root))
    return _Place(jnp.asarray(who), z, root)


def _keys(sites: np.ndarray, chains: int, key: Array) -> Array:
    """Return a key for every chain, by the number of its site and its own."""
    each = jax.vmap(lambda s: jax.random.split(jax.random.fold_in(key, s), chains))
    return each(jnp.asarray(sites)).reshape(-1)


def _drawn(
    problem: Calibration,
    places: _Place,
    keys: Array,
    counts: tuple[int, int],
    accept: float,
    watch: Callable[[int], None],
) -> _Draw:
    """Warm chains up, and draw from them `[chain, draw]` in blocks of one length."""
    warmup, draws = counts
    blocks = -(-draws // _BLOCK)
    length = -(-draws // blocks)
    with loosely():
        state, tuned = _warm(problem, places, keys, warmup, accept)
        watch(warmup)
        parts = []
        for number in range(blocks):
            first = jnp.asarray(number * length)
            state, part = _block(problem, places, keys, state, tuned, first, length)
            parts.append(jax.tree.map(np.asarray, part))
            watch(warmup + min((number + 1) * length, draws))
    return jax.tree.map(lambda *x: np.concatenate(x, axis=1)[:, :draws], *parts)


def _density(problem: Calibration, place: _Place) -> Callable[[Array], Array]:
    return lambda v: -problem.loss(place.z(v)[None], place.site[None])[0]


@eqx.filter_jit
def _warm(problem: Calibration, places: _Place, keys: Array, warmup: int, accept: float) -> Any:
    """Tune every chain: its state, and its step length with its scales."""
    library = blackjax()

    def one(place: _Place, key: Array) -> Any:
        first, rest = jax.random.split(jax.random.fold_in(key, 0))
        start = jax.random.normal(first, place.middle.shape, place.middle.dtype)
        tuning = library.window_adaptation(
            library.nuts,
            _density(problem, place),
            target_acceptance_rate=accept,
            adaptation_info_fn=lambda *_: None,
            max_num_doublings=_DOUBLINGS,
        )
        (state, tuned), _ = tuning.run(rest, start, warmup)
        return state, (tuned["step_size"], tuned["inverse_mass_matrix"])

    return jax.vmap(one)(places, keys)


@eqx.filter_jit
def _block(
    problem: Calibration,
    places: _Place,
    keys: Array,
    state: Any,
    tuned: Any,
    first: Array,
    length: int,
) -> Any:
    """Draw some more from every chain."""
    kernel = blackjax().nuts.build_kernel()

    def one(place: _Place, key: Array, state: Any, tuned: Any) -> Any:
        density = _density(problem, place)

        def draw(state: Any, number: Array) -> tuple[Any, _Draw]:
            # By its number, so that a chain does not depend on the length of blocks.
            now = jax.random.fold_in(jax.random.fold_in(key, 1), number)
            state, info = kernel(now, state, density, *tuned, _DOUBLINGS)
            seen = info.is_divergent, info.acceptance_rate, info.num_integration_steps
            return state, _Draw(place.z(state.position), *seen)

        return jax.lax.scan(draw, state, first + jnp.arange(length))

    return jax.vmap(one)(places, keys, state, tuned)


def _checked(
    posterior: Posterior, sites: Sequence[int] | None, chains: int, warmup: int, draws: int
) -> np.ndarray:
    if chains < 2 or warmup < 20 or draws < 4:
        raise InputError(
            f"chains, warmup and draws are {chains}, {warmup} and {draws}; R̂ compares 2 chains or "
            "more, a warm-up tunes scales from 20 draws on, and 4 draws are the fewest to judge"
        )
    there = posterior.is_there
    site = np.flatnonzero(there) if sites is None else np.asarray(sites, int)
    outside = (site < 0) | (site >= len(there))
    if not len(site) or outside.any() or not there[site].all():
        raise InputError(
            f"sites are {site.tolist()}; take some of those with a posterior: "
            f"{np.flatnonzero(there).tolist()}"
        )
    return site
