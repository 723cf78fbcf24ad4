"""One trial: settings in, a score out, and on the way a word on how it goes."""

from collections.abc import Callable, Mapping
from typing import Any

from diffhydro.errors import InputError

Trial = Callable[[Mapping[str, Any], "Report"], float]


class Pruned(Exception):  # noqa: N818  # no error: the trial is worse than others, and ends
    """A trial is given up for others that look better."""


class Report:
    """Tell the search how a trial goes; raises `Pruned` where it should end.

    As `on_epoch` of a training: `fit(..., on_epoch=report.of("validation.total"))`.
    """

    def __init__(self, trial: Any) -> None:
        self._trial = trial

    def __call__(self, step: int, score: float) -> None:
        """Say that after some steps, such as epochs, the score is this."""
        self._trial.report(float(score), int(step))
        if self._trial.should_prune():
            raise Pruned

    def of(self, metric: str) -> Callable[[Any, Mapping[str, Any]], None]:
        """Give what tells the search one column of the table of a training."""

        def tell(state: Any, row: Mapping[str, Any]) -> None:
            if metric not in row:
                raise InputError(f"no column {metric!r}; the training has {', '.join(row)}")
            value = row[metric]
            if value is not None and value == value:
                self(int(row["epoch"]) + 1, value)

        return tell
