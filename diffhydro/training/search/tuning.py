"""Try settings one after the other, each chosen by what the ones before have shown.

The sampler is a tree of Parzen estimators (Bergstra et al. 2011), the pruner Hyperband (Li et al.
2018), both of Optuna. The sampler of a trial is seeded by how many there were before: without a
pruner a search that was interrupted goes on as if it had not been, if one process works on it.
Several processes may work on one folder; what they choose then depends on who is first.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.training.search.space import Space, check_space
from diffhydro.training.search.store import about_to_ask, mark, open_study, optuna, take_up
from diffhydro.training.search.trials import Pruned, Report, Trial

BEST, TABLE = "best.yaml", "trials.csv"


@dataclass(frozen=True)
class Hyperband:
    """When a trial is given up: see Li et al. 2018.

    Args:
        least: Steps that every trial is given.
        most: Steps of a whole trial.
        factor: Of the trials at one stage, one in so many goes on to the next.
    """

    least: int
    most: int
    factor: int = 3

    def __post_init__(self) -> None:
        if not (1 <= self.least <= self.most and self.factor >= 2):
            raise InputError(
                f"Hyperband from {self.least} to {self.most} steps by {self.factor}; expected at "
                "least 1, no more than at most, and a factor of 2 or more"
            )


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        values: The best settings.
        score: Theirs.
        number: Of that trial.
        trials: How many there were, those that were given up and that failed among them.
        failed: Why trials failed, by number.
    """

    values: dict[str, Any]
    score: float
    number: int
    trials: int
    failed: dict[int, str]


def tune(
    trial: Trial,
    space: Space,
    out: Path | str,
    *,
    trials: int,
    seed: int = 0,
    is_high: bool = False,
    pruning: Hyperband | None = None,
    watch: Callable[[int, float | None], None] | None = None,
) -> Found:
    """Search settings.

    Args:
        trial: Trains with some settings and gives a score, of a validation and never of a test. It
            may tell how it goes: `report(epoch, score)`. An InputError or a TrainingError of it, or
            a score that is no number, is a trial that failed; the search goes on.
        out: Folder for the trials, `best.yaml` and `trials.csv`; with trials of this search in it,
            it goes on. Other processes may call with the same folder at the same time.
        trials: How many there shall be in the end, those before and of other processes counted.
        is_high: Whether high scores are good.
        watch: Is told the number of every trial that ended, and the best score so far.

    Raises:
        InputError: Where all trials failed; says why the last did.
    """
    check_space(space)
    if trials < 1:
        raise InputError(f"{trials} trials; a search needs at least 1")
    out = Path(out)
    library = optuna()
    pruner = library.pruners.NopPruner()
    if pruning is not None:
        pruner = library.pruners.HyperbandPruner(pruning.least, pruning.most, pruning.factor)
    study = open_study(out, space, is_high, pruner)
    take_up(study)
    distributions = {name: values.distribution() for name, values in space.items()}
    while (number := _counted(study)) < trials:
        study.sampler = library.samplers.TPESampler(seed=_seed(seed, number))
        with about_to_ask(study):
            asked = study.ask(distributions)
            mark(asked)
        _try(study, asked, trial)
        _write(study, out)
        if watch is not None:
            watch(asked.number, _best(study)[1])
    # Once more: what another process wrote meanwhile may have been older.
    _write(study, out)
    return _found(study)


def _try(study: Any, asked: Any, trial: Trial) -> None:
    states = optuna().trial.TrialState
    try:
        score = float(trial(dict(asked.params), Report(asked)))
    except Pruned:
        study.tell(asked, state=states.PRUNED)
        return
    except InputError as error:
        asked.set_user_attr("why", str(error))
        study.tell(asked, state=states.FAIL)
        return
    if not math.isfinite(score):
        asked.set_user_attr("why", f"its score is {score}")
        study.tell(asked, state=states.FAIL)
        return
    study.tell(asked, score)


def _counted(study: Any) -> int:
    """Count the trials but those that wait, and those whose process was gone: they come again."""
    states = optuna().trial.TrialState
    every = study.get_trials(deepcopy=False)
    gone = (one.state == states.FAIL and "why" not in one.user_attrs for one in every)
    return sum(1 for one in every if one.state != states.WAITING) - sum(gone)


def _failed(study: Any) -> list[Any]:
    return study.get_trials(deepcopy=False, states=(optuna().trial.TrialState.FAIL,))


def _best(study: Any) -> tuple[Any, float | None]:
    try:
        best = study.best_trial
    except ValueError:  # none has ended well
        return None, None
    return best, best.value


def _found(study: Any) -> Found:
    best, score = _best(study)
    why = {one.number: one.user_attrs["why"] for one in _failed(study) if "why" in one.user_attrs}
    if best is None or score is None:
        last = why[max(why)] if why else "they were all given up"
        raise InputError(f"no trial of {len(study.trials)} has a score; the last: {last}")
    return Found(dict(best.params), score, best.number, len(study.trials), why)


def _write(study: Any, out: Path) -> None:
    """Write what is known so far, in files for people."""
    import csv
    import io

    import yaml

    best, score = _best(study)
    if best is not None:
        told = {"score": score, "trial": best.number, "settings": dict(best.params)}
        _put(out / BEST, yaml.safe_dump(told, sort_keys=False))
    trials = study.get_trials(deepcopy=False)
    names = sorted({name for one in trials for name in one.params})
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["trial", "state", "score", *names, "why"])
    for one in trials:
        table.writerow(_row(one, names))
    _put(out / TABLE, text.getvalue())


def _put(target: Path, text: str) -> None:
    # Aside under a name of its own: other processes write the same file.
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)


def _row(one: Any, names: list[str]) -> list[Any]:
    settings: Mapping[str, Any] = one.params
    score = "" if one.value is None else repr(one.value)
    shown = [settings.get(name, "") for name in names]
    return [one.number, one.state.name.lower(), score, *shown, one.user_attrs.get("why", "")]


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
