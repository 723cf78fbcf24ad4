"""Series in a table of no particular product: CSV, one row a day, an hour, or a site and a day.

Columns are called as in the schema or by an alias, with the unit in brackets, in a second row, or
in the argument `units`; without one it is the schema's. A depth stands behind the name: `sm_5 (%)`
is soil moisture at 5 cm. Long tables have a column `site`; others are of one site. Columns that
are neither are named in the attribute `not_read`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin
from diffhydro.data.readers.stations import Series, Station
from diffhydro.data.readers.steps import DAY, RATES, step_of, usual_gap
from diffhydro.data.readers.tables.clock import CLOCK, times_of
from diffhydro.data.readers.tables.columns import Column, assembled, refuse_nonsense
from diffhydro.data.readers.tables.delimited import Table
from diffhydro.data.readers.tables.labelled import read_labelled
from diffhydro.data.readers.tables.labels import Label, plain
from diffhydro.data.schema import FIXED, VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

SITES = ("site", "site_id", "site_name", "station", "station_id", "station_name")
_STAMPS, _ZONES = ("start", "end", "instant"), ("local standard time", "UTC")
_MISSING = (-9999.0,)
_SPARSE = np.timedelta64(36, "h")  # between records that are no longer daily


def read_table(
    path: Path,
    *,
    site: str | None = None,
    dates: str | None = None,
    units: Mapping[str, str] | None = None,
    depth_unit: str = "cm",
    missing: tuple[float, ...] = _MISSING,
    stamp: str = "start",
    time_zone: str = "local standard time",
) -> "xr.Dataset":
    """Read a table of series.

    Args:
        site: What the one site of a table without a column of sites is called; else the file.
        dates: `"dd/mm/yyyy"` or `"mm/dd/yyyy"`, where the dates leave it open.
        units: By column, for those that do not say theirs.
        depth_unit: Of depths without one: mm, cm, m or in.
        missing: Codes for nothing, beside empty cells, NA, NaN and `?`.
        stamp: What a time of less than a day means, as in `conform.Source`.
        time_zone: `"local standard time"` or `"UTC"`.
    """
    for what, given, known in (("stamp", stamp, _STAMPS), ("time_zone", time_zone, _ZONES)):
        if given not in known:
            raise InputError(f"{what} is {given!r}; expected {' or '.join(known)}")
    table, labels = read_labelled(path, units or {}, depth_unit)
    times = times_of(table, dates)
    sites = _sites(table, site or path.stem)
    step = _common_step(path, times, sites)
    if step == DAY:
        times, stamp = times.astype("datetime64[D]"), "start"
    columns = _columns(path, table, labels, stamp)
    _refuse_sparse(path, times, columns)
    stations = [
        _station(table, name, rows, times, columns, step, missing) for name, rows in sites.items()
    ]
    unread = _not_read(labels)
    notes = {"time_zone": time_zone} | ({"not_read": unread} if unread else {})
    series = [one for one in columns.values() if VARIABLES[one.name].axes != FIXED]
    made = assembled(stations, series, step, Origin("a table", (path,), notes))
    refuse_nonsense(made, path.name)
    return made


def _columns(path: Path, table: Table, labels: list[Label], stamp: str) -> dict[int, Column]:
    found = {}
    seen: dict[tuple[str, float | None], str] = {}
    for i, one in enumerate(labels):
        if not _is_read(one):
            continue
        assert one.name is not None
        if (one.name, one.depth) in seen:
            raise InputError(
                f"{path} has two columns of {one.name}: {seen[one.name, one.depth]} and "
                f"{one.text}; leave one out, or rename it"
            )
        if "depth" in VARIABLES[one.name].axes and one.depth is None:
            raise InputError(
                f"{path}: {one.text} has no depth; call it, at 5 cm, {plain(one.text)}_5"
            )
        seen[one.name, one.depth] = one.text
        found[i] = Column(one.text.strip(), one.name, one.unit, one.depth, stamp)
    if not any(VARIABLES[one.name].axes != FIXED for one in found.values()):
        raise InputError(
            f"{path} has no series: none of {', '.join(table.header[:12])} is a name or an alias "
            "of the schema, such as precipitation or pr; rename its columns"
        )
    return found


def _sites(table: Table, alone: str) -> dict[str, np.ndarray]:
    at = [i for i, name in enumerate(table.header) if plain(name) in SITES]
    if not at:
        return {alone: np.arange(len(table.lines))}
    names = np.array(table.column(at[0]))
    empty = np.flatnonzero(names == "")
    if len(empty):
        raise InputError(f"{table.path} line {table.lines[int(empty[0])]} names no site")
    return {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names)}


def _common_step(path: Path, times: np.ndarray, sites: Mapping[str, np.ndarray]) -> np.timedelta64:
    """Give the step of all sites; one that is offset from the others would shift, or be scaled."""
    steps = {
        name: step_of(times[rows], f"{path.name}, {name}")
        for name, rows in sites.items()
        if len(rows) > 1
    }
    common = min(steps.values(), default=DAY)
    other = next((name for name, step in steps.items() if step != common), None)
    first = times.min() if len(times) else times
    aside = np.flatnonzero((times - first) % common != np.timedelta64(0, "s"))
    if common < DAY and (other is not None or len(aside)):
        what = f"steps of {steps[other]} at {other}" if other else f"one at {times[aside[0]]}"
        raise InputError(
            f"{path} has steps of {common} from {first}, and {what}; expected one step"
        )
    return common


def _station(
    table: Table,
    name: str,
    rows: np.ndarray,
    times: np.ndarray,
    columns: Mapping[int, Column],
    step: np.timedelta64,
    missing: tuple[float, ...],
) -> Station:
    rows = rows[np.argsort(times[rows], kind="stable")]
    when = times[rows]
    twice = np.flatnonzero(when[1:] == when[:-1])
    if len(twice):
        line = table.lines[int(rows[twice[0] + 1])]
        raise InputError(f"{table.path} line {line}: {when[twice[0]]} is there twice for {name}")
    series: list[Series] = []
    place: dict[str, float] = {}
    for at, column in columns.items():
        values = table.numbers(at, missing)[rows]
        if VARIABLES[column.name].axes == FIXED:
            place[column.name] = _constant(table, column, name, values)
        else:
            series.append(column.series(when, values, step, table.path.name))
    return Station(name, series, place)


def _constant(table: Table, column: Column, site: str, values: np.ndarray) -> float:
    where = f"{column.label} of {site} in {table.path.name}"
    known = np.unique(values[np.isfinite(values)])
    if len(known) > 1:
        raise InputError(f"{where} is {known[0]:g} and {known[1]:g}; a site has one")
    if not len(known):
        return np.nan
    variable = VARIABLES[column.name]
    factor, offset = variable.conversion(column.unit, where)
    value = float(known[0]) * factor + offset
    if not variable.least <= value <= variable.most:
        raise InputError(
            f"{where} is {value:g} {variable.unit}; expected {variable.least:g} … {variable.most:g}"
        )
    return value


def _refuse_sparse(path: Path, times: np.ndarray, columns: Mapping[int, Column]) -> None:
    gap = usual_gap(times)
    fluxes = [one for one in columns.values() if VARIABLES[one.name].unit in RATES]
    if fluxes and gap > _SPARSE:
        raise InputError(
            f"{path}: records of {fluxes[0].label} are mostly {gap / DAY:g} days apart; fluxes "
            "are read by the day, or shorter"
        )


def _not_read(labels: list[Label]) -> str:
    known = {*CLOCK, *SITES}
    unread = [one.text.strip() for one in labels if not _is_read(one)]
    return ", ".join(name for name in unread if plain(name) not in known)


def _is_read(one: Label) -> bool:
    """Tell series and numbers of a place from what soil maps and attribute tables have."""
    if one.name is None or one.month is not None or plain(one.text) in CLOCK:
        return False
    return VARIABLES[one.name].axes == FIXED or "time" in VARIABLES[one.name].axes
