"""Reports of APSIM Next Generation: tables of a SQLite file, read and never written or run.

Every report is a table with `CheckpointID`, `SimulationID`, `Clock.Today` and one column a
variable, layers spread as `Soil.SoilWater.SW(1)`. `_Simulations` has the names, `_Units` the units,
and `_Checkpoints` those runs that were kept; the run itself is called Current.

The file is opened as one that nobody changes, and SQLite is told to refuse whatever is not reading
a column of an ordinary table: views, triggers and functions of the file stay asleep.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from diffhydro.data.readers.apsim.report import Output, sites_of
from diffhydro.data.readers.tables.delimited import Table
from diffhydro.errors import InputError

EXPECTED = "a SQLite database of APSIM Next Generation"
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
_DATE = "Clock.Today"
_CURRENT = "Current"
_PLAIN = re.compile(r"CREATE TABLE\b", re.IGNORECASE)
_COMPUTED = re.compile(r"\bAS\s*\(", re.IGNORECASE)
_STEPS = 10_000  # of SQLite's machine, between looks at how long it has been at it
_STEPS_PER_BYTE = 100  # a value takes at least a byte, and a few steps

Rows = list[tuple]
Query = Callable[[str], tuple[list[str], Rows]]


def read_database(path: Path, report: str | None = None) -> Output:
    """Read the table of a report.

    Args:
        report: Its name; the one with dates, or `Report`, when not given.
    """
    with _opened(path) as query:
        name = _report(path, query, report)
        header, rows = query(f"SELECT * FROM {_quoted(name)}")
        rows = _current(path, query, header, rows)
        names = dict(_pairs(query, "_Simulations", ("ID", "Name")))
        units = {
            str(column): str(unit or "").strip("() ")
            for table, column, unit in _pairs(
                query, "_Units", ("TableName", "ColumnHeading", "Units")
            )
            if table == name
        }
    if not rows:
        raise InputError(f"{path} has no records in {name}; did the simulation run?")
    if "SimulationID" in header:
        at = header.index("SimulationID")
        header = [*header, "SimulationName"]
        rows = [(*row, names.get(row[at], row[at])) for row in rows]
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    table = Table(path, tuple(header), texts, range(1, len(rows) + 1))
    return Output(table, units, sites_of(table, path.stem))


@contextmanager
def _opened(path: Path) -> Iterator[Query]:
    if not path.is_file():
        raise InputError(f"no file at {path}")
    journal = path.with_name(f"{path.name}-wal")
    if journal.is_file() and journal.stat().st_size:
        raise InputError(
            f"{journal.name} beside {path} holds records that are not in it yet; close APSIM first"
        )
    try:
        with _connected(path) as connection:
            yield lambda statement: _answer(connection.execute(statement))
    except (sqlite3.Error, OverflowError, UnicodeError) as error:  # names may be no text
        raise InputError(
            f"{path} is not readable as {EXPECTED}: {error}; it may be cut short or damaged, "
            "run the simulation again"
        ) from error


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    where = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    connection = sqlite3.connect(where, uri=True)
    size = path.stat().st_size
    looks = iter(range(size * _STEPS_PER_BYTE // _STEPS + _STEPS))
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(size, _STEPS))
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: next(looks, None) is None, _STEPS)
        yield connection
    finally:
        connection.close()


def _answer(cursor: sqlite3.Cursor) -> tuple[list[str], Rows]:
    return [str(column[0]) for column in cursor.description], cursor.fetchall()


def _authorize(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _report(path: Path, query: Query, wanted: str | None) -> str:
    reports = [n for n in _tables(query) if n[:1] != "_" and _DATE in _columns(query, n)]
    if wanted is not None and wanted in reports:
        return wanted
    if wanted is None and "Report" in reports:
        return "Report"
    if wanted is None and len(reports) == 1:
        return reports[0]
    raise InputError(
        f"{path} has {f'no report {wanted}' if wanted else 'no one report'}: the tables with "
        f"{_DATE} are {', '.join(reports) or 'none'}; say report=…"
    )


def _tables(query: Query) -> list[str]:
    """List ordinary tables: a virtual one runs its module, a computed column its expression."""
    _, made = query("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    return [str(name) for name, sql in made if _PLAIN.match(str(sql)) and not _COMPUTED.search(sql)]


def _columns(query: Query, table: str) -> list[str]:
    return query(f"SELECT * FROM {_quoted(table)} LIMIT 0")[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _pairs(query: Query, table: str, columns: tuple[str, ...]) -> Rows:
    """Give some columns of a table; nothing where the file does not have them."""
    if table not in _tables(query) or not set(columns) <= set(_columns(query, table)):
        return []
    return query(f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(table)}")[1]


def _current(path: Path, query: Query, header: list[str], rows: Rows) -> Rows:
    """Keep the run itself, and not those that were kept of earlier ones."""
    if "CheckpointID" not in header:
        return rows
    at = header.index("CheckpointID")
    checkpoints = _pairs(query, "_Checkpoints", ("ID", "Name"))
    current = {number for number, name in checkpoints if name == _CURRENT}
    if not current and len({row[at] for row in rows}) > 1:
        raise InputError(f"{path} has several checkpoints and none called {_CURRENT}")
    return [row for row in rows if not current or row[at] in current]
