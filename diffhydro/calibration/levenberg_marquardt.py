"""Levenberg–Marquardt: Gauss–Newton steps, shortened where they promise more than they give.

    min g·d + ½ d·(H + λ diag H) d  in a box,       ϱ = (L(z) − L(z + d)) / −(g·d + ½ d·H d)

λ shrinks by max(1/3, 1 − (2ϱ − 1)³) after a step downhill and grows by 2, 4, 8, … after a step
uphill (Nielsen 1999). diag H, Marquardt's (1963) own choice and that of PEST, makes the damping
indifferent to the scale of a free number. The box keeps steps short and free numbers within the
edge; which of its sides hold is found by a primal–dual active set (Hintermüller, Ito & Kunisch
2002). Every evaluation comes with its derivatives: among many lanes somebody always needs them.
"""

from typing import NamedTuple

import equinox as eqx
import jax
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
_ROUNDS = 12  # of finding out which entries a box holds; two or three are the rule
_DAMPING = 1e-2  # at the start
_LEAST, _MOST = 1e-7, 1e7  # of the damping
_FLAT = 1e-6  # of the steepest entry's curvature: what counts as none
_BELIEVED = 4.0  # times what a step gained: a promise above it says that the model is poor


class _Memory(NamedTuple):
    gradient: Float[Array, "lane entry"]
    curvature: Float[Array, "lane entry entry"]
    damping: Float[Array, " lane"]
    growth: Float[Array, " lane"]


class LevenbergMarquardt(AbstractMethod):
    """For few parameters and losses made of residuals.

    Args:
        tolerance: A step that promises less than this share of the loss is the last, and so is
            one that gains less and promised not much more.
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
        finite = finite & jnp.all(jnp.isfinite(found.curvature), axis=(-2, -1))
        first = jnp.isinf(now.loss)
        promised = -jnp.sum(here.gradient * step, -1) - 0.5 * jnp.einsum(
            "li,lij,lj->l", step, here.curvature, step, precision="highest"
        )
        gained = jnp.where(first, 0.0, now.loss) - found.loss
        better = finite & (first | (gained > 0))
        small = self.tolerance * jnp.abs(now.loss)
        little = better & (gained <= small) & (promised <= _BELIEVED * gained)
        # A promise or a gain that damping has made small says nothing of the place.
        settled = ~first & finite & (here.damping <= 1.0) & (little | (promised <= small))

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
    """Return the step that the damped model likes best within a box."""
    scale = jnp.diagonal(here.curvature, axis1=-2, axis2=-1)
    least = jnp.maximum(_FLAT * jnp.max(scale, axis=-1), jnp.finfo(scale.dtype).tiny ** 0.5)
    root = jnp.sqrt(jnp.maximum(scale, least[:, None]))
    one = jnp.eye(scale.shape[-1], dtype=scale.dtype)[None]
    matrix = here.curvature / (root[:, :, None] * root[:, None, :])
    matrix = matrix + here.damping[:, None, None] * one
    lowest = jnp.maximum(-EDGE - z, -_LONGEST) * root
    highest = jnp.minimum(EDGE - z, _LONGEST) * root
    return _within(matrix, -here.gradient / root, lowest, highest) / root


def _within(matrix: Array, slope: Array, lowest: Array, highest: Array) -> Array:
    """Return the d between two bounds, of every lane, for which ½ d·M d − b·d is least."""
    one = jnp.eye(matrix.shape[-1], dtype=matrix.dtype)[None]
    steepness = jnp.diagonal(matrix, axis1=-2, axis2=-1)

    def along(d: Array) -> Array:
        return jnp.einsum("lij,lj->li", matrix, d, precision="highest")

    def solved(side: Array) -> Array:
        bound = jnp.where(side > 0, highest, jnp.where(side < 0, lowest, 0.0))
        free = (side == 0)[:, :, None] & (side == 0)[:, None, :]
        right = jnp.where(side == 0, slope - along(bound), bound)
        found = jnp.linalg.solve(jnp.where(free, matrix, one), right[..., None])[..., 0]
        return jnp.where(jnp.isfinite(found), found, 0.0)

    def goes_on(carry: tuple) -> Array:
        side, before, _, count = carry
        return jnp.any(side != before) & (count < _ROUNDS)

    def sided(carry: tuple) -> tuple:
        """Hold what leaves the box; let go what would rather come back into it."""
        side, _, _, count = carry
        d = solved(side)
        wanted = d + (slope - along(d)) / steepness
        above, below = wanted > highest, wanted < lowest
        return above.astype(jnp.int32) - below.astype(jnp.int32), side, d, count + 1

    none = jnp.zeros(slope.shape, jnp.int32)
    begin = none, none - 2, jnp.zeros_like(slope), jnp.zeros((), jnp.int32)
    *_, found, _ = jax.lax.while_loop(goes_on, sided, begin)
    best = jnp.clip(found, lowest, highest)
    # Sides may follow each other round and round. A projected step down the slope, shorter than
    # the largest eigenvalue asks for, is always downhill.
    safe = jnp.clip(slope / jnp.sum(steepness, axis=-1, keepdims=True), lowest, highest)
    cost, other = (jnp.sum(d * (0.5 * along(d) - slope), axis=-1) for d in (best, safe))
    return choose(cost <= other, best, safe)


def _damped(
    here: _Memory, gained: Array, promised: Array, better: Array, first: Array
) -> tuple[Array, Array]:
    ratio = jnp.clip(gained / jnp.where(promised > 0, promised, 1.0), 0.0, 1.0)
    less = here.damping * jnp.maximum(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
    damping = jnp.where(better, jnp.where(first, here.damping, less), here.damping * here.growth)
    growth = jnp.where(better, jnp.full_like(here.growth, 2.0), 2.0 * here.growth)
    return jnp.maximum(damping, _LEAST), growth
