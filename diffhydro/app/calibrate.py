"""`diffhydro calibrate`: fit, show how it went, write a report; goes on where it was stopped."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from diffhydro.app.calibrate_output import Outcome, write_outcome
from diffhydro.app.calibrate_report import show, write_report
from diffhydro.app.config import Config, located
from diffhydro.app.config_reading import as_yaml, read_as
from diffhydro.app.fitting import Fitting, method_of, prepare_fitting, simulate_targets
from diffhydro.app.run_folder import open_run
from diffhydro.calibration import Fitted, calibrate, calibrate_together
from diffhydro.calibration.independent import Queue
from diffhydro.calibration.search import RUNNING
from diffhydro.core.states import load, named, rebuilt, save
from diffhydro.picture import blank_figure

_EVERY = 20.0  # seconds between two savings of the queue
_CHECKPOINTS, _QUEUE = "checkpoints", "queue.npz"


def run(path: Path, out: Path, changes: Sequence[str] = ()) -> None:
    """Calibrate as a file says, and write all results into a folder."""
    blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    config = located(read_as(Config, path, changes), path.parent)
    if config.dtype == "float64":
        jax.config.update("jax_enable_x64", True)
    console, began = Console(stderr=True), time.monotonic()
    text, data = as_yaml(config), (config.data.sites, config.data.attributes)
    with open_run(out, text, data, console) as folder:
        fitting = prepare_fitting(config, Path())
        for note in fitting.notes:
            folder.say(note)
        fitted = _fit(config, fitting, out, console)
        for site, reason in fitted.reasons.items():
            folder.say(f"{fitting.problem.names[site]} was not fitted: {reason}")
        folder.say("running all sites with the parameters before and after")
        outcome = _judge(fitting, fitted)
        write_outcome(out, config, outcome)
        seconds = time.monotonic() - began
        write_report(out, config, outcome, seconds, text)
        folder.finish(seconds)
    shutil.rmtree(out / _CHECKPOINTS, ignore_errors=True)
    show(Console(), outcome, out)


def _fit(config: Config, fitting: Fitting, out: Path, console: Console) -> Fitted:
    problem, method = fitting.problem, method_of(config)
    key = jax.random.key(config.search.seed)
    sharing, told = config.sharing, config.model_dump(mode="json")
    with _progress(console) as watch:
        keeper = _Keeper(out / _CHECKPOINTS, {"config": told}, watch)
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

    def __init__(
        self, folder: Path, told: Mapping[str, Any], watch: Callable[[Queue], None]
    ) -> None:
        self._path, self._told, self._watch = folder / _QUEUE, told, watch
        self._saved = time.monotonic()

    def last(self, like: Queue) -> Queue:
        """Return the queue that was saved, or the one at the beginning."""
        return rebuilt(like, load(self._path, self._told)) if self._path.is_file() else like

    def __call__(self, queue: Queue) -> None:
        """Save, if it is time, and show."""
        if time.monotonic() - self._saved > _EVERY:
            save(self._path, self._told, named(queue))
            self._saved = time.monotonic()
        self._watch(queue)


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
