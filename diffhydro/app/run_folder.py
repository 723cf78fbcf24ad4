"""The folder of a run: what it was asked, what it said, and whether it has ended.

A run that was interrupted goes on when it is asked the same again, or begins again where it keeps
no checkpoints; one of another configuration, or with other data, is refused.
"""

import datetime
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.stamps import stamp
from diffhydro.atomic import whole
from diffhydro.errors import InputError

CONFIG, LOG, RECORD = "config.yaml", "log.txt", "run.json"


class RunFolder:
    """A folder in which one run writes; made by `open_run`."""

    def __init__(self, path: Path, data: Mapping[str, str], console: Console) -> None:
        self.path, self._data, self._console = path, dict(data), console

    def say(self, text: str) -> None:
        """Tell the user, and write it down."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
        self.note(text)

    def note(self, text: str) -> None:
        """Write a line down, with the time."""
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        with (self.path / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{now} {text}\n")

    def finish(self, seconds: float) -> None:
        """Say that all is done."""
        self.note(f"finished after {seconds:.0f} s")
        self._record(finished=True, seconds=round(seconds, 1))

    def begin(self, text: str) -> None:
        """Write what is asked, before anything else."""
        with whole(self.path / CONFIG) as part:
            part.write_text(text, encoding="utf-8")
        self._record(finished=False)

    def _record(self, **told: object) -> None:
        record = {"version": __version__, "data": self._data, **told}
        with whole(self.path / RECORD) as part:
            part.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


@contextmanager
def open_run(
    out: Path, config: str, data: Sequence[str | None], console: Console
) -> Iterator[RunFolder]:
    """Open a folder for a run, or for the rest of one.

    A run that ends in an error before it has kept anything leaves no folder behind.

    Args:
        config: All keys, as YAML.
        data: Files and stores that it reads; those that are none are passed over.
    """
    stamps = {name: stamp(Path(name)) for name in data if name is not None and Path(name).exists()}
    is_new = not (out / RECORD).is_file()
    if is_new and out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty and holds no run; choose another --out")
    if not is_new:
        _refuse_other(out, config, stamps)
    out.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(out, stamps, console)
    if is_new:
        folder.begin(config)
    folder.note(f"diffhydro {__version__}: {'begun' if is_new else 'gone on'}")
    try:
        yield folder
    except InputError as error:
        if is_new and not _has_checkpoints(out) and not (out / "broken").exists():
            shutil.rmtree(out)
        else:
            folder.note(f"ended: {error}")
        raise
    except KeyboardInterrupt:
        folder.note("interrupted")
        then = "goes on from its last checkpoint" if _has_checkpoints(out) else "begins again"
        console.print(f"asked the same again, it {then}", highlight=False)
        raise


def _has_checkpoints(out: Path) -> bool:
    return any(out.glob("checkpoints/*"))


def _refuse_other(out: Path, config: str, stamps: Mapping[str, str]) -> None:
    record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    if record.get("finished"):
        raise InputError(f"{out} holds a finished run; choose another --out")
    before = yaml.safe_load((out / CONFIG).read_text(encoding="utf-8"))
    asked = yaml.safe_load(config)
    other = [key for key in asked if before.get(key) != asked[key]]
    other += ["the files of its data"] if record.get("data") != dict(stamps) else []
    other += ["version"] if record.get("version") != __version__ else []
    if other:
        raise InputError(
            f"{out} holds an unfinished run that differs in {', '.join(other)}; choose another "
            "--out, or remove the folder"
        )
