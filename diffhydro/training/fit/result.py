"""What training gives back."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffhydro.core.ensembles import member
from diffhydro.training.fit.history import History
from diffhydro.training.fit.run import Course, Run
from diffhydro.training.fit.state import BROKEN, PATIENT, RunState, endings


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model.

    Attributes:
        model: That of the best score.
        last_model: That after the last step; with an average (EMA), the average there.
        history: What was measured, epoch after epoch.
        state: All that is needed to go on.
        stopped_because: In words.
    """

    model: Any
    last_model: Any
    history: History
    state: RunState
    stopped_because: str


@dataclass(frozen=True, eq=False)
class TrainedEnsemble:
    """Trained models, stacked; see `Trained`.

    Attributes:
        stopped_because: Of each member.
    """

    model: Any
    last_model: Any
    history: History
    state: RunState
    stopped_because: tuple[str, ...]

    def __len__(self) -> int:
        """Count the members."""
        return len(self.stopped_because)

    def member(self, i: int) -> Trained:
        """Give one of them as if it had been trained alone."""
        model, last, state = member((self.model, self.last_model, self.state), i)
        history = self.history.member(range(len(self))[i])
        return Trained(model, last, history, state, self.stopped_because[i])


def reasons(run: Run, state: RunState, course: Course) -> tuple[str, ...]:
    """Say why each member stopped."""
    since = np.asarray(state.since_best).reshape(-1)

    def one(i: int, ending: int) -> str:
        if ending == PATIENT:
            return f"no gain in {run.metric} for {since[i]} scores"
        if ending == BROKEN:
            return course.broken[i]
        return f"all {run.epochs} epochs"

    return tuple(one(i, int(ending)) for i, ending in enumerate(endings(state)))
