"""Where trials are kept: a file that several processes may use, and that outlives them."""

import datetime
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from diffhydro.errors import InputError
from diffhydro.training.search.space import Space

FILE = "search.sqlite"
_NAME = "diffhydro"
_WORKER, _SPACE, _ASKS = "worker", "space", "asks:"
_UNMARKED = 60.0  # seconds in which a trial that has begun is marked for certain


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
    asked = {"is_high": is_high, "space": {name: r.told() for name, r in space.items()}}
    asked = json.loads(json.dumps(asked))
    out.mkdir(parents=True, exist_ok=True)
    if not (out / FILE).exists():
        _begin(out / FILE, "maximize" if is_high else "minimize", asked)
    study = optuna().load_study(storage=_address(out / FILE), study_name=_NAME, pruner=pruner)
    before = study.user_attrs.get(_SPACE)
    if before != asked:
        raise InputError(
            f"{out} holds another search: it chose among {json.dumps(before)}; take another folder"
        )
    return study


def _begin(file: Path, direction: str, asked: dict[str, Any]) -> None:
    """Make the file aside and put it there whole; if another process was first, leave that one."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    storage = optuna().storages.RDBStorage(_address(part))
    study = optuna().create_study(storage=storage, study_name=_NAME, direction=direction)
    study.set_user_attr(_SPACE, asked)
    storage.remove_session()
    storage.engine.dispose()
    with suppress(FileExistsError):
        os.link(part, file)  # fails where there is one, which a rename would not
    part.unlink()


def _address(file: Path) -> str:
    return f"sqlite:///{file.as_posix()}"


@contextmanager
def about_to_ask(study: Any) -> Iterator[None]:
    """Write down that this process asks for a trial, until it has marked it as its own."""
    key = f"{_ASKS}{socket.gethostname()}:{os.getpid()}"
    study.set_user_attr(key, True)
    yield
    study.set_user_attr(key, False)


def mark(trial: Any) -> None:
    """Write down which process works on a trial."""
    trial.set_user_attr(_WORKER, [socket.gethostname(), os.getpid()])


def take_up(study: Any) -> int:
    """Fail the trials of processes of this machine that are gone, to be tried again first."""
    states = optuna().trial.TrialState
    found = 0
    for frozen in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        if _is_gone(frozen, study.user_attrs):
            study.tell(frozen.number, state=states.FAIL, skip_if_finished=True)
            study.enqueue_trial(frozen.params)
            found += 1
    return found


def _is_gone(trial: Any, told: Mapping[str, Any]) -> bool:
    if _WORKER in trial.user_attrs:
        host, process = trial.user_attrs[_WORKER]
        return host == socket.gethostname() and not _lives(process)
    # Asked for and not marked: it is gone if nobody is left who could be about to mark it.
    asking = [key.split(":")[1:] for key, asks in told.items() if key.startswith(_ASKS) and asks]
    if not any(host != socket.gethostname() or _lives(int(process)) for host, process in asking):
        return True
    return (datetime.datetime.now() - trial.datetime_start).total_seconds() > _UNMARKED


def _lives(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
