"""Tables on a terminal."""

from collections.abc import Sequence

from rich.table import Table

Rows = Sequence[Sequence[str]]


def grid(rows: Rows, title: str | None = None) -> Table:
    """Show rows of text, the head first; names in front are never cut."""
    found = Table(*rows[0], title=title, title_justify="left", box=None)
    found.columns[0].overflow = "fold"
    for row in rows[1:]:
        found.add_row(*row)
    return found
