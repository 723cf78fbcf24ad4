"""`diffhydro sensitivity`: which parameter, which rain; at one site, with a figure for each."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from diffhydro.app import sensitivity_methods as methods
from diffhydro.app.config import located
from diffhydro.app.config_reading import as_yaml, read_as
from diffhydro.app.run_folder import RunFolder, open_run
from diffhydro.app.sensitivity_case import Case, prepare_case
from diffhydro.app.sensitivity_config import METHODS, SensitivityConfig
from diffhydro.app.sensitivity_report import show, write_report
from diffhydro.evaluation.sensitivity.salib import part_of_salib
from diffhydro.picture import blank_figure
from diffhydro.typing import Array


def run(path: Path, out: Path, changes: Sequence[str] = ()) -> None:
    """Study one site as a file says, and write tables, figures and a report into a folder."""
    blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    config = located(read_as(SensitivityConfig, path, changes), path.parent)
    for method in ("morris", "sobol"):
        if method in config.methods:  # nor does the work begin without SALib
            part_of_salib(f"sample.{method}", method)
    if config.dtype == "float64":
        jax.config.update("jax_enable_x64", True)
    console, began = Console(stderr=True), time.monotonic()
    text, data = as_yaml(config), (config.data.sites, config.data.attributes)
    with open_run(out, text, data, console) as folder:
        case = prepare_case(config, Path())
        for note in case.notes:
            folder.say(note)
        found = _study(case, folder, console)
        seconds = time.monotonic() - began
        write_report(out, case, found, seconds, text)
        folder.finish(seconds)
    show(Console(), case, found, out)


def _study(case: Case, folder: RunFolder, console: Console) -> methods.Found:
    """Do what is asked, one after the other."""

    def mean(run: Any) -> Array:
        return jnp.mean(case.observe(run))

    wanted = [method for method in METHODS if method in case.config.methods]
    found: dict[str, methods.Finding] = {}
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=len(wanted))
        response = case.study.response(mean)
        for method in wanted:
            bar.update(task, description=f"{method} at {case.site}")
            found[method] = methods.STEPS[method](case, response, folder.path, found)
            folder.note(f"{method}: {found[method].says}")
            bar.advance(task)
    return found
