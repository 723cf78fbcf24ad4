"""What a run is made of, and what it has told so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from diffhydro.core.ensembles import AbstractMap
from diffhydro.core.model_file import FILE, versions
from diffhydro.core.model_file import save as save_model
from diffhydro.core.trainable import Frozen
from diffhydro.data.batches import AbstractBatches, Position
from diffhydro.errors import InputError
from diffhydro.training.fit.history import History, Row
from diffhydro.training.fit.optimizer import Optimizer
from diffhydro.training.fit.state import RunState, trained
from diffhydro.training.fit.step import AbstractObjective
from diffhydro.training.fit.stop import Stop
from diffhydro.training.fit.validation import Validation


class Saver(Protocol):
    """Keeps checkpoints, such as `diffhydro.training.checkpoints.Checkpoints`."""

    def save(self, step: int, state: Any, told: dict[str, Any]) -> Any:
        """Keep arrays, and what JSON can hold, under a number that grows."""
        ...

    def restore(self, like: Any) -> tuple[int, Any, dict[str, Any]] | None:
        """Give the last that was kept, in arrays of the same structure; None if there is none."""
        ...


@dataclass(frozen=True, eq=False)
class Run:
    """All that stays the same in a run.

    Args:
        how: To run over members; None where there is one model, without an axis for it.
        metric: What the best is judged by.
        save_every: Batches; None for once an epoch.
        told: What the files of the run say of it, as far as JSON can say it.
    """

    how: AbstractMap | None
    frozen: Frozen
    batches: AbstractBatches
    objective: AbstractObjective
    prepare: Callable[[Any], Any]
    optimizer: Optimizer
    epochs: int
    validation: Validation | None
    stop: Stop
    metric: str
    out: Path | None
    saver: Saver | None
    save_every: int | None
    on_epoch: Callable[[RunState, list[Row]], None] | None
    ahead: int
    told: Mapping[str, Any] = field(default_factory=dict)

    def number(self, position: Position) -> int:
        """Count the batches before one."""
        return position.epoch * len(self.batches) + position.batch

    def is_due(self, after: Position) -> bool:
        """Say whether a checkpoint is saved before a batch."""
        if self.saver is None:
            return False
        every = self.save_every
        return after.batch == 0 or (every is not None and self.number(after) % every == 0)


@dataclass(frozen=True)
class Course:
    """What a run has told so far.

    Attributes:
        broken: Why members broke, by their number.
        saved: Number of the last checkpoint.
    """

    history: History
    broken: dict[int, str] = field(default_factory=dict)
    saved: int = 0


def save(run: Run, state: RunState, course: Course, number: int) -> int:
    """Save a checkpoint if there is a saver, and if this one is not there; give its number."""
    if run.saver is None or number <= course.saved:
        return course.saved
    is_best = bool((np.asarray(state.since_best) == 0).any()) and bool(course.history.rows)
    told = {
        "batches": len(run.batches),
        "columns": [*course.history.columns],
        "rows": course.history.told(),
        "broken": {str(i): why for i, why in course.broken.items()},
        "is_best": is_best,
        "told": dict(run.told),
        "versions": versions(),
    }
    run.saver.save(number, state, told)
    if is_best:
        keep_model(run, state)
    return number


def keep_model(run: Run, state: RunState) -> None:
    """Write the best model so far where `load` finds it, if there is a folder."""
    if run.out is not None:
        save_model(run.out / FILE, trained(state, run.frozen), run.told)


def resumed(run: Run, state: RunState, course: Course) -> tuple[RunState, Course]:
    """Go back to the last checkpoint, if there is one."""
    found = None if run.saver is None else run.saver.restore(state)
    if found is None:
        return state, course
    number, state, told = found
    for name, here in (("batches", len(run.batches)), ("columns", [*course.history.columns])):
        if told.get(name) != here:
            raise InputError(
                f"the checkpoint is of another run: its {name} are {told.get(name)}, and those of "
                f"this one {here}; use another folder, or what it was saved with"
            )
    broken = {int(i): why for i, why in told["broken"].items()}
    return state, Course(course.history.retold(told["rows"]), broken, number)
