"""What an archive holds, without reading its values: stations, variables, depths, periods."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from diffhydro.data.readers.ismn import ceop
from diffhydro.data.readers.ismn.archive import Archive, groups, head, opened, tail
from diffhydro.data.readers.ismn.layouts import first_place
from diffhydro.data.readers.ismn.names import Name, understood
from diffhydro.data.readers.ismn.records import is_ceop, misnamed
from diffhydro.data.readers.ismn.variables import IN_SOIL, SOURCES
from diffhydro.data.readers.ismn.words import Words, words
from diffhydro.errors import InputError

_ENOUGH = 2**14  # bytes: a hundred lines of CEOP
_DATE = re.compile(rb"(?:^|[\r\n])\s*(\d{4})/(\d\d)/(\d\d)\s")


@dataclass(frozen=True)
class Sensor:
    """One variable at one depth of one station.

    Args:
        variable: The schema's name.
        top: Of its layer, or its depth, mm; None for what is not in the soil.
        bottom: Equal to `top` for a probe.
        sensor: What the file's name calls it.
        start: Day of the first record, NaT where there is none.
        end: Day of the last.
        file: Path inside the archive.
    """

    network: str
    station: str
    variable: str
    top: float | None
    bottom: float | None
    sensor: str
    latitude: float
    longitude: float
    elevation: float
    start: np.datetime64
    end: np.datetime64
    file: str


def looks_like_ismn(path: Path | str) -> bool:
    """Tell by the names of a file, of a zip's members, or of the files in a folder."""
    try:
        with opened(Path(path)) as archive:
            return any(understood(name) for name in archive.names())
    except InputError:
        return False


def list_ismn(path: Path | str) -> tuple[Sensor, ...]:
    """List the sensors of an archive; only the ends of its files are looked at.

    Of a file of a whole station the depths are those of its first hundred lines.
    """
    with opened(Path(path)) as archive:
        chosen = groups(archive, frozenset(SOURCES))
        found = [s for group in chosen for name in group.files for s in _sensors(archive, name)]
    if not found:
        raise InputError(f"{path} has no file of the International Soil Moisture Network")
    return tuple(found)


def _sensors(archive: Archive, name: Name) -> Iterator[Sensor]:
    begin = head(archive, name.path, _ENOUGH)
    found = words(begin, str(archive.where(name.path)))
    place = first_place(found, name)
    dates = _DATE.findall(begin)[:1] + _DATE.findall(tail(archive, name.path, _ENOUGH))[-1:]
    start, end = (_day(found, date) for date in dates or [None, None])
    for code, top, bottom in _measured(found, name):
        in_soil = code in IN_SOIL
        yield Sensor(
            place.network,
            place.station,
            SOURCES[code].name,
            top if in_soil else None,
            bottom if in_soil else None,
            name.sensor,
            place.latitude,
            place.longitude,
            place.elevation,
            start,
            end,
            name.path,
        )


def _measured(found: Words, name: Name) -> Iterator[tuple[str, float, float]]:
    """Yield what a file measures: code, top, bottom."""
    if name.code is not None:
        yield name.code, name.top, name.bottom
    elif not (is_ceop(found) and ceop.is_station(found)):
        raise misnamed(found)
    else:
        whole = found if len(found.first) == 1 else replace(found, first=found.first[:-1])
        for depth in np.unique(ceop.depths(whole)):
            for code in ceop.CODES:
                yield code, float(depth), float(depth)


def _day(found: Words, date: tuple[bytes, ...] | None) -> np.datetime64:
    if date is None:
        return np.datetime64("NaT", "D")
    written = b"-".join(date).decode()
    try:
        return np.datetime64(written, "D")
    except ValueError as error:
        raise InputError(
            f"{found.where} has the date {written}, which is none; fetch it again"
        ) from error
