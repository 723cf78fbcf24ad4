"""Commands that read a configuration, and those that use what a training has left."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from diffhydro.app.cli_options import (
    Cached,
    Changes,
    ConfigFile,
    OutFolder,
    PrintConfig,
    prepare,
    required,
)

Trained = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Folder or model file of a training.", show_default=False),
]
Data = Annotated[
    Path | None,
    typer.Option(metavar="IN.nc", help="Other sites; by default those of the training."),
]
Attributes = Annotated[
    Path | None, typer.Option(metavar="TABLE.csv", help="A row for each of these sites.")
]


class _Task(NamedTuple):
    """A command that reads a configuration and leaves a folder.

    Attributes:
        told: What its help says.
        kind: Module and name of its configuration.
        program: Module that does it.
    """

    told: str
    kind: tuple[str, str]
    program: str


_GOES_ON = "Goes on where it was interrupted when it is called again in the same way."
_TASKS = {
    "calibrate": _Task(
        "Fit parameters of a land model to observations, at every site for itself or together."
        f"\n\n{_GOES_ON}",
        ("diffhydro.app.config", "Config"),
        "diffhydro.app.calibrate",
    ),
    "sensitivity": _Task(
        "Find which parameter, and which rain, a result rests on; tables, figures, a report.",
        ("diffhydro.app.sensitivity_config", "SensitivityConfig"),
        "diffhydro.app.sensitivity",
    ),
    "train": _Task(
        "Train a network with or without physics, and score it where it was not trained."
        f"\n\n{_GOES_ON}",
        ("diffhydro.app.train.config", "TrainConfig"),
        "diffhydro.app.train.run",
    ),
}


def _command(task: str) -> Callable[..., None]:
    """Make the command of a task: all are called in the same way."""

    def command(
        config: ConfigFile,
        out: OutFolder = None,
        changes: Changes = None,
        print_config: PrintConfig = False,
        cache: Cached = True,
    ) -> None:
        _run(task, config, out, changes, print_config, cache)

    return command


def run(
    config: ConfigFile,
    out: OutFolder = None,
    changes: Changes = None,
    print_config: PrintConfig = False,
    cache: Cached = True,
) -> None:
    """Do what a configuration says: its key `task` names the command.

    Such as the config.yaml that every run leaves in its folder.
    """
    from diffhydro.app.config_reading import read_yaml
    from diffhydro.errors import InputError

    task = read_yaml(config).get("task")
    if task not in (*_TASKS, "experiment"):
        known = ", ".join((*_TASKS, "experiment"))
        raise InputError(f"{config}: task is {task!r}; expected one of {known}")
    if task == "experiment":
        folder = required(out)
        prepare(cache)
        from diffhydro.app.experiment import run_file

        run_file(config, folder, tuple(changes or ()))
        return
    _run(task, config, out, changes, print_config, cache)


def tune(
    config: ConfigFile,
    out: OutFolder = None,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes that search together.")
    ] = 1,
    changes: Changes = None,
    print_config: PrintConfig = False,
    cache: Cached = True,
) -> None:
    """Search the settings of a training by their validation (needs the extra tune).

    Goes on with the trials that the folder holds.
    """
    if print_config:
        _print("train", config, changes)
        return
    folder = required(out)
    prepare(cache)
    from diffhydro.app.train.tune import run as search

    search(config, folder, workers, tuple(changes or ()))


def predict(
    trained: Trained,
    out: Annotated[Path, typer.Option(metavar="OUT.nc", help="Predictions.", show_default=False)],
    data: Data = None,
    attributes: Attributes = None,
    cache: Cached = True,
) -> None:
    """Predict soil moisture with a trained model; several networks give a mean and a spread."""
    prepare(cache)
    from diffhydro.app.train.use import predict_into

    predict_into(trained, data, attributes, out)


def evaluate(
    trained: Trained,
    out: Annotated[Path, typer.Option(metavar="OUT.nc", help="Scores.", show_default=False)],
    data: Data = None,
    attributes: Attributes = None,
    cache: Cached = True,
) -> None:
    """Score a trained model at sites, all of whose days count."""
    prepare(cache)
    from diffhydro.app.train.use import evaluate_into

    evaluate_into(trained, data, attributes, out)


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(metavar="OUT.html", help="The page.", show_default=False)],
) -> None:
    """Make one page of a run, or of several beside each other."""
    from diffhydro.app.compare import run as compare

    compare(runs, out)


def experiment(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Of the study, such as global_pgdl.", show_default=False
        ),
    ],
    preset: Annotated[
        str, typer.Option(metavar="NAME", help="How large; or a YAML file of settings.")
    ] = "tiny",
    out: OutFolder = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Stations, or a virtual Earth; by default one is made."),
    ] = None,
    attributes: Attributes = None,
    changes: Changes = None,
    print_config: PrintConfig = False,
    cache: Cached = True,
) -> None:
    """Run a study from its data to its tables, figures and a report.

    Goes on where it was interrupted when it is called again in the same way.
    """
    if print_config:
        from diffhydro.app.experiment import print_settings

        typer.echo(print_settings(name, preset, tuple(changes or ())), nl=False)
        return
    folder = required(out)
    prepare(cache)
    from diffhydro.app.experiment import run as study

    study(name, preset, folder, data=data, attributes=attributes, changes=tuple(changes or ()))


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    for name, task in _TASKS.items():
        app.command(name, help=task.told)(_command(name))
    for command in (tune, evaluate, predict, experiment, report, run):
        app.command()(command)


def _run(
    task: str,
    config: Path,
    out: Path | None,
    changes: list[str] | None,
    print_config: bool,
    cache: bool,
) -> None:
    if print_config:
        _print(task, config, changes)
        return
    folder = required(out)
    prepare(cache)
    import_module(_TASKS[task].program).run(config, folder, tuple(changes or ()))


def _print(task: str, config: Path, changes: list[str] | None) -> None:
    from diffhydro.app.config_reading import as_yaml, read_as

    module, name = _TASKS[task].kind
    kind = getattr(import_module(module), name)
    typer.echo(as_yaml(read_as(kind, config, changes or ())), nl=False)
