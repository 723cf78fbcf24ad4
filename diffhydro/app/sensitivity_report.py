"""The report of a study of sensitivity: tables on the screen, and one file of HTML."""

from pathlib import Path

import jax
from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.page import Section, table_section, write_page
from diffhydro.app.screen import grid
from diffhydro.app.sensitivity_case import Case
from diffhydro.app.sensitivity_methods import Finding, Found

# Who speaks for the parameters, if there are several: shares before their bounds, ranges before
# what holds near one value only.
_TRUSTED = ("sobol", "dgsm", "morris", "elasticities")


def show(console: Console, case: Case, found: Found, out: Path) -> None:
    """Print what came out."""
    for method, one in found.items():
        console.print(grid(one.rows, f"{method} of {case.quantity} at {case.site}"))
        console.print(one.says, highlight=False, markup=False, soft_wrap=True)
    console.print(f"wrote {out / 'report.html'}", highlight=False, soft_wrap=True)


def write_report(out: Path, case: Case, found: Found, seconds: float, text: str) -> None:
    """Write report.html.

    Args:
        text: The configuration as YAML.
    """
    days = f"{case.times[0]} to {case.times[-1]}"
    sections = [
        Section("What was studied", [f"{case.quantity}, at {case.site}, {days}.", *case.notes]),
        *(_section(method, one) for method, one in found.items()),
        Section("The configuration", ["Reading this file again gives this run."], code=text),
    ]
    footer = (
        f"diffhydro {__version__}, jax {jax.__version__} on {jax.devices()[0].platform}; "
        f"{seconds:.0f} s; seed {case.config.seed}."
    )
    title = f"diffhydro: what {case.series} rests on"
    write_page(out / "report.html", title, _verdict(case, found), sections, footer)


def _section(method: str, one: Finding) -> Section:
    return table_section(
        method.capitalize(), one.rows, f"{method}.csv", [one.says, *one.words], [one.picture]
    )


def _verdict(case: Case, found: Found) -> str:
    """Say which parameter, and which rain."""
    speakers = [method for method in _TRUSTED if method in found][:1]
    said = [found[method].says for method in (*speakers, "adjoint") if method in found]
    return f"{case.series.capitalize()} at {case.site}: {' '.join(said)}"
