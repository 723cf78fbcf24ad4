"""`diffhydro train`: a run folder from a configuration; goes on where it was stopped."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.config import located
from diffhydro.app.config_reading import as_yaml, read_as
from diffhydro.app.run_folder import open_run
from diffhydro.app.train.config import TrainConfig
from diffhydro.app.train.judge import Judged, judge
from diffhydro.app.train.report import show, write_report
from diffhydro.app.train.table import read_table
from diffhydro.app.train.training import keep_models, train
from diffhydro.atomic import whole
from diffhydro.picture import blank_figure
from diffhydro.training.checkpoints import Checkpoints

SCORES, PREDICTIONS, CHECKPOINTS = "scores.nc", "predictions.nc", "checkpoints"


def run(path: Path, out: Path, changes: Sequence[str] = ()) -> None:
    """Train as a file says, score what was held out, and write all of it into a folder."""
    blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    config = located(read_as(TrainConfig, path, changes), path.parent)
    train_into(config, out)


def train_into(config: TrainConfig, out: Path) -> Judged:
    """Train, judge and report."""
    console, began = Console(stderr=True), time.monotonic()
    data = config.data
    with open_run(out, as_yaml(config), (data.sites, data.attributes), console) as folder:
        table = read_table(config.model, data, config.depth, Path())
        for note in table.notes:
            folder.say(note)
        with Checkpoints(out / CHECKPOINTS) as saver:
            outcome = train(config, table, out=out, saver=saver)
        keep_models(config, outcome, out)
        for one, why in zip(outcome.members, outcome.trained.stopped_because, strict=True):
            folder.say(f"{one.name}: {why}")
        folder.say("scoring what was held out, beside baselines")
        judged = judge(config, table, outcome)
        write_results(out, judged)
        seconds = time.monotonic() - began
        write_report(out, config, outcome, judged, table.notes, seconds, as_yaml(config))
        folder.finish(seconds)
    show(Console(), outcome, judged, out)
    return judged


def write_results(out: Path, judged: Judged) -> None:
    """Write scores and series, with their coordinates."""
    told = {"source": f"diffhydro {__version__}", "residual_mm": judged.residual or 0.0}
    series = judged.predictions.to_dataset(name="soil_moisture").assign(observed=judged.observed)
    for name, found in ((SCORES, judged.scores), (PREDICTIONS, series)):
        with whole(out / name) as part:
            found.assign_attrs(told).to_netcdf(part, engine="h5netcdf")
