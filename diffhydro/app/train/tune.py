"""`diffhydro tune`: search the settings of a training; several processes may share a folder."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from diffhydro.app.config import located
from diffhydro.app.config_reading import as_yaml, checked, read_as, with_key
from diffhydro.app.train.config import BetweenConfig, TrainConfig, TuneConfig
from diffhydro.app.train.table import read_table
from diffhydro.app.train.training import train
from diffhydro.atomic import whole
from diffhydro.errors import InputError
from diffhydro.training.search import (
    AbstractRange,
    Between,
    Found,
    Hyperband,
    OneOf,
    Report,
    Whole,
    tune,
)

SCORE = "validation.total"
BEST_CONFIG = "best-config.yaml"


def run(path: Path, out: Path, workers: int, changes: Sequence[str] = ()) -> None:
    """Search as a file says; the folder may hold trials of this search already."""
    config = located(read_as(TrainConfig, path, changes), path.parent)
    search = _search(config)
    console = Console(stderr=True)
    others = [_worker(path, out, changes) for _ in range(workers - 1)]
    try:
        found = _tune(config, search, out, console)
    finally:
        # A worker that is killed loses one trial, which is tried again when the search goes on.
        for other in others:
            other.terminate() if sys.exc_info()[0] is not None else other.wait()
    best = best_config(config, found.values)
    with whole(out / BEST_CONFIG) as part:
        part.write_text(as_yaml(best), encoding="utf-8")
    screen = Console()
    screen.print(f"best of {found.trials} trials: {found.score:.6g} (trial {found.number})")
    for name, value in found.values.items():
        screen.print(f"  {name}: {value}", highlight=False)
    for number, why in found.failed.items():
        screen.print(f"trial {number} failed: {why}", highlight=False, soft_wrap=True)
    screen.print(
        f"wrote {out / BEST_CONFIG}: diffhydro train {out / BEST_CONFIG} --out …",
        highlight=False,
        soft_wrap=True,
    )


def best_config(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """Put settings into a configuration, and check the whole again."""
    found = config.model_dump(mode="json")
    for key, value in values.items():
        found = with_key(found, key.split("."), value)
    return checked(TrainConfig, found, f"the settings {dict(values)}")


def space_of(search: TuneConfig) -> dict[str, AbstractRange]:
    """Give what may be chosen."""
    return {name: _range(one) for name, one in search.settings.items()}


def _range(one: BetweenConfig) -> AbstractRange:
    if one.between is not None:
        return Between(*one.between, is_log=one.log)
    if one.whole is not None:
        return Whole(*one.whole, is_log=one.log)
    assert one.one_of is not None
    return OneOf(tuple(one.one_of))


def _search(config: TrainConfig) -> TuneConfig:
    """Give the search of a configuration, all of whose settings have to be keys of it."""
    if config.tune is None:
        raise InputError(
            "the configuration says nothing of a search; add tune, such as "
            "tune: {settings: {training.rate: {between: [0.001, 0.01], log: true}}}"
        )
    if config.hold_out.validation == 0:
        raise InputError(
            "a search is judged by a validation: give hold_out.validation a share of the sites"
        )
    first = {name: _first(one) for name, one in config.tune.settings.items()}
    best_config(config, first)
    return config.tune


def _first(one: BetweenConfig) -> Any:
    return (one.between or one.whole or one.one_of or [None])[0]


def _tune(config: TrainConfig, search: TuneConfig, out: Path, console: Console) -> Found:
    table = read_table(config.model, config.data, config.depth, Path())

    def trial(settings: Mapping[str, Any], report: Report) -> float:
        mine = best_config(config, settings)
        here = table
        if _reads(mine) != _reads(config):
            here = read_table(mine.model, mine.data, mine.depth, Path())
        return _score(mine, here, report if search.least_epochs is not None else None)

    def watch(number: int, best: float | None) -> None:
        so_far = "no score yet" if best is None else f"best so far {best:.6g}"
        console.print(f"trial {number} ended; {so_far}", highlight=False)

    pruning = None
    if search.least_epochs is not None:
        pruning = Hyperband(search.least_epochs, config.training.epochs)
    return tune(
        trial, space_of(search), out, trials=search.trials, seed=search.seed, pruning=pruning,
        watch=watch,
    )  # fmt: skip


def _reads(config: TrainConfig) -> Any:
    return config.model.model_dump(exclude={"head"}), config.data, config.depth


def _score(config: TrainConfig, table: Any, report: Report | None) -> float:
    """Train all folds, and give the mean of their best validations; the tests stay unseen."""

    def tell(_: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        there = [row[SCORE] for row in rows if row.get(SCORE) is not None]
        if report is not None and there:
            report(int(rows[0]["epoch"]) + 1, float(np.mean(there)))

    outcome = train(config, table, on_epoch=tell)
    best = -np.asarray(outcome.trained.state.best_score, np.float64)
    return float(np.mean(best))


def _worker(path: Path, out: Path, changes: Sequence[str]) -> subprocess.Popen:
    sets = [word for change in changes for word in ("--set", change)]
    program = "from diffhydro.app.cli import main; main()"
    words = [sys.executable, "-c", program, "tune", str(path), "--out", str(out), *sets]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL)
