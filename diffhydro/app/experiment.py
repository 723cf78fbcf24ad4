"""`diffhydro experiment`: a study as a recipe, from a preset to a report.

A recipe is a package below `experiments/`. It reads its presets (`read_preset`, `PRESETS`) and runs
(`run`); this module gives it a run folder, and makes a page of what it found.
"""

import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module, util
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import jax
import yaml
from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.config_reading import changed, checked, read_yaml
from diffhydro.app.page import Picture, Section, table_section, title_of, write_page
from diffhydro.app.run_folder import CONFIG, RunFolder, open_run
from diffhydro.app.score_table import Rows
from diffhydro.app.screen import grid
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure

_SHORT, _WIDE = 40, 9  # rows and columns that a terminal shows whole


def run(
    name: str,
    preset: str,
    out: Path,
    *,
    data: Path | None = None,
    attributes: Path | None = None,
    changes: Sequence[str] = (),
) -> None:
    """Run a study, and write all of it into a folder."""
    recipe = recipe_of(name)
    settings = recipe.read_preset(preset, _by_path(changes))
    _run(recipe, name, settings, out, data, attributes)


def run_file(path: Path, out: Path, changes: Sequence[str] = ()) -> None:
    """Run a study as the configuration says that one has left in its folder."""
    found = changed(read_yaml(path), changes)
    missing = [key for key in ("experiment", "settings") if key not in found]
    if missing:
        raise InputError(f"{path} has no {' and no '.join(missing)}; expected what a run has left")
    recipe = recipe_of(str(found["experiment"]))
    settings = checked(recipe.Preset, found["settings"], f"settings of {path}")
    files = {key: found.get(key) for key in ("data", "attributes")}
    places = {key: None if name is None else Path(name) for key, name in files.items()}
    _run(recipe, str(found["experiment"]), settings, out, places["data"], places["attributes"])


def print_settings(name: str, preset: str, changes: Sequence[str]) -> str:
    """Give all settings of a preset as YAML."""
    settings = recipe_of(name).read_preset(preset, _by_path(changes))
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def recipe_of(name: str) -> Any:
    """Import a recipe by its name."""
    known = recipes()
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"there is no experiment {name}: there are {', '.join(known)}{hint}")
    return import_module(f"experiments.{name}")


def recipes() -> list[str]:
    """List the studies that are here."""
    found = util.find_spec("experiments")
    if found is None or found.submodule_search_locations is None:
        raise InputError(
            "the recipes are not installed: run from a checkout of diffhydro, or install it whole"
        )
    return sorted(one.name for one in iter_modules(found.submodule_search_locations) if one.ispkg)


def _by_path(changes: Sequence[str]) -> dict[str, Any]:
    found = {}
    for change in changes:
        key = change.partition("=")[0].strip()
        value: Any = changed({}, [change])
        for part in key.split("."):
            value = value[part]
        found[key] = value
    return found


def _run(
    recipe: Any, name: str, settings: Any, out: Path, data: Path | None, attributes: Path | None
) -> None:
    blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    files = {
        key: None if path is None else str(path.resolve())
        for key, path in (("data", data), ("attributes", attributes))
    }
    asked = {"task": "experiment", "experiment": name, **files}
    asked["settings"] = settings.model_dump(mode="json")
    text = yaml.safe_dump(asked, sort_keys=False, allow_unicode=True)
    began = time.monotonic()
    with open_run(out, text, tuple(files.values()), Console(stderr=True)) as folder:
        outcome = recipe.run(settings, out, data=data, attributes=attributes, report=folder.say)
        seconds = time.monotonic() - began
        write_report(out, name, outcome, seconds)
        _conclude(folder, outcome, seconds)


def _conclude(folder: RunFolder, outcome: Any, seconds: float) -> None:
    screen = Console()
    for name, rows in outcome.tables.items():
        cells = cells_of(rows)
        if 1 < len(cells) <= _SHORT and len(cells[0]) <= _WIDE:
            screen.print(grid(cells, title_of(name)))
    for claim, held in outcome.checks.items():
        line = f"{'held' if held else 'NOT held'}: {claim}"
        folder.note(line)
        screen.print(line, highlight=False, soft_wrap=True)
    folder.finish(seconds)
    screen.print(f"wrote {folder.path / 'report.html'}", highlight=False, soft_wrap=True)


def write_report(out: Path, name: str, outcome: Any, seconds: float) -> None:
    """Make a page of what a recipe found."""
    pictures = [Picture(path, title_of(path.stem)) for path in outcome.figures]
    held = sum(outcome.checks.values())
    sections = [
        Section("What was claimed", outcome.words, checks=outcome.checks),
        Section("Figures", pictures=pictures),
        *(
            table_section(title_of(key), cells_of(rows), f"{key}.csv")
            for key, rows in outcome.tables.items()
            if rows
        ),
        Section(
            "The configuration",
            ["diffhydro run with this file makes this run again."],
            code=(out / CONFIG).read_text(encoding="utf-8"),
        ),
    ]
    verdict = f"{held} of {len(outcome.checks)} claims held."
    footer = (
        f"diffhydro {__version__}, jax {jax.__version__} on {jax.devices()[0].platform}; "
        f"{seconds / 60:.1f} min."
    )
    write_page(out / "report.html", f"diffhydro: {name}", verdict, sections, footer)


def cells_of(rows: Sequence[Mapping[str, Any]]) -> Rows:
    """Give rows of text, the head first."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [tuple(names), *(tuple(_text(row.get(name)) for name in names) for row in rows)]


def _text(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
