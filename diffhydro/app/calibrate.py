"""`diffhydro calibrate`: fit, show how it went, write a report; goes on where it was stopped."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from diffhydro._version import __version__
from diffhydro.app.calibrate_output import Outcome, write_outcome
from diffhydro.app.calibrate_report import show, write_report
from diffhydro.app.config import Config, located
from diffhydro.app.config_reading import as_yaml, read_as
from diffhydro.app.fitting import Fitting, method_of, prepare_fitting, simulate_targets
from diffhydro.app.stamps import stamp
from diffhydro.atomic import whole
from diffhydro.calibration import Fitted, calibrate, calibrate_together
from diffhydro.calibration.independent import Queue
from diffhydro.calibration.search import RUNNING
from diffhydro.core.states import load, named, rebuilt, save
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure

_EVERY = 20.0  # seconds between two savings of the queue
_QUEUE = "queue.npz"
_CLAIM = "claim.json"


def run(path: Path, out: Path, changes: Sequence[str] = ()) -> None:
    """Calibrate as a file says, and write all results into a folder."""
    blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    config = read_as(Config, path, changes)
    if config.dtype == "float64":
        jax.config.update("jax_enable_x64", True)
    console = Console(stderr=True)
    began = time.monotonic()
    identity = _identity(config, path.parent)
    _refuse(out, identity)
    fitting = prepare_fitting(config, path.parent)
    for note in fitting.notes:
        console.print(note, highlight=False)
    fitted = _fit(config, fitting, out, identity, console)
    for site, reason in fitted.reasons.items():
        console.print(f"{fitting.problem.names[site]} was not fitted: {reason}", highlight=False)
    console.print("running all sites with the parameters before and after", highlight=False)
    outcome = _judge(fitting, fitted)
    write_outcome(out, config, outcome)
    seconds = time.monotonic() - began
    write_report(out, config, outcome, seconds)
    with whole(out / "config.yaml") as part:
        part.write_text(as_yaml(located(config, path.parent)), encoding="utf-8")
    with whole(out / "run.json") as part:
        told = json.dumps(identity | {"seconds": round(seconds, 1)}, indent=2)
        part.write_text(told + "\n", encoding="utf-8")
    for name in (_QUEUE, _CLAIM):
        (out / name).unlink(missing_ok=True)
    show(Console(), outcome, out)


def _identity(config: Config, folder: Path) -> dict[str, Any]:
    """Say what makes a calibration this one."""
    named = (config.data.sites, config.data.attributes)
    data = {name: stamp(folder / name) for name in named if name is not None}
    return {"version": __version__, "config": config.model_dump(mode="json"), "data": data}


def _refuse(out: Path, identity: dict[str, Any]) -> None:
    """Refuse a folder that holds another calibration, or this one finished."""
    if (out / "run.json").exists():
        raise InputError(f"{out} holds a finished calibration; choose another --out")
    claim = out / _CLAIM
    if not claim.is_file():
        return
    before = json.loads(claim.read_text(encoding="utf-8"))
    if before != identity:
        told, asked = before.get("config", {}), identity["config"]
        other = [key for key in asked if told.get(key) != asked[key]]
        other += [key for key in ("data", "version") if before.get(key) != identity[key]]
        raise InputError(
            f"{out} holds an unfinished calibration that differs in {', '.join(other)}; choose "
            "another --out, or remove the folder"
        )


def _fit(
    config: Config, fitting: Fitting, out: Path, identity: dict[str, Any], console: Console
) -> Fitted:
    problem, method = fitting.problem, method_of(config)
    key = jax.random.key(config.search.seed)
    sharing = config.sharing
    with _progress(console) as watch:
        keeper = _Keeper(out, identity, watch)
        if sharing.shared or sharing.by_cluster:
            return calibrate_together(
                problem,
                method,
                shared=sharing.shared,
                by_cluster=sharing.by_cluster,
                clusters=fitting.clusters,
                starts=config.search.starts,
                key=key,
                resume=keeper.last,
                watch=keeper,
            )
        return calibrate(
            problem,
            method,
            starts=config.search.starts,
            key=key,
            lanes=config.search.lanes,
            resume=keeper.last,
            watch=keeper,
        )


class _Keeper:
    """Saves the queue now and then, so that a stopped calibration goes on bit for bit."""

    def __init__(self, out: Path, identity: dict[str, Any], watch: Callable[[Queue], None]) -> None:
        self._out, self._identity, self._watch = out, identity, watch
        self._saved = time.monotonic()

    def last(self, like: Queue) -> Queue:
        """Return the queue that was saved, or the one at the beginning."""
        path = self._out / _QUEUE
        return rebuilt(like, load(path, self._identity)) if path.is_file() else like

    def __call__(self, queue: Queue) -> None:
        """Save, if it is time, and show."""
        if time.monotonic() - self._saved > _EVERY:
            self._claim()
            save(self._out / _QUEUE, self._identity, named(queue))
            self._saved = time.monotonic()
        self._watch(queue)

    def _claim(self) -> None:
        """Say whose folder this is: not before there is something that could be lost."""
        if not (self._out / _CLAIM).is_file():
            with whole(self._out / _CLAIM) as part:
                told = json.dumps(self._identity, indent=2)
                part.write_text(told + "\n", encoding="utf-8")


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[Queue], None]]:
    columns = (
        TextColumn("searches"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=1)

        def watch(queue: Queue) -> None:
            done = int((queue.found.status != RUNNING).sum())
            rounds = f"longest at round {int(queue.round[queue.task >= 0].max(initial=0))}"
            bar.update(task, completed=done, total=len(queue.found.status), description=rounds)

        yield watch


def _judge(fitting: Fitting, fitted: Fitted) -> Outcome:
    """Run all days with what was before and what was found."""
    problem = fitting.problem
    before = problem.own
    default = simulate_targets(problem, before, fitting.forcing, fitting.spin_up)
    after = simulate_targets(problem, fitted.numbers(), fitting.forcing, fitting.spin_up)
    return Outcome(fitting, fitted, default, after)
