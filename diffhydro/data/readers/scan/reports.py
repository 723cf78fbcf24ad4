"""Soil Climate Analysis Network and SNOTEL of the USDA: reports of single stations, as CSV.

Both generations (see `scan_labels.py`): the older has free text before the header and a comma at
the end of every line, and −99.9 for missing; the newer has lines with `#`, and nothing for missing.
Times are local standard time; an hour's value is stamped at its end. `PREC` is what fell since
1 October: where there is no increment it is differenced, and missing where it is reset or falls.
Sensors of one kind at one depth are averaged. Wind of a known height is given at 2 m.

The layouts are from documentation; no file of the network was at hand.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, Source
from diffhydro.data.daily import LEAST
from diffhydro.data.readers.heights import wind_to_two_metres
from diffhydro.data.readers.scan.labels import INSTANT, MEAN, START, ScanLabel, scan_label
from diffhydro.data.readers.stations import Series, Station
from diffhydro.data.readers.steps import DAY, possible, step_of, to_days, usual_gap
from diffhydro.data.readers.tables.columns import Column, assembled, refuse_nonsense
from diffhydro.data.readers.tables.dates import instants
from diffhydro.data.readers.tables.delimited import Table, read_delimited, under
from diffhydro.data.readers.tables.labels import plain
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "SCAN or SNOTEL report"
_HOUR = np.timedelta64(1, "h")
_MISSING = (-99.9, -9999.0, -9999.9)
_SITE = ("site_id", "station_id", "station_name")


def read_scan(
    paths: Path | Iterable[Path], *, dates: str | None = None, least: float = LEAST
) -> "xr.Dataset":
    """Read reports as days; the hours of hourly reports are put together.

    Args:
        dates: `"dd/mm/yyyy"` or `"mm/dd/yyyy"`, where the dates leave it open.
        least: Share of its hours that a day needs.
    """
    return _read(paths, dates, DAY, least)


def read_scan_hourly(paths: Path | Iterable[Path], *, dates: str | None = None) -> "xr.Dataset":
    """Read hourly reports as they are."""
    return _read(paths, dates, _HOUR, LEAST)


def _read(
    paths: Path | Iterable[Path], dates: str | None, into: np.timedelta64, least: float
) -> "xr.Dataset":
    files = [paths] if isinstance(paths, Path) else list(paths)
    columns: list[Column] = []
    series: dict[str, list[Series]] = {}
    unread: dict[str, None] = {}
    for path in files:
        table = _table(path)
        labels = [scan_label(name) for name in table.header]
        times = _times(table, dates)
        for site, rows in _rows(table, times).items():
            step = _step(path, times[rows])
            if step == DAY and into == _HOUR:
                raise InputError(f"{path} is a daily report; read it with read_scan")
            chosen = _chosen(labels, step)
            unread |= dict.fromkeys(_unread(table, chosen))
            for at, label in chosen.items():
                column = _column(label, step)
                one = _series(table, rows, times[rows], at, label, column, step)
                if step != into:
                    one = _by_day(one, column, step, least)
                    column = replace(column, stamp="start")
                columns.append(column)
                series.setdefault(site, []).append(one)
    if not columns:
        raise InputError(f"{files[0].name} has nothing to read; it has {', '.join(unread)}")
    stations = [Station(site, one, {"network": "SCAN/SNOTEL"}) for site, one in series.items()]
    notes = {"time_zone": "local standard time"}
    notes |= {"not_read": ", ".join(unread)} if unread else {}
    made = assembled(stations, columns, into, Origin(PRODUCT, tuple(files), notes))
    refuse_nonsense(made, files[0].name)
    return made


def _table(path: Path) -> Table:
    rows = [
        (n, cells) for n, cells in read_delimited(path, expected=PRODUCT) if cells[0][:1] != "#"
    ]
    for i, (_, cells) in enumerate(rows):
        if "date" in {plain(cell) for cell in cells}:
            return under(path, cells, rows[i + 1 :])
    raise InputError(f"{path} has no header with a column Date; is it a {PRODUCT}?")


def _times(table: Table, dates: str | None) -> np.ndarray:
    names = [plain(name.split("(")[0]) for name in table.header]
    texts = table.column(names.index("date"))
    if "time" in names:
        clock = table.column(names.index("time"))
        texts = [f"{day} {time}".strip() for day, time in zip(texts, clock, strict=True)]
    times = instants(texts, table.lines, f"{table.path.name}, Date", dates)
    is_daily = usual_gap(times) > 12 * _HOUR
    return times.astype("datetime64[D]").astype("datetime64[s]") if is_daily else times


def _rows(table: Table, times: np.ndarray) -> dict[str, np.ndarray]:
    """Give the rows of every site, first to last."""
    at = next((i for i, name in enumerate(table.header) if plain(name) in _SITE), None)
    sites = np.array([table.path.stem] * len(times) if at is None else table.column(at))
    found = {}
    for site in dict.fromkeys(sites.tolist()):
        rows = np.flatnonzero(sites == site)
        rows = rows[np.argsort(times[rows], kind="stable")]
        twice = np.flatnonzero(times[rows[1:]] == times[rows[:-1]])
        if len(twice):
            line = table.lines[int(rows[twice[0] + 1])]
            raise InputError(f"{table.path} line {line}: {times[rows[twice[0]]]} is there twice")
        found[site] = rows
    return found


def _step(path: Path, times: np.ndarray) -> np.timedelta64:
    step = step_of(times, path.name)
    is_whole = (times.astype("datetime64[h]") == times).all()
    if step not in (DAY, _HOUR) or not is_whole:
        raise InputError(
            f"{path} has records {step} apart, from {times[0]}; expected days or whole hours"
        )
    return DAY if step == DAY else _HOUR


def _chosen(labels: list[ScanLabel | None], step: np.timedelta64) -> dict[int, ScanLabel]:
    """Choose the labels that are read: of those for one variable and depth the best."""
    able = {}
    for i, label in enumerate(labels):
        if label is not None and _is_able(label, step):
            able.setdefault((label.name, _depth(label)), []).append(i)
    chosen = {}
    for same in able.values():
        ranked = {i: label for i in same if (label := labels[i]) is not None}
        best = min(label.rank for label in ranked.values())
        chosen |= {i: label for i, label in ranked.items() if label.rank == best}
    return chosen


def _is_able(label: ScanLabel, step: np.timedelta64) -> bool:
    """Tell a value that stands for its step: an instant of a day does for a state, not for air."""
    is_deep = "depth" in VARIABLES[label.name].axes
    if is_deep and (label.height is None or label.height >= 0.0):
        return False
    return step != DAY or label.statistic == MEAN or label.element.is_state


def _depth(label: ScanLabel) -> float | None:
    is_deep = "depth" in VARIABLES[label.name].axes
    return -label.height if is_deep and label.height is not None else None


def _column(label: ScanLabel, step: np.timedelta64) -> Column:
    stamp = "start" if step == DAY else "end"
    stamp = "instant" if label.statistic in (INSTANT, START) else stamp
    return Column(label.text, label.name, label.unit, _depth(label), stamp)


def _series(
    table: Table,
    rows: np.ndarray,
    times: np.ndarray,
    at: int,
    label: ScanLabel,
    column: Column,
    step: np.timedelta64,
) -> Series:
    values = table.numbers(at, _MISSING)[rows]
    if label.element.code == "PREC":
        values = _fallen(times, values, step)
    if label.unit == "langley day-1":  # a report's langleys are those of its step
        values = values * (DAY / step)
    if label.name == "wind" and label.height is not None:
        values = values * wind_to_two_metres(label.height / 1000.0)
    when = times.astype("datetime64[D]") if step == DAY else times
    return column.series(when, values, step, table.path.name)


def _fallen(times: np.ndarray, total: np.ndarray, step: np.timedelta64) -> np.ndarray:
    """Give what fell in a day that begins, or in an hour that ends, at the time of a total."""
    fallen = np.diff(total)
    fallen[(np.diff(times) != step) | ~(fallen >= 0.0)] = np.nan
    return np.append(fallen, np.nan) if step == DAY else np.append(np.nan, fallen)


def _by_day(one: Series, column: Column, step: np.timedelta64, least: float) -> Series:
    values = possible(one.values, Source(one.name))
    days, means = to_days(one.name, one.times, values, step, column.stamp, least)
    return Series(one.name, days, means, one.depth)


def _unread(table: Table, chosen: dict[int, ScanLabel]) -> list[str]:
    known = {"date", "time", *_SITE}
    named = enumerate(table.header)
    return [n for i, n in named if i not in chosen and plain(n.split("(")[0]) not in known]
