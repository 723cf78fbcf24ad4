"""Point tables of gridMET: one row for a day and a place, with a header of short names.

Temperatures are in K or °C, and sunshine in W m⁻² or MJ m⁻² a day, as whoever made the table chose;
their sizes tell. No day on Earth has more than 45 MJ m⁻², and no month in the United States has
less than 45 W m⁻² on all of its days.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.files import text
from diffhydro.data.readers.stations import Series, Station, side_by_side
from diffhydro.data.units import SECONDS_PER_DAY
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_PRODUCT = "gridMET point table"
_PLACE = ("longitude", "latitude")
_KELVIN = 150.0  # above it a temperature of the air is in K
_MEGAJOULES, _MONTH = 45.0, 28  # the most of a day; days
_HEADER = 400  # bytes
_UNITS = {"K": "degC"}  # what `_station` makes of a unit


def is_point_table(path: Path) -> bool:
    """Tell by the header."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.read(_HEADER).decode("utf-8", "replace").splitlines()[:1]
    names = {name.strip() for line in first for name in line.split(",")}
    return {"timestamp", *_PLACE} <= names and bool(names & {"pr", "tmmx", "tmmn", "eto"})


def read_points(
    files: Iterable[Path], sources: Mapping[str, Source], notes: Mapping[str, str]
) -> "xr.Dataset":
    """Read tables side by side; a place is a site, named by its table, and its place if several."""
    files = list(files)
    stations = []
    for path in files:
        rows = _rows(path)
        places = dict.fromkeys((row["longitude"], row["latitude"]) for row in rows)
        for place in places:
            here = [row for row in rows if (row["longitude"], row["latitude"]) == place]
            name = path.stem if len(places) == 1 else f"{path.stem} {place[1]} {place[0]}"
            stations.append(_station(name, here, sources, path))
    own = {
        n: Source(s.name, _UNITS.get(s.unit or "", s.unit), s.missing) for n, s in sources.items()
    }
    return conform(side_by_side(stations), own, Origin("gridMET", tuple(files), notes))


def _rows(path: Path) -> list[dict[str, str]]:
    lines = text(path, expected=_PRODUCT).splitlines()
    header = [name.strip() for name in lines[0].split(",")] if lines else []
    missing = {"timestamp", *_PLACE} - set(header)
    if missing:
        raise InputError(f"{path} has no column {', '.join(sorted(missing))}; it has {header[:12]}")
    rows = []
    for number, fields in enumerate(csv.reader(lines[1:]), 2):
        if not fields:
            continue
        if len(fields) != len(header):
            raise InputError(
                f"{path} line {number} has {len(fields)} fields; its header has {len(header)}"
            )
        rows.append(dict(zip(header, fields, strict=True)) | {"": str(number)})
    if not rows:
        raise InputError(f"{path} has no records")
    return rows


def _station(
    name: str, rows: list[dict[str, str]], sources: Mapping[str, Source], path: Path
) -> Station:
    days = np.array([_day(row, path) for row in rows], "datetime64[D]")
    order = np.argsort(days, kind="stable")
    twice = np.flatnonzero(np.diff(days[order]) == np.timedelta64(0, "D"))
    if len(twice):
        raise InputError(f"{path} has {days[order][twice[0]]} twice at one place")
    series = []
    for label, source in sources.items():
        if label in rows[0]:
            values = np.array([_number(row, label, path) for row in rows])[order]
            values = np.where(np.isin(values, source.missing), np.nan, values)
            if source.unit == "K":
                values = np.where(values > _KELVIN, values - 273.15, values)
            elif source.unit == "W m-2":
                values = _power(values, label, path)
            series.append(Series(label, days[order], values))
    place = {key: _number(rows[0], key, path) for key in _PLACE}
    return Station(name, series, place)


def _power(values: np.ndarray, label: str, path: Path) -> np.ndarray:
    """Give sunshine in W m⁻²."""
    if not (values <= _MEGAJOULES).any() or (values > _MEGAJOULES).any():
        return values
    if np.isfinite(values).sum() < _MONTH:
        raise InputError(
            f"{label} of {path} is at most {np.nanmax(values):g} on {len(values)} days, in W m-2 "
            "or in MJ m-2 a day; give a month or more, or leave shortwave out (variables)"
        )
    return values * (1e6 / SECONDS_PER_DAY)


def _day(row: Mapping[str, str], path: Path) -> str:
    stamp = row["timestamp"].strip()[:10]
    try:
        return str(np.datetime64(stamp, "D"))
    except ValueError as error:
        raise InputError(
            f"{path} line {row['']} has the date {stamp!r}; expected YYYY-MM-DD"
        ) from error


def _number(row: Mapping[str, str], label: str, path: Path) -> float:
    field = row[label].strip()
    if field in ("", "NA", "NaN", "nan"):
        return np.nan
    try:
        return float(field)
    except ValueError as error:
        raise InputError(
            f"{path} line {row['']}, {label} is {field!r}; expected a number"
        ) from error
