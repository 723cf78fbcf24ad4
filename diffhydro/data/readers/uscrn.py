"""U.S. Climate Reference Network, product daily01: one text file for a station and a year.

28 fields a line, no header, local standard time (NOAA/NCEI, CRND0103; Diamond et al. 2013, Bell et
al. 2013). Missing is −9999, and −99 for soil moisture. The daily mean is the average of the day's
samples, not the middle of maximum and minimum.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.files import text
from diffhydro.data.readers.stations import Series, Station, side_by_side
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "USCRN daily01"
_NAME = re.compile(r"CRND0103-(\d{4})-(.+)\.txt$")
_FIELDS = 28
_MISSING = (-9999.0, -99.0)
_DEPTHS = (50.0, 100.0, 200.0, 500.0, 1000.0)  # mm
_LONGITUDE, _LATITUDE = 3, 4
# column: the name it is given here
_COLUMNS = {
    5: "T_DAILY_MAX",
    6: "T_DAILY_MIN",
    8: "T_DAILY_AVG",
    9: "P_DAILY_CALC",
    10: "SOLARAD_DAILY",
    14: "SUR_TEMP_DAILY_AVG",
    15: "RH_DAILY_MAX",
    16: "RH_DAILY_MIN",
    17: "RH_DAILY_AVG",
}
_MOISTURE, _WARMTH = 18, 23
SOURCES = {
    "T_DAILY_MAX": Source("temperature_max", "degC"),
    "T_DAILY_MIN": Source("temperature_min", "degC"),
    "T_DAILY_AVG": Source("temperature", "degC"),
    "P_DAILY_CALC": Source("precipitation", "mm"),
    "SOLARAD_DAILY": Source("shortwave", "MJ m-2 day-1"),
    "SUR_TEMP_DAILY_AVG": Source("surface_temperature", "degC"),
    "RH_DAILY_MAX": Source("relative_humidity_max", "%"),
    "RH_DAILY_MIN": Source("relative_humidity_min", "%"),
    "RH_DAILY_AVG": Source("relative_humidity", "%"),
    "SOIL_MOISTURE": Source("soil_moisture", "m3 m-3"),
    "SOIL_TEMP": Source("soil_temperature", "degC"),
}


def looks_like_uscrn(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    if path.is_dir():
        return next(path.rglob("CRND0103-*.txt"), None) is not None
    return _NAME.search(path.name) is not None


def read_uscrn(paths: Path | Iterable[Path]) -> "xr.Dataset":
    """Read station-years into one data set; a folder stands for all such files below it."""
    files = _files(paths)
    years: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for path in files:
        found = _NAME.search(path.name)
        if not found:
            raise InputError(f"{path.name} is not named like CRND0103-<year>-<station>.txt")
        years.setdefault(found[2], []).append(_year(path, found[1]))
    stations = [_station(name, parts) for name, parts in years.items()]
    notes = {"time_zone": "local standard time"}
    return conform(side_by_side(stations), SOURCES, Origin(PRODUCT, tuple(files), notes))


def _files(paths: Path | Iterable[Path]) -> list[Path]:
    given = [paths] if isinstance(paths, Path) else list(paths)
    found = []
    for path in given:
        found += sorted(path.rglob("CRND0103-*.txt")) if path.is_dir() else [path]
    if not found:
        raise InputError(f"no file CRND0103-<year>-<station>.txt in {', '.join(map(str, given))}")
    return found


def _year(path: Path, year: str) -> tuple[np.ndarray, np.ndarray]:
    """Give the days of a file, and all its lines as numbers."""
    table = _table(path)
    return np.array([_day(path, stamp, year) for stamp in table[:, 1]], "datetime64[D]"), table


def _table(path: Path) -> np.ndarray:
    """Give all lines as numbers; what is not a number in them (a version, a type) is NaN."""
    rows = []
    for number, line in enumerate(text(path, expected=PRODUCT).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != _FIELDS:
            raise InputError(
                f"{path} line {number} has {len(fields)} fields; {PRODUCT} has {_FIELDS}: the file "
                "is cut short or of another product"
            )
        rows.append([_number(path, number, i, field) for i, field in enumerate(fields)])
    if not rows:
        raise InputError(f"{path} has no records")
    return np.array(rows)


def _number(path: Path, line: int, column: int, field: str) -> float:
    if column in (2, 11):  # the version of the station's program; the type of its thermometer
        return np.nan
    try:
        return float(field)
    except ValueError as error:
        raise InputError(
            f"{path} line {line}, field {column + 1} is {field!r}; expected a number"
        ) from error


def _day(path: Path, stamp: float, year: str) -> str:
    digits = f"{stamp:.0f}"
    try:
        if not digits.startswith(year):
            raise ValueError
        return str(np.datetime64(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}", "D"))
    except ValueError as error:
        raise InputError(f"{path} has the date {digits}; expected YYYYMMDD in {year}") from error


def _station(name: str, years: list[tuple[np.ndarray, np.ndarray]]) -> Station:
    times = np.concatenate([days for days, _ in years])
    table = np.concatenate([table for _, table in years])
    order = np.argsort(times, kind="stable")
    times, table = times[order], table[order]
    twice = np.flatnonzero(np.diff(times) == np.timedelta64(0, "D"))
    if len(twice):
        raise InputError(f"station {name} has {times[twice[0]]} twice; give every year once")
    table = np.where(np.isin(table, _MISSING), np.nan, table)
    series = [Series(label, times, table[:, i]) for i, label in _COLUMNS.items()]
    for first, label in ((_MOISTURE, "SOIL_MOISTURE"), (_WARMTH, "SOIL_TEMP")):
        series += [
            Series(label, times, table[:, first + i], depth) for i, depth in enumerate(_DEPTHS)
        ]
    place = {
        "latitude": table[-1, _LATITUDE],
        "longitude": table[-1, _LONGITUDE],
        "network": "USCRN",
    }
    return Station(name, series, place)
