"""The report of the demonstration: one HTML file that needs nothing beside it."""

import base64
import html
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import NamedTuple

import jax
from rich.console import Console
from rich.table import Table

from diffhydro._version import __version__

__all__ = ["Part", "page", "show"]


class Part(NamedTuple):
    """One section of the report: a figure, a table with its head first, and what was checked."""

    table: list[tuple[str, ...]]
    checks: dict[str, bool]
    figure: Path | None = None
    words: str = ""


def show(console: Console, name: str, part: Part) -> None:
    """Print the table of one section."""
    table = Table(*part.table[0], title=name, title_justify="left", box=None)
    for row in part.table[1:]:
        table.add_row(*row)
    console.print(table)


def page(parts: dict[str, Part], failed: list[str], seconds: float) -> str:
    """Return the report as one HTML file with its figures inside."""
    template = Template((files("diffhydro.app") / "demo_data" / "report.html").read_text("utf-8"))
    count = sum(len(part.checks) for part in parts.values())
    verdict = f"All {count} checks passed." if not failed else "Failed: " + "; ".join(failed)
    words = {
        "verdict": html.escape(verdict),
        "verdict_class": "bad" if failed else "good",
        "reference_error": parts["celia"].words,
        "soil_words": parts["year"].words,
        "gradient_quantity": parts["gradient"].words,
        "calibration_words": parts["calibration"].words,
        "places_words": parts["places"].words,
        "world_words": parts["world"].words,
        "footer": f"diffhydro {__version__}, jax {jax.__version__} on {jax.devices()[0].platform}; "
        f"computed in {seconds:.0f} s with float64.",
    }
    tables = {f"{name}_table": _html_table(part.table) for name, part in parts.items()}
    figures = {
        f"{name}_figure": base64.b64encode(part.figure.read_bytes()).decode()
        for name, part in parts.items()
        if part.figure is not None
    }
    return template.substitute(words | tables | figures)


def _html_table(rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "\n".join(line(row, "td") for row in rows[1:])
    return f"<table>\n<thead>{line(rows[0], 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
