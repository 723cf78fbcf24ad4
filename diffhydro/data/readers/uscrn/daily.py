"""U.S. Climate Reference Network, product daily01: one text file for a station and a year.

28 fields a line, no header, local standard time (NOAA/NCEI, CRND0103; Diamond et al. 2013, Bell et
al. 2013). Missing is −9999, and −99 for soil moisture. The daily mean is the average of the day's
samples, not the middle of maximum and minimum.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.stations import Series, Station, side_by_side
from diffhydro.data.readers.uscrn.text import Layout, days, in_order

if TYPE_CHECKING:
    import xarray as xr

# Words are the version of the station's program, and the type of its thermometer.
LAYOUT = Layout("USCRN daily01", "CRND0103", 28, frozenset({2, 11}))
_MISSING = (-9999.0, -99.0)
_DEPTHS = (50.0, 100.0, 200.0, 500.0, 1000.0)  # mm
_DATE, _LONGITUDE, _LATITUDE = 1, 3, 4
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
    return LAYOUT.looks_like(path)


def read_uscrn(paths: Path | Iterable[Path]) -> "xr.Dataset":
    """Read station-years into one data set; a folder stands for all such files below it."""
    files = LAYOUT.files(paths)
    years: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for path in files:
        year, name = LAYOUT.named(path)
        years.setdefault(name, []).append(station_year(path, year))
    stations = [_station(name, parts) for name, parts in years.items()]
    notes = {"time_zone": "local standard time"}
    return conform(side_by_side(stations), SOURCES, Origin(LAYOUT.product, tuple(files), notes))


def station_year(path: Path, year: str) -> tuple[np.ndarray, np.ndarray]:
    """Give the days of a file, which must be in the year, and all its lines as numbers."""
    table = LAYOUT.table(path)
    return days(path, table[:, _DATE], (year,)), table


def _station(name: str, years: list[tuple[np.ndarray, np.ndarray]]) -> Station:
    times, table = in_order(name, years)
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
