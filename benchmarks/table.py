"""Print reports: ratios beside their targets, compile times apart."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from benchmarks.harness import Report, Row


def print_report(title: str, report: Report, seconds: float) -> None:
    """Print one measurement as soon as it is there."""
    print_rows(f"{title} ({seconds:.0f} s)", report.rows)
    for note in report.notes:
        _console().print(f"  {note}", highlight=False)


def print_rows(title: str, rows: list[Row]) -> None:
    """Print figures, targets and verdicts."""
    table = Table(title=title, title_justify="left", title_style="bold", show_lines=False)
    table.add_column("what", overflow="fold")
    table.add_column("figure", justify="right")
    table.add_column("target", justify="right")
    table.add_column("")
    verdicts = {True: "pass", False: "MISS", None: ""}
    for row in rows:
        sign = "≥" if row.more_is_better else "≤"
        target = "" if row.target is None else f"{sign} {row.target:g} {row.unit}"
        table.add_row(row.what, f"{row.value:.3g} {row.unit}", target, verdicts[row.passes])
    _console().print(table)


def print_compile_times(reports: Mapping[str, Report]) -> None:
    """Print what compiling cost, which no other figure contains."""
    table = Table(title="compiling, on one core", title_justify="left", title_style="bold")
    table.add_column("program", overflow="fold")
    table.add_column("seconds", justify="right")
    for title, report in reports.items():
        for name, seconds in report.compile_seconds.items():
            table.add_row(f"{title}: {name}", f"{seconds:.1f}")
    if table.row_count:
        _console().print(table)


def _console() -> Console:
    return Console(width=100)
