"""One safeguarded Newton iteration, and what it leaves behind.

Three limits on the step, each the cure of a stall that was seen:

* a saturated node may fall into the rim of saturation only, where the slopes that bring it to its
  place are valid (Brooks–Corey columns cycle otherwise);
* a drier node that wants to saturate stops at the edge first (wetting fronts overshoot), but from
  within the rim it passes, or a saturated zone would grow by one node per iteration;
* in dry soil a head may fall to a tenth or rise to ten times (C and K bend over decades there).

The water after the step is the *linearised* balance, so it closes to rounding whether or not the
iteration has converged; convergence is judged by the residual, never by the balance.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from diffhydro.core import tridiagonal
from diffhydro.core.tally import Tally
from diffhydro.soil.richards.flows import Flows, carried
from diffhydro.soil.richards.problem import Ends
from diffhydro.typing import Array

_LEAST_MOVE = 20.0  # mm: heads near zero must be able to move at all


class Sweep(NamedTuple):
    """The next heads and the verdict on them."""

    psi: Tally
    change: Array
    flows: Flows  # at the heads before the change
    converged: Array
    close: Array  # wrong by less than the steps themselves may be
    noise: Array  # storage that rounding alone can move, per node

    def exchange(self) -> tuple[Array, Array | None]:
        """Return the linearised face fluxes and uptake, which the new storage satisfies."""
        flows = self.flows
        face = flows.face + carried(flows.from_above, flows.from_below, self.change)
        if flows.sink is None or flows.sink_slope is None:
            return lax.optimization_barrier(face), None
        return lax.optimization_barrier((face, flows.sink + flows.sink_slope * self.change))


def improve(
    flows: Flows, psi: Tally, limits: Ends, scale: Array, tolerance: float, rough: float | None
) -> Sweep:
    """Take one Newton step from `psi`.

    Args:
        limits: The ends of the curves.
        scale: Node volumes that turn the tolerances, water contents, into millimetres.
        tolerance: Residual of a converged stage.
        rough: Residual that may be let pass when iterating does not help; None for none.
    """
    change = lax.optimization_barrier(
        tridiagonal.sweep(flows.lower, flows.diagonal, flows.upper, -flows.residual)
    )
    allowed = _limited(psi.value, change, limits)
    allowed = jnp.where(jnp.isfinite(change), allowed, 0.0)
    noise = 8.0 * jnp.finfo(change.dtype).eps * (flows.stored + flows.diagonal * scale)
    small = tolerance * scale + noise
    wrong = jnp.maximum(jnp.abs(flows.residual), jnp.abs(flows.capacity * change))
    # NaN compares false, so ask that everything is right rather than that nothing is wrong.
    cut = flows.diagonal * jnp.abs(allowed - change)  # what the limits withhold, as water
    fine = (wrong <= small) & (cut <= small)
    converged = close = every_node(fine, change.dtype)
    if rough is not None:
        near = (jnp.abs(flows.residual) <= rough * scale + noise) & jnp.isfinite(change)
        # What a node does not have it cannot be short of: let no rough stage go below θ_r.
        near &= (flows.residual <= small) | (flows.residual <= 0.5 * (flows.stored - limits.least))
        close = every_node(near, change.dtype)
    return Sweep(psi.plus(allowed), allowed, flows, converged, close, noise)


def every_node(fine: Array, dtype) -> Array:
    """Reduce over nodes by a matrix product: XLA:CPU's own reduction is 20 times slower."""
    ill = lax.optimization_barrier(jnp.where(fine, jnp.zeros((), dtype), 1.0))
    return (jnp.ones((1, ill.shape[0]), dtype) @ ill)[0] == 0.0


def _limited(psi: Array, change: Array, limits: Ends) -> Array:
    """Shorten the change where a limit holds, and leave every other change untouched."""
    size = jnp.abs(psi)
    gap = limits.edge - psi
    least = jnp.where(gap <= 0.0, gap - 0.5 * limits.rim, -9.0 * size - _LEAST_MOVE)
    most = jnp.where(gap <= limits.rim, jnp.inf, jnp.minimum(gap, 0.9 * size + _LEAST_MOVE))
    return jnp.clip(change, least, most)
