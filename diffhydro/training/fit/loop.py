"""The loop: batch after batch, epoch after epoch, for one model or for many as one program."""

from contextlib import closing
from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from diffhydro.core.ensembles import member
from diffhydro.data.batches import Position, prefetch
from diffhydro.training.fit.broken import TrainingError, explain, keep, of_member
from diffhydro.training.fit.epoch import end_epoch
from diffhydro.training.fit.feed import items
from diffhydro.training.fit.log import open_log
from diffhydro.training.fit.progress import Show, bar
from diffhydro.training.fit.run import Course, Run, save
from diffhydro.training.fit.state import BROKEN, RUNNING, TOTAL, RunState, endings, furthest
from diffhydro.training.fit.step import advance

_LOOK = 16  # batches from one look at whether all is well to the next


def train(run: Run, state: RunState, course: Course) -> tuple[RunState, Course]:
    """Go through all epochs that are left."""
    log = open_log(run.out, course.history)
    position = furthest(state)
    if position.epoch >= run.epochs or not is_going(state):
        return state, course
    each = len(run.batches)
    coming = prefetch(items(run.batches, position, run.epochs, run.prepare), run.ahead)
    with closing(coming), bar(run.epochs * each, run.number(position), each) as show:
        for sample, amount, after in coming:
            walk = advance(
                run.how, run.optimizer, run.objective, run.frozen, state.key, state.walk, sample,
                amount, np.asarray(after, np.int32),
            )  # fmt: skip
            state, number = replace(state, walk=walk), run.number(after)
            if not _is_time(run, after, number):
                continue
            course = _look(run, state, course)
            _show(show, state, number)
            if after.batch == 0:
                state, course = end_epoch(run, state, course, log, after.epoch - 1)
            if run.is_due(after):
                course = replace(course, saved=save(run, state, course, number))
            if not is_going(state):
                break
    return state, course


def is_going(state: RunState) -> bool:
    """Say whether there is a member that has not stopped."""
    return bool((endings(state) == RUNNING).any())


def _is_time(run: Run, after: Position, number: int) -> bool:
    """Say whether to wait for what was computed; a look after each batch would cost an overlap."""
    return after.batch == 0 or run.is_due(after) or number == 1 or number % _LOOK == 0


def _look(run: Run, state: RunState, course: Course) -> Course:
    """Find members that broke since the last look; raise if no other is left."""
    new = [int(i) for i in np.flatnonzero(endings(state) == BROKEN) if i not in course.broken]
    if not new:
        return course
    errors = {i: _broken(run, state, i) for i in new}
    broken = course.broken | {i: str(error) for i, error in errors.items()}
    if len(broken) < endings(state).size:
        return replace(course, broken=broken)
    error = errors[new[0]]
    if run.how is None:
        mended = replace(state.walk, ending=jnp.zeros_like(state.walk.ending))
        error.state = replace(state, walk=mended)
        # Where the run stands; it may go on from here once the cause is mended.
        save(run, error.state, course, run.number(error.position))
    raise error


def _broken(run: Run, state: RunState, number: int) -> TrainingError:
    mine = state if run.how is None else member(state, number)
    position = furthest(mine)
    batch = run.batches.read(run.batches.epoch(position.epoch)[position.batch])
    sample, frozen = run.prepare(batch), run.frozen
    who, name = "", f"epoch-{position.epoch}-batch-{position.batch}"
    if run.how is not None:
        sample, frozen, batch = *member((sample, frozen), number), of_member(batch, number)
        who, name = f" of member {number}", f"{name}-member-{number}"
    path = None if run.out is None else run.out / "broken" / f"{name}.npz"
    if path is not None:
        keep(path, batch)
    why = explain(run.objective, frozen, mine, batch, sample)
    where = f"step {int(mine.step)}{who} (epoch {position.epoch}, batch {position.batch})"
    kept = "give a folder as out to keep the batch" if path is None else f"the batch is in {path}"
    return TrainingError(f"training stopped at {where}: {why}; {kept}", mine, position, path)


def _show(show: Show, state: RunState, number: int) -> None:
    amount = np.asarray(state.walk.amount, float).sum()
    loss = np.asarray(state.walk.sums[TOTAL], float).sum() / max(amount, 1.0)
    show(number, f"loss {loss:.4g}" if amount else "")
