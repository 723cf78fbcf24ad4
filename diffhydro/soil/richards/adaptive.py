"""Sub-steps chosen by error, for every column its own, in one program.

One flat loop: a trip gives every unfinished column a few Newton iterations, then each column
decides for itself (stage done, step accepted, step rejected) and moves on at its own step. Columns
take turns in a row of lanes (`rows.py`), so that a hard one does not make the others pay.

Steps are the interval divided by powers of two. The sequence of steps is then piecewise constant
in every input, and a derivative that treats it as constant is the derivative.

The error of a step is estimated by the difference of the two stages of SDIRK2, which is the error
of a first-order step: stricter than the error of the solution kept. No rate is carried from one
interval to the next, since forcing jumps there.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.core.tally import Tally
from diffhydro.soil.boundary import Drive
from diffhydro.soil.richards import flows as flow
from diffhydro.soil.richards.fixed import residual_tolerance
from diffhydro.soil.richards.newton import Sweep
from diffhydro.soil.richards.problem import Mesh, Problem, ends
from diffhydro.soil.richards.record import Steps, blank_record
from diffhydro.soil.richards.rows import Way, pick, through_lanes
from diffhydro.soil.richards.stage import SDIRK2, Outcome, Rates, Stage, choose
from diffhydro.soil.richards.state import Effort, Exchange, SoilWater
from diffhydro.typing import Array

_ERROR_GROWS = 4.0  # doubling a step multiplies the estimate by four
_SAFETY = 0.8
_ROUGH = 0.01  # of the error allowed: a residual that may pass when iterating does not help


class Adaptive(eqx.Module):
    """Policy: steps chosen by error.

    Args:
        error: Water content error allowed per step.
        iterations: Newton iterations after which a step is tried again at a quarter.
        tolerance: Residual allowed, as a water content; None derives it from the dtype.
        sweeps: Newton iterations between decisions; 1 is best for one column, 2 for many.
        shortest: Smallest step, as a fraction of the interval.
        most: Newton iterations per interval after which the rest is forced, and flagged.
        room: Steps per interval that the gradient can look back on; the last one is forced if
            the interval is not over. Without a gradient there is no such limit.
    """

    error: float = eqx.field(static=True, default=1e-2)
    iterations: int = eqx.field(static=True, default=8)
    tolerance: float | None = eqx.field(static=True, default=None)
    sweeps: int = eqx.field(static=True, default=2)
    shortest: float = eqx.field(static=True, default=2.0**-40)
    most: int = eqx.field(static=True, default=600)
    room: int = eqx.field(static=True, default=32)

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
        columns = water.pond.shape[-1]
        duration = jnp.broadcast_to(duration, water.pond.shape)
        setting = _Setting(mesh, problem, drive, flow.held(problem, drive), duration)

        def enter(number: Array) -> _Walk:
            start, whole = pick((water, duration), number, columns)
            return _start(self, start, start.pace / whole, record)

        def trip(setting, number, walk, steps):
            return _trip(self, setting, number, walk, steps)

        way = Way(
            enter=enter,
            setting=lambda number: pick(setting, number, columns),
            trip=trip,
            busy=lambda walk: walk.left.value > 0,
            arrival=_arrival,
        )
        steps = blank_record(self.room, water.psi) if record else None
        arrived, steps = through_lanes(columns, way, steps)
        psi, stored, pond, pace, total, effort = arrived
        if steps is not None:
            steps = steps.columns_last(duration)
        water = SoilWater(psi, stored, pond, pace * duration)
        return water, Exchange(*total), Effort(*effort), steps


class _Setting(NamedTuple):
    """What stays the same during the interval."""

    mesh: Mesh
    problem: Problem
    drive: Drive
    held: tuple
    duration: Array


class _Walk(NamedTuple):
    """Where every column is on its way through the interval.

    Times are fractions of the interval and dyadic, hence exact.
    """

    left: Tally  # time to go
    length: Array  # step being tried
    wary: Array  # was this step tried before with a larger length?
    second: Array  # in the second stage?
    spent: Array  # iterations in this stage
    psi: Tally
    gain: Array  # of the first stage; 0 before
    base_pond: Array
    first_rates: Rates
    first_psi: Array | None  # kept for the record only
    start: Array  # heads, water and pond at the start of the step
    stored: Tally
    pond: Array
    total: tuple[Tally, ...]  # of infiltration, runoff, drainage and uptake
    effort: tuple[Array, ...]  # accepted, sweeps, rejected, forced, rough


def _start(how: Adaptive, water: SoilWater, pace: Array, record: bool) -> _Walk:
    zero = jnp.zeros_like(water.pond)
    none = Rates(zero, zero, zero, zero)
    return _Walk(
        left=Tally.of(zero + 1.0),
        length=_dyadic(jnp.clip(pace, how.shortest, 1.0)),
        wary=jnp.zeros(zero.shape, bool),
        second=jnp.zeros(zero.shape, bool),
        spent=zero,
        psi=Tally.of(water.psi),
        gain=jnp.zeros_like(water.stored),
        base_pond=water.pond,
        first_rates=none,
        first_psi=water.psi if record else None,
        start=water.psi,
        stored=Tally.of(water.stored),
        pond=water.pond,
        total=tuple(Tally.of(rate) for rate in none),
        effort=(zero, zero, zero, zero, zero),
    )


def _arrival(walk: _Walk):
    total = tuple(t.value for t in walk.total)
    return walk.start, walk.stored.value, walk.pond, walk.length, total, walk.effort


def _trip(
    how: Adaptive, setting: _Setting, number: Array, walk: _Walk, steps: Steps | None
) -> tuple[_Walk, Steps | None]:
    stage = Stage(
        *setting[:4],
        limits=ends(setting.mesh, setting.problem.medium, walk.start),
        start=walk.start,
        stored=walk.stored.value,
        carried=SDIRK2.carry * walk.gain,
        pond=walk.base_pond,
        step=SDIRK2.implicit * walk.length * setting.duration,
    )
    tolerance = residual_tolerance(how.tolerance, walk.start.dtype)
    base = stage.base(tolerance)

    def again(_, sweep: Sweep) -> Sweep:
        return stage.improve(sweep.psi, base, tolerance, _ROUGH * how.error)

    # A loop rather than a repetition: half the program to compile.
    shape = jax.eval_shape(
        lambda psi: stage.improve(psi, base, tolerance, _ROUGH * how.error), walk.psi
    )
    blank = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shape)
    sweep = lax.fori_loop(0, how.sweeps, again, blank._replace(psi=walk.psi))
    after, accepted = _decide(how, setting, walk, stage, sweep)
    if steps is not None:
        assert walk.first_psi is not None
        heads = jnp.stack([walk.first_psi, after.start])
        ponds = jnp.stack([walk.pond, walk.base_pond])
        nobody = steps.length.shape[0]
        number = jnp.where(accepted, number, nobody)
        steps = steps.with_step(number, walk.effort[0], heads, ponds, walk.length)
    return after, steps


class _Verdict(NamedTuple):
    """What a trip has brought every column: at most one of `first`, `accept` and `reject`."""

    first: Array  # the first stage is done
    accept: Array  # the step is done
    reject: Array  # the step is tried again, shorter
    stuck: Array  # … because the iterations did not get there
    error: Array  # of the step, if it is done
    bad: Array  # let pass without having met its error or its residual
    passed: Array  # let pass with a residual that iterating would not make smaller
    end: Outcome
    psi: Tally


def _decide(
    how: Adaptive, setting: _Setting, walk: _Walk, stage: Stage, sweep: Sweep
) -> tuple[_Walk, Array]:
    """Let every column move on: next iteration, next stage, next step, or a smaller step.

    Returns:
        The walks and which columns have accepted a step.
    """
    spent = walk.spent + how.sweeps
    swept = jnp.where(walk.left.value > 0, walk.effort[1] + how.sweeps, walk.effort[1])
    verdict = _judge(how, setting, walk, stage, sweep, spent, swept)
    return _move_on(how, setting, walk, verdict, spent, swept), verdict.accept


def _judge(
    how: Adaptive,
    setting: _Setting,
    walk: _Walk,
    stage: Stage,
    sweep: Sweep,
    spent: Array,
    swept: Array,
) -> _Verdict:
    active = walk.left.value > 0
    # A stage that is nearly there gets as long again before its residual is let pass.
    patience = jnp.where(sweep.close, 2 * how.iterations, how.iterations)
    tired = spent >= patience.astype(spent.dtype)
    last_chance = (walk.length <= how.shortest) | (swept > how.most)
    if walk.first_psi is not None:
        last_chance |= (walk.effort[0] >= how.room - 1) & (walk.length >= walk.left.value)
    end = stage.conclude(sweep)
    sane = stage.is_sane(sweep, end)
    enough = (sweep.converged | (tired & sweep.close)) & sane
    done = active & (enough | (tired & last_chance))
    end, psi = stage.or_stand_still(done & ~sane, sweep, end)
    stuck = active & ~done & tired

    first = done & ~walk.second
    wrong = jnp.abs(end.gain - walk.gain) - sweep.noise
    error = jnp.max(wrong / setting.mesh.scale, axis=0)
    good = (error <= how.error) | last_chance
    accept = done & walk.second & good
    return _Verdict(
        first=first,
        accept=accept,
        reject=stuck | (done & walk.second & ~good),
        stuck=stuck,
        error=error,
        bad=(accept & ((error > how.error) | ~enough)) | (first & ~enough),
        passed=(accept | first) & enough & ~sweep.converged,
        end=end,
        psi=psi,
    )


def _move_on(
    how: Adaptive, setting: _Setting, walk: _Walk, verdict: _Verdict, spent: Array, swept: Array
) -> _Walk:
    first, accept, reject = verdict.first, verdict.accept, verdict.reject
    end, psi = verdict.end, verdict.psi

    def fork(at_first, at_accept, at_reject, otherwise):
        x = choose(first, at_first, otherwise)
        x = choose(accept, at_accept, x)
        return choose(reject, at_reject, x)

    carry, weights = SDIRK2.carry, SDIRK2.explicit
    step_rates = jax.tree.map(
        lambda r1, r2: setting.duration * walk.length * (weights[0] * r1 + weights[1] * r2),
        walk.first_rates,
        end.rates,
    )
    keep = jax.tree.map(lambda new, old: jnp.where(first, new, old), end.rates, walk.first_rates)
    stored = walk.stored.plus(carry * walk.gain + end.gain)
    total = tuple(t.plus(r) for t, r in zip(walk.total, step_rates, strict=True))
    second_pond = walk.pond + carry * (end.pond - walk.pond)
    left = walk.left.plus(jnp.where(accept, -walk.length, 0.0))
    idle = walk.left.value <= 0
    none = jnp.zeros_like(walk.gain)
    first_psi = walk.first_psi
    if first_psi is not None:
        first_psi = choose(first, psi.value, first_psi)
    accepted, _, rejected, forced, rough = walk.effort
    return _Walk(
        left=left,
        length=_next_length(how, walk, left.value, verdict),
        wary=jnp.where(accept, False, walk.wary | reject),
        second=jnp.where(first, True, jnp.where(accept | reject, False, walk.second)),
        spent=jnp.where(first | accept | reject, 0.0, spent),
        psi=choose(idle, walk.psi, choose(reject, Tally.of(walk.start), psi)),
        gain=fork(end.gain, none, none, walk.gain),
        base_pond=fork(second_pond, end.pond, walk.pond, walk.base_pond),
        first_rates=keep,
        first_psi=first_psi,
        start=choose(accept, psi.value, walk.start),
        stored=choose(accept, stored, walk.stored),
        pond=jnp.where(accept, end.pond, walk.pond),
        total=choose(accept, total, walk.total),
        effort=(
            jnp.where(accept, accepted + 1.0, accepted),
            swept,
            jnp.where(reject, rejected + 1.0, rejected),
            jnp.where(verdict.bad, forced + 1.0, forced),
            jnp.where(verdict.passed, rough + 1.0, rough),
        ),
    )


def _next_length(how: Adaptive, walk: _Walk, left: Array, verdict: _Verdict) -> Array:
    """Choose the length to try next: a power of two times this one, and no more than is left."""
    accept, reject, error = verdict.accept, verdict.reject, verdict.error
    fits = _SAFETY * how.error
    twice = jnp.where(error * _ERROR_GROWS <= fits, 2.0, 1.0)
    growth = jnp.where(error * _ERROR_GROWS**2 <= fits, 4.0, twice)
    grown = walk.length * jnp.where(walk.wary, 1.0, growth)
    badly = verdict.stuck | (error > _ERROR_GROWS * how.error)
    shrunk = jnp.maximum(walk.length * jnp.where(badly, 0.25, 0.5), how.shortest)
    length = jnp.where(accept, grown, jnp.where(reject, shrunk, walk.length))

    accepted, swept = walk.effort[:2]
    to_the_end = (accept | reject) & (swept + how.sweeps > how.most)
    if walk.first_psi is not None:
        to_the_end |= accept & (accepted >= how.room - 2)
    length = jnp.where(to_the_end, left, length)
    return jnp.where(left > 0, jnp.minimum(length, left), length)


def _dyadic(x: Array) -> Array:
    """Round down to a power of two, exactly."""
    _, exponent = jnp.frexp(x)
    return jnp.ldexp(jnp.ones_like(x), exponent - 1)
