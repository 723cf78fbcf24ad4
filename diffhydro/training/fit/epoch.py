"""The end of an epoch: score, judge, write down."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.training.fit.history import Row
from diffhydro.training.fit.log import Log
from diffhydro.training.fit.run import Course, Run
from diffhydro.training.fit.state import RUNNING, RunState, endings
from diffhydro.training.fit.step import summary
from diffhydro.training.fit.stop import judge, next_epoch
from diffhydro.training.fit.validation import validate


def end_epoch(
    run: Run, state: RunState, course: Course, log: Log, epoch: int
) -> tuple[RunState, Course]:
    """Score all members, keep what is the best, end those that do not gain."""
    going = endings(state) == RUNNING
    found: dict[str, Any] = dict(summary(run.how, run.optimizer, state.walk))
    if run.validation is not None and run.validation.is_due(epoch):
        found |= validate(
            run.how, run.validation, run.objective, run.prepare, run.frozen,
            state.walk.descent.outcome, state.step,
        )  # fmt: skip
    columns = {name: np.asarray(x, float).reshape(-1) for name, x in found.items()}
    rows = _rows(course.history.columns, epoch, np.asarray(state.step), columns, going)
    if run.metric in found:
        if all(row[run.metric] is None for row in course.history.rows):
            _check_score(run, columns[run.metric], going)
        value = jnp.asarray(found[run.metric], state.best_score.dtype)
        state = judge(run.how, run.stop, state, value)
    state = next_epoch(run.how, state)
    log.write(rows)
    if run.on_epoch is not None:
        run.on_epoch(state, rows)
    return state, replace(course, history=course.history.more(rows))


def _rows(
    names: tuple[str, ...],
    epoch: int,
    step: np.ndarray,
    columns: Mapping[str, np.ndarray],
    going: np.ndarray,
) -> list[Row]:
    steps = step.reshape(-1)
    return [
        {
            **{name: float(columns[name][i]) if name in columns else None for name in names},
            **({"member": int(i)} if "member" in names else {}),
            "epoch": epoch,
            "step": int(steps[i]),
        }
        for i in np.flatnonzero(going)
    ]


def _check_score(run: Run, values: np.ndarray, going: np.ndarray) -> None:
    bad = np.flatnonzero(going & ~np.isfinite(values))
    if len(bad):
        who = "" if run.how is None else f" of member {bad[0]}"
        raise InputError(
            f"the first {run.metric}{who} is {values[bad[0]]}: no step could be told to be the "
            "best. Look at the data of the validation, or watch another metric"
        )
