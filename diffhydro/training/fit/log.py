"""The files of a run: `metrics.csv`, and events for TensorBoard.

Both are only ever added to, line by line, before a checkpoint is saved. When a run goes on, what
was written after its checkpoint is taken back: then no line is missing, and none is there twice.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffhydro.atomic import whole
from diffhydro.training.fit import events
from diffhydro.training.fit.history import COUNTS, FILE, History, Row, lines

EVENTS = "events.out.tfevents.0000000000.diffhydro"


@dataclass(frozen=True)
class Log:
    """Writes the files of a folder; of none if there is no folder."""

    out: Path | None
    columns: tuple[str, ...]

    def write(self, rows: Sequence[Row]) -> None:
        """Add the rows of an epoch."""
        if self.out is None or not rows:
            return
        with (self.out / FILE).open("ab") as table:
            table.write(lines(rows, self.columns).encode())
        with (self.out / EVENTS).open("ab") as chart:
            chart.write(b"".join(_event(row) for row in rows))


def open_log(out: Path | None, history: History) -> Log:
    """Make the files say what the history says.

    Args:
        history: All that was measured before.
    """
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        _put(out / FILE, lambda before: history.csv().encode())
        _put(out / EVENTS, lambda before: _kept(before, history))
    return Log(out, history.columns)


def _put(target: Path, change: Callable[[bytes], bytes]) -> None:
    before = target.read_bytes() if target.exists() else None
    content = change(before or b"")
    if content != before:
        with whole(target) as part:
            part.write_bytes(content)


def _kept(before: bytes, history: History) -> bytes:
    """Give the events of the rows of a history, at the times they had where those are known."""
    found = list(events.records(before))
    known, rows = found[1 : len(history) + 1], history.rows
    is_same = [events.step_of(data) for data in known] == [row["epoch"] for row in rows]
    if found and is_same:
        return b"".join(events.record(data) for data in [found[0], *known])
    return events.first_event(time.time()) + b"".join(_event(row) for row in rows)


def _event(row: Row) -> bytes:
    member = row.get("member")
    suffix = "" if member is None else f"/member {member}"
    values = {
        f"{name}{suffix}": float(x)
        for name, x in row.items()
        if x is not None and name not in COUNTS
    }
    return events.event(time.time(), int(row["epoch"] or 0), values)
