"""Tables of text: a header and rows, every cell with the line that it came from."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffhydro.data.readers.files import text
from diffhydro.errors import InputError

NOTHING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "missing", "m"})
_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Table:
    """Rows of one length under a header.

    Args:
        lines: The line in the file of every row, counted from 1.
    """

    path: Path
    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]

    def column(self, at: int) -> list[str]:
        """Give the cells of a column, without blanks around them."""
        return [row[at].strip() for row in self.rows]

    def numbers(self, at: int, missing: Iterable[float] = ()) -> np.ndarray:
        """Give a column as numbers, NaN where there is nothing or a code for it."""
        values = np.array([self._number(row[at], at, i) for i, row in enumerate(self.rows)], float)
        return np.where(np.isin(values, list(missing)), np.nan, values)

    def is_number(self, at: int) -> bool:
        """Tell whether all cells of a column are numbers or nothing."""
        return all(_float(cell) is not None for cell in self.column(at))

    def _number(self, cell: str, at: int, row: int) -> float:
        value = _float(cell.strip())
        if value is None:
            raise InputError(
                f"{self.path} line {self.lines[row]}, {self.header[at] or f'column {at + 1}'} is "
                f"{cell.strip()!r}; expected a number, or nothing"
            )
        return value


def _float(cell: str) -> float | None:
    if cell.lower() in NOTHING:
        return np.nan
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None


def read_delimited(path: Path, *, expected: str) -> list[tuple[int, list[str]]]:
    """Split a file at commas, semicolons or tabs, whichever its fullest line has most of.

    Returns:
        Lines that are not empty: their number, counted from 1, and their cells.
    """
    whole = text(path, expected=expected, encoding="utf-8-sig")
    lines = whole.splitlines()
    widest = {s: max((line.count(s) for line in lines[:100]), default=0) for s in _SEPARATORS}
    reader = csv.reader(lines, delimiter=max(_SEPARATORS, key=lambda s: widest[s]))
    found = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((reader.line_num, cells))
    except csv.Error as error:
        raise InputError(f"{path} line {reader.line_num} is not {expected}: {error}") from error
    if not found:
        raise InputError(f"{path} is empty; expected {expected}")
    return found


def under(path: Path, header: Sequence[str], rows: Iterable[tuple[int, list[str]]]) -> Table:
    """Put rows under a header; a column without a name at the end, and without values, goes."""
    names = [name.strip() for name in header]
    rows = list(rows)
    width = len(names)
    while width and not names[width - 1]:
        width -= 1
    kept, lines = [], []
    for line, cells in rows:
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            raise InputError(
                f"{path} line {line} has {len(cells)} fields; its header has {width}: the line is "
                "cut short, or a field holds the separator"
            )
        kept.append(cells[:width])
        lines.append(line)
    if not kept:
        raise InputError(f"{path} has a header and no rows")
    twice = {name for name in names[:width] if names.count(name) > 1}
    if twice:
        raise InputError(f"{path} has the column {min(twice)!r} twice; give every column one name")
    return Table(path, tuple(names[:width]), kept, lines)
