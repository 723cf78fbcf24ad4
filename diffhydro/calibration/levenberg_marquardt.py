"""Levenberg–Marquardt: Gauss–Newton steps, shortened where they promise more than they give.

    (H + λ diag H) d = −g,       ϱ = (L(z) − L(z + d)) / −(g·d + ½ d·H d)

λ shrinks by max(1/3, 1 − (2ϱ − 1)³) after a step downhill and grows by 2, 4, 8, … after a step
uphill (Nielsen 1999). diag H, Marquardt's (1963) own choice and that of PEST, makes the damping
indifferent to the scale of a free number. Every evaluation comes with its derivatives: among many
lanes somebody always needs them.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from diffhydro.calibration.coordinates import EDGE
from diffhydro.calibration.objective import AbstractObjective
from diffhydro.calibration.search import (
    CAPPED,
    CONVERGED,
    FAILED,
    RUNNING,
    STUCK,
    AbstractMethod,
    Search,
    choose,
)
from diffhydro.typing import Array, Float, Int

_LONGEST = 2.0  # of a step of a free number: half the range from the middle of the bounds
_ROUNDS = 3  # of finding out which entries a box holds
_DAMPING = 1e-2  # at the start
_LEAST, _MOST = 1e-7, 1e7  # of the damping
_FLAT = 1e-6  # of the steepest entry's curvature: what counts as none


class _Memory(NamedTuple):
    gradient: Float[Array, "lane entry"]
    curvature: Float[Array, "lane entry entry"]
    damping: Float[Array, " lane"]
    growth: Float[Array, " lane"]


class LevenbergMarquardt(AbstractMethod):
    """For few parameters and losses made of residuals.

    Args:
        tolerance: A step that gains less than this share of the loss, or promises less, is the
            last.
        most: Evaluations.
    """

    tolerance: float = eqx.field(static=True, default=1e-4)
    most: int = eqx.field(static=True, default=50)

    def remember(self, z: Float[Array, "lane entry"]) -> _Memory:
        lanes, entries = z.shape
        none = jnp.zeros((lanes, entries), z.dtype)
        flat = jnp.zeros((lanes, entries, entries), z.dtype)
        return _Memory(
            none, flat, jnp.full(lanes, _DAMPING, z.dtype), jnp.full(lanes, 2.0, z.dtype)
        )

    def advance(self, problem: AbstractObjective, site: Int[Array, " lane"], now: Search) -> Search:
        here: _Memory = now.inner
        step = jnp.clip(now.z + _step(now.z, here), -EDGE, EDGE) - now.z
        found = problem.normal(now.z + step, site)
        finite = jnp.isfinite(found.loss) & jnp.all(jnp.isfinite(found.gradient), axis=-1)
        first = jnp.isinf(now.loss)
        promised = -jnp.sum(here.gradient * step, -1) - 0.5 * jnp.einsum(
            "li,lij,lj->l", step, here.curvature, step
        )
        gained = jnp.where(first, 0.0, now.loss) - found.loss
        better = finite & (first | (gained > 0))
        small = self.tolerance * jnp.abs(now.loss)
        # A promise that damping has made small says nothing of the place.
        nothing_left = (promised <= small) & (here.damping <= 1.0)
        settled = ~first & finite & (nothing_left | (better & (gained <= small)))

        damping, growth = _damped(here, gained, promised, better, first)
        evaluations = now.evaluations + now.running.astype(jnp.int32)
        status = jnp.where(evaluations >= self.most, CAPPED, RUNNING)
        status = jnp.where(damping > _MOST, STUCK, status)
        status = jnp.where(settled, CONVERGED, status)
        status = jnp.where(first & ~finite, FAILED, status).astype(jnp.int32)
        curves = found.gradient, found.curvature
        z, loss = choose(better, (now.z + step, found.loss), (now.z, now.loss))
        slope, bend = choose(better, curves, (here.gradient, here.curvature))
        after = Search(z, loss, status, evaluations, _Memory(slope, bend, damping, growth))
        return choose(now.running, after, now)


def _step(z: Array, here: _Memory) -> Array:
    """Solve for a step within a box; entries that would leave it stay on its side.

    The others are solved for again with these held, so that an entry on its way to a bound, which
    wants to go far, does not shorten the way of the rest.
    """
    scale = jnp.diagonal(here.curvature, axis1=-2, axis2=-1)
    least = jnp.maximum(_FLAT * jnp.max(scale, axis=-1), jnp.finfo(scale.dtype).tiny ** 0.5)
    root = jnp.sqrt(jnp.maximum(scale, least[:, None]))
    one = jnp.eye(scale.shape[-1], dtype=scale.dtype)[None]
    matrix = here.curvature / (root[:, :, None] * root[:, None, :])
    matrix = matrix + here.damping[:, None, None] * one
    lowest = jnp.maximum(-EDGE - z, -_LONGEST) * root
    highest = jnp.minimum(EDGE - z, _LONGEST) * root
    held, step = jnp.zeros(z.shape, bool), jnp.zeros_like(z)
    for _ in range(_ROUNDS):
        moved = jnp.einsum("lij,lj->li", matrix, jnp.where(held, step, 0.0))
        right = jnp.where(held, step, -here.gradient / root - moved)
        free = ~held[:, :, None] & ~held[:, None, :]
        found = jnp.linalg.solve(jnp.where(free, matrix, one), right[..., None])[..., 0]
        step = jnp.clip(jnp.where(jnp.isfinite(found), found, 0.0), lowest, highest)
        held = held | (step != found)
    return step / root


def _damped(
    here: _Memory, gained: Array, promised: Array, better: Array, first: Array
) -> tuple[Array, Array]:
    ratio = jnp.clip(gained / jnp.where(promised > 0, promised, 1.0), 0.0, 1.0)
    less = here.damping * jnp.maximum(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
    damping = jnp.where(better, jnp.where(first, here.damping, less), here.damping * here.growth)
    growth = jnp.where(better, jnp.full_like(here.growth, 2.0), 2.0 * here.growth)
    return jnp.maximum(damping, _LEAST), growth
