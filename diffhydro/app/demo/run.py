"""The demonstration, part after part, and its report.

Needs no network and no file but those of the package. Everything that the report says is computed
in the run; the report is one HTML file with its figures inside.
"""

import time
from collections.abc import Callable
from pathlib import Path

import jax
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from diffhydro._version import __version__
from diffhydro.app.demo.calibration import calibration
from diffhydro.app.demo.celia import celia
from diffhydro.app.demo.gradients import gradients
from diffhydro.app.demo.places import places
from diffhydro.app.demo.study import study
from diffhydro.app.demo.world import world
from diffhydro.app.demo.year import year
from diffhydro.app.page import Section, write_page
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure

Part = Callable[[Path, Callable[[int, int], None]], Section]
PARTS: dict[str, Part] = {
    "Celia's column against its reference": celia,
    "a year of weather": year,
    "gradients against differences": gradients,
    "calibration": calibration,
    "a dozen places, two models": places,
    "a virtual Earth": world,
    "study A, in small": study,
}
_WIDE = 8  # columns that a terminal shows whole; the page has wider ones
_NEXT = Section(
    "Where to look next",
    [
        "docs/tutorials/richards.md: the column, step by step, in code you can paste; "
        "docs/tutorials/hybrid.md: an LSTM and a water balance trained together.",
        "diffhydro experiment global_pgdl --preset small --out DIR: study A on a larger world.",
        "diffhydro train configs/train-hybrid.yaml --out DIR: a training of your own.",
        "diffhydro simulate --model wbm --data IN.nc --out OUT.zarr --plot: your own places.",
        "diffhydro column CASE.json --out DIR --plot: your own column; docs/case-format.md.",
    ],
)


def run_demo(out: Path) -> None:
    """Run the demonstration and write figures and `report.html` into `out`."""
    began = time.perf_counter()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write into output folder {out}: {error.strerror}") from error
    blank_figure((1.0, 1.0))  # without matplotlib, say so before a minute has passed
    jax.config.update("jax_enable_x64", True)
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        sections = [_with_bar(progress, words, part, out) for words, part in PARTS.items()]
    seconds = time.perf_counter() - began
    for section in sections:
        _show(console, section)
    report = out / "report.html"
    failed = write_report(report, sections, seconds)
    count = sum(len(one.checks) for one in sections)
    console.print(
        f"{count - len(failed)} of {count} checks passed in {seconds:.0f} s. Open {report}; then "
        "read docs/tutorials/richards.md, or run diffhydro experiment global_pgdl --preset small",
        soft_wrap=True,
    )
    if failed:
        raise SystemExit(1)


def write_report(target: Path, sections: list[Section], seconds: float) -> list[str]:
    """Write the page, and give the claims that did not hold."""
    failed = [claim for one in sections for claim, held in one.checks.items() if not held]
    count = sum(len(one.checks) for one in sections)
    verdict = (
        f"All {count} checks passed. Every number and figure on this page was computed in this run."
        if not failed
        else f"{count - len(failed)} of {count} checks passed."
    )
    footer = (
        f"diffhydro {__version__}, jax {jax.__version__} on {jax.devices()[0].platform}; computed "
        f"in {seconds:.0f} s."
    )
    write_page(target, "diffhydro: the demonstration", verdict, [*sections, _NEXT], footer)
    return failed


def _with_bar(progress: Progress, words: str, do: Part, out: Path) -> Section:
    task = progress.add_task(words, total=None)

    def report(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    part = do(out, report)
    progress.update(task, completed=1, total=1)
    return part


def _show(console: Console, section: Section) -> None:
    for rows in section.tables:
        if len(rows[0]) > _WIDE:
            continue
        table = Table(*rows[0], title=section.title, title_justify="left", box=None)
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table)
