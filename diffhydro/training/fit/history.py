"""What was measured, epoch after epoch, as a table."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.errors import InputError

FILE = "metrics.csv"
COUNTS = ("epoch", "member", "step")
Row = Mapping[str, float | int | None]


@dataclass(frozen=True)
class History:
    """A row for every epoch, and in an ensemble for every member that had not stopped before it.

    Attributes:
        columns: `epoch` counted from 0, `member` in an ensemble, `step` reached at its end; means
            over the epoch of the objective and its terms (`training.…`) and of the norm of
            gradients before they are clipped (`gradient`); rates at its end (`rate.…`); scores
            (`validation.…`), None where there was no validation.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...] = ()

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    def column(self, name: str) -> np.ndarray:
        """Give a column; NaN where there is nothing."""
        if name not in self.columns:
            raise InputError(f"there is no column {name}; there are {', '.join(self.columns)}")
        values = [row[name] for row in self.rows]
        return np.array([np.nan if x is None else float(x) for x in values])

    def member(self, number: int) -> "History":
        """Give the rows of a member."""
        return History(
            tuple(name for name in self.columns if name != "member"),
            tuple(
                {name: x for name, x in row.items() if name != "member"}
                for row in self.rows
                if row["member"] == number
            ),
        )

    def members(self) -> list["History"]:
        """Give the rows of every member; of the only one if the table has no members."""
        if "member" not in self.columns:
            return [self]
        return [self.member(i) for i in sorted({int(row["member"] or 0) for row in self.rows})]

    def more(self, rows: Iterable[Row]) -> "History":
        """Give a longer one."""
        return History(self.columns, (*self.rows, *rows))

    def csv(self) -> str:
        """Give the text of the file."""
        return lines([dict(zip(self.columns, self.columns, strict=True)), *self.rows], self.columns)

    def told(self) -> list[list[Any]]:
        """Give the rows as JSON can hold them, without loss."""
        return [[_plain(row[name]) for name in self.columns] for row in self.rows]

    def retold(self, rows: Iterable[Iterable[Any]]) -> "History":
        """Take up what another run of the same columns told."""
        kept = tuple(dict(zip(self.columns, row, strict=True)) for row in rows)
        return History(self.columns, kept)


def read_history(path: Path) -> History:
    """Read `metrics.csv`; a last line that was being written is left out."""
    text = path.read_text()
    found = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    if not found:
        raise InputError(f"{path} is empty; expected a line of names")
    columns = tuple(found[0])
    return History(columns, tuple(_row(columns, line, path) for line in found[1:]))


def lines(rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...]) -> str:
    """Give rows as lines of the file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([_text(row[name]) for name in columns])
    return text.getvalue()


def _row(columns: tuple[str, ...], line: list[str], path: Path) -> Row:
    if len(line) != len(columns):
        raise InputError(f"{path}: a line of {len(line)} values below {len(columns)} names")
    return {
        name: None if not text else int(text) if name in COUNTS else float(text)
        for name, text in zip(columns, line, strict=True)
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    # JSON has no name for what is no number.
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
