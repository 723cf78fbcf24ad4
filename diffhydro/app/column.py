"""`diffhydro column`: one case, from file to files."""

import os
from contextlib import nullcontext
from pathlib import Path

import jax
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from diffhydro.app import case_report
from diffhydro.app.case import Case
from diffhydro.app.case_read import Weather, read_case
from diffhydro.app.case_run import Result, run_case
from diffhydro.app.case_setup import Setup, set_up
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure
from diffhydro.soil.richards.adaptive import Adaptive

_ERROR_PER_STEP = 2e-4
_ITERATIONS_AT_MOST = 200_000


def run(
    case: Path,
    *,
    out: Path | None,
    nodes: int | None,
    dtype: str,
    tolerance: float | None,
    compare: bool,
    plot: bool,
) -> None:
    """Run a case file; write, compare and draw as asked."""
    spec, weather = read_case(case)
    if plot:
        blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    if out is not None:
        _check_folder(out)
    if compare:
        _check_reference(spec, case.parent)
    console = Console(stderr=True)
    with Progress(console=console) if console.is_terminal else nullcontext() as progress:
        setup, result = solve(spec, weather, nodes, dtype, tolerance, progress)
    found = case_report.profiles(spec, setup, result)
    totals = case_report.series(spec, result)
    errors = case_report.compare(spec, case.parent, found, totals) if compare else None
    record = case_report.record(setup, result, dtype, errors)
    if out is not None:
        files = {
            f"{spec.id}_profiles.csv": case_report.table_text(found),
            f"{spec.id}_series.csv": case_report.table_text(totals),
            f"{spec.id}_run.json": case_report.to_json(record),
        }
        case_report.write_all(out, files)
    if plot and out is not None:
        from diffhydro.app.case_plot import draw

        draw(spec, case.parent if compare else None, found, totals, out / f"{spec.id}.png")
    _print(spec, record, errors)


def solve(
    spec: Case,
    weather: Weather,
    nodes: int | None,
    dtype: str,
    tolerance: float | None,
    progress=None,
) -> tuple[Setup, Result]:
    """Set a case up and integrate it."""
    jax.config.update("jax_enable_x64", True)  # reports are made in float64 whatever the run is in
    setup = set_up(spec, weather, nodes, dtype)
    policy = Adaptive(
        error=tolerance if tolerance is not None else _ERROR_PER_STEP,
        sweeps=1,
        iterations=10,
        most=_ITERATIONS_AT_MOST,
    )
    return setup, run_case(setup, policy, progress)


def _check_folder(out: Path) -> None:
    """Find out before the work whether results can be written, and leave no trace of it."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    probe = out / f".diffhydro-{os.getpid()}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
        for folder in missing:
            folder.rmdir()
    except OSError as error:
        raise InputError(f"cannot write into output folder {out}: {error.strerror}") from error


def _check_reference(spec: Case, folder: Path) -> None:
    for kind in ("profiles", "series"):
        path = folder / f"{spec.id}_{kind}.csv"
        if not path.is_file():
            raise InputError(f"--compare needs {path}, which does not exist")


def _print(spec: Case, record: dict, errors: dict | None) -> None:
    console = Console()
    console.print(
        f"{spec.id}: {record['nodes']} layers, {record['dtype']}, {record['steps']} steps, "
        f"{record['iterations']} iterations, {record['unconverged_steps']} unconverged; balance "
        f"{record['mass_balance_error_m']:.1e} m ({record['mass_balance_error_relative']:.1e}); "
        f"compile {record['compile_seconds']} s, run {record['run_seconds']} s",
        soft_wrap=True,
    )
    for note in record["notes"]:
        console.print(f"  note: {note}", soft_wrap=True)
    if errors is None:
        return
    console.print(
        f"  theta: mean |error| {errors['theta_mean_abs']:.2e}, "
        f"RMS {errors['theta_rms']:.2e}, max {errors['theta_max_abs']:.2e}",
        soft_wrap=True,
    )
    table = Table("series", "largest error, m", "worst error / allowed", "at t", box=None)
    for name, miss in errors["series"].items():
        table.add_row(
            name,
            f"{miss['max_abs_m']:.2e}",
            f"{miss['worst_over_allowed']:.3f}",
            f"{miss['at_t']:g}",
        )
    console.print(table)
