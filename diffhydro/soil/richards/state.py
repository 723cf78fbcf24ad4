"""What the solver carries from interval to interval, and what it reports about each."""

from typing import NamedTuple

import equinox as eqx

from diffhydro.typing import Array, Float


class SoilWater(eqx.Module):
    """State of a column: heads, stored water, pond, and the step the solver would take next.

    `stored` is the truth about water; `psi` is its image, kept because it is the best first guess
    and what boundaries respond to. `pace` (days) belongs to the state so that a run in two halves
    equals one run.
    """

    psi: Float[Array, " node"]
    stored: Float[Array, " node"]
    pond: Float[Array, ""]
    pace: Float[Array, ""]


class Change(NamedTuple):
    """Tangents of a state, or its cotangents: what a derivative carries through an interval."""

    psi: Float[Array, " node"]
    stored: Float[Array, " node"]
    pond: Float[Array, ""]


class Exchange(eqx.Module):
    """Water that crossed the column's limits during an interval, mm."""

    infiltration: Float[Array, ""]
    runoff: Float[Array, ""]
    drainage: Float[Array, ""]
    uptake: Float[Array, ""]


class Effort(eqx.Module):
    """What an interval cost, and what the solver could not do.

    Args:
        substeps: Steps accepted.
        sweeps: Newton iterations, rejected steps included.
        rejected: Steps tried again with a smaller one.
        forced: Steps accepted without convergence or above the error tolerance. Water is
            conserved in them; the heads are not to be trusted.
        rough: Stages accepted with a residual above the tolerance, but below a hundredth of the
            error that the steps themselves may make, after twice the iterations. Values are good,
            the gradient through such a stage is only as exact as its residual.
    """

    substeps: Float[Array, ""]
    sweeps: Float[Array, ""]
    rejected: Float[Array, ""]
    forced: Float[Array, ""]
    rough: Float[Array, ""]
