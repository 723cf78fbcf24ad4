"""Equal sub-steps of backward Euler (or SDIRK2): cheap, predictable, made for training.

Every column of a batch does the same number of sub-steps, so nothing waits for anything else.
What does not converge within the cap is counted in `Effort.forced`.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.tally import Tally
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards import flows as flow
from diffhydro.soil.richards.newton import Sweep
from diffhydro.soil.richards.problem import Mesh, Problem, ends
from diffhydro.soil.richards.record import Steps
from diffhydro.soil.richards.stage import BACKWARD_EULER, Rates, Scheme, Stage
from diffhydro.soil.richards.state import Effort, Exchange, SoilWater
from diffhydro.typing import Array


class Fixed(eqx.Module):
    """Policy: a fixed number of equal sub-steps.

    Args:
        substeps: Sub-steps per interval.
        iterations: Cap on Newton iterations per stage; all columns stop together earlier when all
            have converged.
        tolerance: Residual allowed, as a water content; None derives it from the dtype.
        scheme: BACKWARD_EULER or SDIRK2.
    """

    substeps: int = eqx.field(static=True, default=8)
    iterations: int = eqx.field(static=True, default=8)
    tolerance: float | None = eqx.field(static=True, default=None)
    scheme: Scheme = eqx.field(static=True, default=BACKWARD_EULER)

    def integrate(
        self,
        mesh: Mesh,
        problem: Problem,
        drive: Drive,
        water: SoilWater,
        duration: Array,
        *,
        record: bool,
    ) -> tuple[SoilWater, Exchange, Effort, Steps | None]:
        """Advance over one interval; arrays carry a last axis `column`."""
        held = flow.held(problem, drive)
        limits = ends(mesh, problem.medium, water.psi)
        tolerance = residual_tolerance(self.tolerance, water.psi.dtype)
        length = jnp.broadcast_to(duration / self.substeps, water.pond.shape)
        step = self.scheme.implicit * length

        def substep(carry, _):
            psi, stored, pond, total, sweeps, forced = carry
            stage = Stage(
                mesh, problem, drive, held, limits,
                start=psi.value, stored=stored, carried=jnp.zeros_like(stored), pond=pond,
                step=step,
            )  # fmt: skip
            visited, ponds = [], []
            reached = stored, pond
            for share in self.scheme.explicit:
                ponds.append(stage.pond)
                sweep, count = _solve(self, stage, psi, tolerance)
                end = stage.conclude(sweep)
                sane = stage.is_sane(sweep, end)
                end, psi = stage.or_stand_still(~sane, sweep, end)
                visited.append(psi.value)
                weight = share * length
                total = jax.tree.map(lambda t, r, w=weight: t + w * r, total, end.rates)
                sweeps = sweeps + count.astype(sweeps.dtype)
                forced = jnp.where(sweep.converged & sane, forced, forced + 1.0)
                reached = stored + stage.carried + end.gain, end.pond
                stage = stage._replace(
                    carried=self.scheme.carry * end.gain,
                    pond=pond + self.scheme.carry * (end.pond - pond),
                )
            carry = (psi, *reached, total, sweeps, forced)
            return carry, (jnp.stack(visited), jnp.stack(ponds)) if record else None

        zero = jnp.zeros_like(water.pond)
        carry = (
            Tally.of(water.psi),
            water.stored,
            water.pond,
            Rates(zero, zero, zero, zero),
            zero,
            zero,
        )
        carry, visited = lax.scan(substep, carry, None, length=self.substeps)
        psi, stored, pond, total, sweeps, forced = carry
        effort = Effort(zero + self.substeps, sweeps, zero, forced, zero)
        steps = None
        if visited is not None:
            lengths = jnp.broadcast_to(length, (self.substeps, *length.shape))
            steps = Steps(visited[0], visited[1], lengths)
        return SoilWater(psi.value, stored, pond, water.pace), Exchange(*total), effort, steps


def _solve(how: Fixed, stage: Stage, psi: Tally, tolerance: float) -> tuple[Sweep, Array]:
    """Iterate until every column has converged; also give the number of iterations."""
    base = stage.base(tolerance)

    def unfinished(carry):
        _, sweep, count = carry
        return (count < how.iterations) & ~jnp.all(sweep.converged)

    def iterate(carry):
        psi, _, count = carry
        sweep = stage.improve(psi, base, tolerance, None)
        return sweep.psi, sweep, count + 1

    start = jnp.zeros((), jnp.int32)
    blank = jax.eval_shape(iterate, (psi, None, start))[1]
    blank = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), blank)
    _, sweep, count = lax.while_loop(unfinished, iterate, (psi, blank, start))
    return sweep, count


def residual_tolerance(wanted: float | None, dtype) -> float:
    """Residual allowed as a water content: 1e-5 in float32, 1e-9 in float64, unless stated."""
    if wanted is not None:
        return wanted
    return 1e-5 if jnp.finfo(dtype).eps > 1e-10 else 1e-9
