"""One safeguarded Newton iteration, and what it leaves behind.

Three limits on the step, each the cure of a stall that was seen:

* a saturated node may leave saturation by 0.1 mm only (Brooks–Corey columns cycle otherwise);
* an unsaturated node that wants to saturate stops at the edge first (wetting fronts overshoot);
* in dry soil a head may fall to a tenth or rise to ten times (C and K bend over decades there).

The water after the step is the *linearised* balance, so it closes to rounding whether or not the
iteration has converged; convergence is judged by the residual, never by the balance.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from diffhydro.core import tridiagonal
from diffhydro.soil.richards.flows import Flows
from diffhydro.typing import Array

_NEAR_EDGE = 0.1  # mm
_LEAST_MOVE = 20.0  # mm: heads near zero must be able to move at all


class Sweep(NamedTuple):
    """The next heads and the verdict on them."""

    psi: Array
    change: Array
    flows: Flows  # at the heads before the change
    converged: Array
    close: Array  # wrong by less than the steps themselves may be
    noise: Array  # storage that rounding alone can move, per node

    def exchange(self) -> tuple[Array, Array | None]:
        """Return the linearised face fluxes and uptake, which the new storage satisfies."""
        flows = self.flows
        none = jnp.zeros_like(self.change[:1])
        from_above = jnp.concatenate([none, self.change])
        from_below = jnp.concatenate([self.change, none])
        from_above, from_below = lax.optimization_barrier((from_above, from_below))
        face = flows.face + flows.from_above * from_above + flows.from_below * from_below
        if flows.sink is None or flows.sink_slope is None:
            return lax.optimization_barrier(face), None
        return lax.optimization_barrier((face, flows.sink + flows.sink_slope * self.change))


def improve(
    flows: Flows, psi: Array, edge: Array, scale: Array, tolerance: float, rough: float | None
) -> Sweep:
    """Take one Newton step from `psi`.

    Args:
        edge: Air-entry head of each node.
        scale: Node volumes that turn the tolerances, water contents, into millimetres.
        tolerance: Residual of a converged stage.
        rough: Residual that may be let pass when iterating does not help; None for none.
    """
    change = lax.optimization_barrier(
        tridiagonal.sweep(flows.lower, flows.diagonal, flows.upper, -flows.residual)
    )
    reached = _limited(psi, change, edge)
    noise = 8.0 * jnp.finfo(psi.dtype).eps * flows.diagonal * (jnp.abs(psi) + 1.0)
    small = tolerance * scale + noise
    wrong = jnp.maximum(jnp.abs(flows.residual), jnp.abs(flows.capacity * change))
    # NaN compares false, so ask that everything is right rather than that nothing is wrong.
    cut = flows.diagonal * jnp.abs(reached - psi - change)  # what the limits withhold, as water
    fine = (wrong <= small) & (cut <= small)
    reached = jnp.where(jnp.isfinite(change), reached, psi)
    converged = close = every_node(fine, psi.dtype)
    if rough is not None:
        near = (jnp.abs(flows.residual) <= rough * scale + noise) & jnp.isfinite(change)
        close = every_node(near, psi.dtype)
    return Sweep(reached, reached - psi, flows, converged, close, noise)


def every_node(fine: Array, dtype) -> Array:
    """Reduce over nodes by a matrix product: XLA:CPU's own reduction is 20 times slower."""
    ill = lax.optimization_barrier(jnp.where(fine, jnp.zeros((), dtype), 1.0))
    return (jnp.ones((1, ill.shape[0]), dtype) @ ill)[0] == 0.0


def _limited(psi: Array, change: Array, edge: Array) -> Array:
    size = jnp.abs(psi)
    change = jnp.maximum(change, -9.0 * size - _LEAST_MOVE)
    wet = psi >= edge
    rise = jnp.where(wet, change, jnp.minimum(change, 0.9 * size + _LEAST_MOVE))
    reached = psi + rise
    return jnp.where(wet, jnp.maximum(reached, edge - _NEAR_EDGE), jnp.minimum(reached, edge))
