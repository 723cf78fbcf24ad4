"""The command line: `diffhydro simulate`, `calibrate`, `sensitivity`, `column`, `data`, `demo`, ….

This module imports neither jax nor any physics, so that `--help` answers at once; each command
imports what it needs when it runs.

Exit status: 0 done, 2 the input cannot be used (one paragraph on stderr), 130 interrupted,
1 a fault of the program's own (with a traceback).
"""

import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from diffhydro._version import __version__
from diffhydro.app.cli_configured import add_to
from diffhydro.app.cli_data import data, regions
from diffhydro.app.cli_options import Cached, prepare
from diffhydro.errors import InputError

__all__ = ["app", "main"]

UNUSABLE_INPUT = 2
INTERRUPTED = 130

app = typer.Typer(
    help="Differentiable hydrology in JAX.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain text survives pipes, logs and narrow terminals, and starts twice as fast.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.add_typer(data, name="data")
app.command()(regions)
add_to(app)


def main() -> None:
    """Run the command line and turn what the user can mend into a sentence."""
    try:
        app(prog_name="diffhydro")
    except InputError as error:
        _say(str(error))
        raise SystemExit(UNUSABLE_INPUT) from None
    except OSError as error:
        # An error about a named file is about something the user pointed at; any other is ours.
        if error.filename is None:
            raise
        _say(f"cannot use {error.filename}: {error.strerror}")
        raise SystemExit(UNUSABLE_INPUT) from None
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            _say("interrupted")
        raise


class Precision(StrEnum):
    """The two floating-point types a run can use."""

    float32 = "float32"
    float64 = "float64"


class LandModel(StrEnum):
    """The land models of `simulate`."""

    wbm = "wbm"
    hbv = "hbv"
    column = "column"


def _at_least_two(value: int | None) -> int | None:
    if value is not None and value < 2:
        raise typer.BadParameter(f"{value} is too few: a column has 2 nodes or more.")
    return value


def _positive(value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0.0):
        raise typer.BadParameter(f"{value} is not a finite number above 0.")
    return value


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diffhydro {__version__}")
        raise typer.Exit


@app.callback()
def _diffhydro(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Differentiable hydrology in JAX."""


@app.command()
def column(
    case: Annotated[
        Path, typer.Argument(metavar="CASE.json", help="The case to run.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for profiles, series and the run's record."),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(
            callback=_at_least_two, metavar="N", help="Number of nodes; by default a graded grid."
        ),
    ] = None,
    dtype: Annotated[Precision, typer.Option(help="Floating-point type.")] = Precision.float64,
    tolerance: Annotated[
        float | None,
        typer.Option(callback=_positive, metavar="X", help="Error allowed per time step."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Print errors against the reference beside the case.")
    ] = False,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw profiles and series into --out (needs matplotlib).")
    ] = False,
    cache: Cached = True,
) -> None:
    """Run one soil column from a case file.

    Writes DIR/<id>_profiles.csv, DIR/<id>_series.csv and DIR/<id>_run.json.
    """
    if out is None and not compare:
        raise InputError("nothing to do: give --out DIR to write results, --compare, or both")
    if out is None and plot:
        raise InputError("--plot draws into the output folder: give --out DIR as well")
    if not case.is_file():
        raise InputError(f"no case file at {case}: expected the path of a CASE.json")
    prepare(cache)

    from diffhydro.app.column import run

    run(
        case,
        out=out,
        nodes=nodes,
        dtype=dtype.value,
        tolerance=tolerance,
        compare=compare,
        plot=plot,
    )


@app.command()
def simulate(
    out: Annotated[
        Path,
        typer.Option(
            metavar="OUT.zarr", help="Results: a zarr store, or NetCDF if it ends in .nc."
        ),
    ],
    model: Annotated[LandModel, typer.Option(help="Water balance, buckets or Richards.")],
    data: Annotated[
        Path | None,
        typer.Option(metavar="IN.nc", help="Weather and soils; by default a dozen made-up places."),
    ] = None,
    params: Annotated[
        Path | None,
        typer.Option(
            metavar="P.yaml", help="Lines of path: number, or path: variable of the data."
        ),
    ] = None,
    state_in: Annotated[
        Path | None, typer.Option(metavar="S", help="Start from this state.")
    ] = None,
    state_out: Annotated[
        Path | None, typer.Option(metavar="S", help="Write the final state here.")
    ] = None,
    dtype: Annotated[Precision, typer.Option(help="Floating-point type.")] = Precision.float32,
    chunk: Annotated[
        int, typer.Option(min=1, metavar="N", help="Sites read, run and written at a time.")
    ] = 1024,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw some sites beside the results (needs matplotlib).")
    ] = False,
    cache: Cached = True,
) -> None:
    """Run a land model at every site of a file.

    Goes on where it was interrupted when it is called again in the same way.
    """
    prepare(cache)

    from diffhydro.app.simulate import simulate as run

    run(
        model.value,
        data=data,
        out=out,
        parameters=params,
        state_in=state_in,
        state_out=state_out,
        dtype=dtype.value,
        chunk=chunk,
        plot=plot,
    )


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the figures and tables.")
    ] = Path("runs/demo"),
    cache: Cached = True,
) -> None:
    """Show what the package does, in a minute, with figures."""
    prepare(cache)

    from diffhydro.app.demo import run_demo

    run_demo(out)


@app.command()
def info() -> None:
    """Print versions, devices, precision and the cache folder."""
    from diffhydro.app.info import facts

    for name, value in facts().items():
        typer.echo(f"{name:<11} {value}")


def _say(message: str) -> None:
    """Print one paragraph on stderr, whatever line breaks the message came with."""
    print(f"diffhydro: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
