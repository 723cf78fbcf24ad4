"""U.S. Climate Reference Network within the day: hourly02 and subhourly01 (five minutes).

No header (NOAA/NCEI, CRNH0203 and CRNS0101-05). A stamp is the end of its interval, given in UTC
and in local standard time: midnight belongs to the day before. Missing is −9999 (−99999 for whole
numbers), and −99 for soil moisture and wind.

Subhourly01 is the only product with wind. It is measured at 1.5 m and given here at 2 m.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.daily import LEAST
from diffhydro.data.readers.stations import Series, Station, side_by_side
from diffhydro.data.readers.steps import conform_steps, possible, to_days
from diffhydro.data.readers.uscrn.products import HOURLY, SUBHOURLY, WIND_HEIGHT, Product
from diffhydro.data.readers.uscrn.text import days, in_order
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_MISSING = (-9999.0, -99999.0, -99.0)
_UTC, _LOCAL, _LONGITUDE, _LATITUDE = 1, 3, 6, 7  # a date; its time is the next column
_MINUTE = np.timedelta64(1, "m")


@dataclass(frozen=True)
class Year:
    """A station's file.

    Args:
        times: In UTC.
        ahead: Of UTC is local standard time, minutes.
    """

    times: np.ndarray
    table: np.ndarray
    ahead: int


def looks_like_uscrn_hourly(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    return any(product.layout.looks_like(path) for product in (HOURLY, SUBHOURLY))


def read_uscrn_hourly(
    paths: Path | Iterable[Path], *, good: tuple[float, ...] = (0.0,)
) -> "xr.Dataset":
    """Read station-years as they are: hours or five minutes, in UTC, stamped at their end.

    Args:
        good: Flags of the values that are kept.
    """
    product, files, stations = _read(paths, good)
    found = side_by_side(stations, product.step)
    return conform_steps(found, product.sources, _origin(product, files, "UTC"))


def read_uscrn_hourly_as_days(
    paths: Path | Iterable[Path], *, good: tuple[float, ...] = (0.0,), least: float = LEAST
) -> "xr.Dataset":
    """Read station-years as days of local standard time.

    Of the hours' maxima and minima the day has the highest and the lowest; all else is averaged.

    Args:
        good: Flags of the values that are kept.
        least: Share of its records that a day needs.
    """
    product, files, stations = _read(paths, good)
    found = side_by_side(_as_days(product, station, least) for station in stations)
    sources = {label: Source(s.name, s.unit) for label, s in product.sources.items()}
    return conform(found, sources, _origin(product, files, "local standard time"))


def _read(
    paths: Path | Iterable[Path], good: tuple[float, ...]
) -> tuple[Product, list[Path], list[Station]]:
    given = [paths] if isinstance(paths, Path) else list(paths)
    there = [p for p in (HOURLY, SUBHOURLY) if any(map(p.layout.looks_like, given))]
    if len(there) > 1:
        raise InputError("hours and five minutes are read apart; give files of one product")
    product = there[0] if there else HOURLY
    files = product.layout.files(given)
    years: dict[str, list[Year]] = {}
    for path in files:
        year, name = product.layout.named(path)
        years.setdefault(name, []).append(_year(path, int(year), product))
    return product, files, [_station(product, name, y, good) for name, y in years.items()]


def _year(path: Path, year: int, product: Product) -> Year:
    table = product.layout.table(path)
    # Local stamps begin in the year before, and the last of UTC is the first minute of the next.
    around = tuple(f"{y:04d}" for y in range(year - 1, year + 2))
    times, local = (
        days(path, table[:, column], around) + _clock(path, table[:, column + 1], product.step)
        for column in (_UTC, _LOCAL)
    )
    ahead = np.unique((local - times) // _MINUTE)
    if len(ahead) > 1 or abs(ahead[0]) > 14 * 60:
        raise InputError(
            f"{path} has local times {', '.join(map(str, ahead[:3]))} minutes ahead of UTC; "
            "expected one distance, below 14 hours: its dates are damaged"
        )
    return Year(times, table, int(ahead[0]))


def _clock(path: Path, stamps: np.ndarray, step: np.timedelta64) -> np.ndarray:
    """Turn numbers like 1355 into minutes since midnight."""
    hours, minutes = np.divmod(stamps, 100.0)
    every = step // _MINUTE
    wrong = ~((hours >= 0) & (hours < 24) & (minutes < 60) & (minutes % every == 0))
    if wrong.any():
        raise InputError(
            f"{path} has the time {stamps[wrong][0]:g}; expected HHMM, every {every} minutes"
        )
    return (hours * 60.0 + minutes).astype(np.int64) * _MINUTE


def _station(product: Product, name: str, years: list[Year], good: tuple[float, ...]) -> Station:
    times, table = in_order(name, [(year.times, year.table) for year in years])
    ahead = {year.ahead for year in years}
    if len(ahead) > 1:
        raise InputError(
            f"station {name} is {' and '.join(map(str, sorted(ahead)))} minutes ahead of UTC in "
            "different years; a station has one standard time"
        )
    series = [
        Series(label, times, _column(product, table, i, good), product.depths.get(i))
        for i, label in product.columns.items()
    ]
    place = {
        "latitude": table[-1, _LATITUDE],
        "longitude": table[-1, _LONGITUDE],
        "network": "USCRN",
        "utc_offset": ahead.pop() / 60.0,  # hours
    }
    return Station(name, series, place)


def _column(
    product: Product, table: np.ndarray, column: int, good: tuple[float, ...]
) -> np.ndarray:
    values = table[:, column]
    kept = ~np.isin(values, _MISSING)
    if column in product.flags:
        kept &= np.isin(table[:, product.flags[column]], good)
    return np.where(kept, values, np.nan) * product.factors.get(column, 1.0)


def _as_days(product: Product, station: Station, least: float) -> Station:
    local = round(station.attributes["utc_offset"] * 60.0) * _MINUTE
    made = []
    for one in station.series:
        source = product.sources[one.name]
        values = possible(one.values, source)
        times, means = to_days(
            source.name, one.times + local, values, product.step, source.stamp, least
        )
        made.append(Series(one.name, times, means, one.depth))
    return Station(station.name, made, station.attributes)


def _origin(product: Product, files: list[Path], zone: str) -> Origin:
    notes = {"time_zone": zone}
    if product is SUBHOURLY:
        notes["wind_height"] = f"from {WIND_HEIGHT} m to 2 m by FAO-56 eq. 47"
    return Origin(product.layout.product, tuple(files), notes)
