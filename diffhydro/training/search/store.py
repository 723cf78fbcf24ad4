"""Where trials are kept: a file that several processes may use, and that outlives them."""

import json
import os
import socket
from pathlib import Path
from typing import Any

from diffhydro.errors import InputError
from diffhydro.training.search.space import Space

FILE = "search.sqlite"
_NAME = "diffhydro"
_WORKER, _SPACE = "worker", "space"


def optuna() -> Any:
    """Import Optuna; who lacks it is told which extra has it."""
    try:
        import optuna
    except ImportError as error:
        raise InputError(
            "searching settings takes Optuna: pip install 'diffhydro-jax[tune]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def open_study(out: Path, space: Space, is_high: bool, pruner: Any) -> Any:
    """Open the trials of a folder, or begin; refuse those of another search."""
    out.mkdir(parents=True, exist_ok=True)
    where = f"sqlite:///{(out / FILE).as_posix()}"
    direction = "maximize" if is_high else "minimize"
    study = optuna().create_study(
        storage=where, study_name=_NAME, direction=direction, pruner=pruner, load_if_exists=True
    )
    asked = {"is_high": is_high, "space": {name: r.told() for name, r in space.items()}}
    asked = json.loads(json.dumps(asked))
    before = study.user_attrs.get(_SPACE)
    if before is not None and before != asked:
        raise InputError(
            f"{out} holds another search: it chose among {json.dumps(before)}; take another folder"
        )
    study.set_user_attr(_SPACE, asked)
    return study


def mark(trial: Any) -> None:
    """Write down which process works on a trial."""
    trial.set_user_attr(_WORKER, [socket.gethostname(), os.getpid()])


def take_up(study: Any) -> int:
    """Fail the trials of processes of this machine that are gone, to be tried again first."""
    states = optuna().trial.TrialState
    found = 0
    for frozen in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        host, process = frozen.user_attrs.get(_WORKER, (socket.gethostname(), 0))
        if host == socket.gethostname() and not _lives(process):
            study.tell(frozen.number, state=states.FAIL, skip_if_finished=True)
            study.enqueue_trial(frozen.params)
            found += 1
    return found


def _lives(process: int) -> bool:
    if process in (0, os.getpid()):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
