"""`diffhydro report`: one page for a run, or for several beside each other, from their folders."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.page import Picture, Section, table_section, title_of, write_page
from diffhydro.app.run_folder import CONFIG, LOG, RECORD
from diffhydro.app.score_table import Rows, medians, of_models
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure

if TYPE_CHECKING:
    import xarray as xr

SCORES, MODEL = "scores.nc", "model"
_LINES = 40  # of a log


@dataclass(frozen=True)
class Ended:
    """What a folder tells of its run."""

    path: Path
    config: dict[str, Any]
    text: str
    record: dict[str, Any]
    scores: "xr.Dataset | None"

    @property
    def name(self) -> str:
        """What it is called beside others."""
        return self.path.name


def run(folders: list[Path], out: Path) -> None:
    """Read run folders, and write a page of them."""
    blank_figure((1.0, 1.0))  # without matplotlib, say so first
    runs = [read_run(folder.resolve()) for folder in folders]
    names = [one.name for one in runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two folders are called {twice}; rename one, so that they can be told")
    with TemporaryDirectory() as place:
        sections = [_overview(runs), *_together(runs, Path(place))]
        for one in runs:
            sections += _alone(one)
        verdict = f"{len(runs)} run{'s' if len(runs) > 1 else ''}: {', '.join(names)}."
        write_page(out, "diffhydro: runs", verdict, sections, f"diffhydro {__version__}")
    Console().print(f"wrote {out}", highlight=False, soft_wrap=True)


def read_run(folder: Path) -> Ended:
    """Read what a run has left; one that has not ended is read as far as it came."""
    missing = [name for name in (CONFIG, RECORD) if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} has no {' and no '.join(missing)}; expected the folder of a run, such as "
            "diffhydro train --out leaves"
        )
    text = (folder / CONFIG).read_text(encoding="utf-8")
    try:
        config, record = yaml.safe_load(text), json.loads((folder / RECORD).read_text("utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{folder} does not read: {error}") from error
    scores = None
    if (folder / SCORES).is_file():
        import xarray as xr

        scores = xr.load_dataset(folder / SCORES, engine="h5netcdf")
    return Ended(folder, config, text, record, scores)


def _overview(runs: list[Ended]) -> Section:
    rows: Rows = [("run", "task", "ended", "minutes", "version")]
    for one in runs:
        record = one.record
        minutes = f"{record['seconds'] / 60:.1f}" if "seconds" in record else "–"
        task = str(one.config.get("experiment", one.config.get("task", "–")))
        version = str(record.get("version", "–"))
        rows.append((one.name, task, "yes" if record.get("finished") else "no", minutes, version))
    return Section("Runs", tables=[rows])


def _together(runs: list[Ended], place: Path) -> list[Section]:
    """Compare the scores of runs at the sites that all of them were tested at."""
    scored = [one for one in runs if one.scores is not None]
    if len(scored) < 2:
        return []
    mine = {name: scores for one in scored for name, scores in _compared(one).items()}
    common = sorted(set.intersection(*(set(x["site"].values.tolist()) for x in mine.values())))
    if not common:
        return [Section("Beside each other", ["The runs were tested at different sites."])]
    mine = {name: scores.sel(site=common) for name, scores in mine.items()}
    rows = medians(mine, "median over common sites")
    pictures = []
    from diffhydro.evaluation.figures import draw_boxes

    for score, label in (("rmse", "RMSE, m³/m³"), ("r", "r")):
        target = place / f"{score}.png"
        draw_boxes({name: x[score].drop_vars("model", errors="ignore") for name, x in mine.items()},
                   target, label=label)  # fmt: skip
        pictures.append(Picture(target, f"{label} at the sites that all runs were tested at."))
    return [Section("Beside each other", [], pictures, [rows])]


def _compared(one: Ended) -> dict[str, "xr.Dataset"]:
    """Give the scores that stand beside others: of a training its model, of a study every one."""
    assert one.scores is not None
    models = of_models(one.scores)
    if MODEL in models:
        return {one.name: models[MODEL]}
    return {f"{one.name}: {name}": scores for name, scores in models.items()}


def _alone(one: Ended) -> list[Section]:
    pictures = [Picture(path, title_of(path.stem)) for path in sorted(one.path.rglob("*.png"))]
    tables = [] if one.scores is None else [medians(of_models(one.scores))]
    log = one.path / LOG
    lines = log.read_text(encoding="utf-8").splitlines()[-_LINES:] if log.is_file() else []
    return [
        Section(one.name, [], pictures, tables),
        *_files(one),
        Section(f"{one.name}: configuration", code=one.text),
        *([Section(f"{one.name}: log", code="\n".join(lines))] if lines else []),
    ]


def _files(one: Ended) -> list[Section]:
    """Show the tables that a run has left as files."""
    paths = sorted(one.path.glob("*.csv"))
    tables = {path: _table(path) for path in paths}
    return [
        table_section(f"{one.name}: {title_of(path.stem).lower()}", rows, path.name)
        for path, rows in tables.items()
        if rows
    ]


def _table(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(map(_short, row)) for row in csv.reader(file)]


def _short(cell: str) -> str:
    try:
        return f"{float(cell):.4g}" if "." in cell else cell
    except ValueError:
        return cell
