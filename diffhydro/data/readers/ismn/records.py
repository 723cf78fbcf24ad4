"""What a file holds, in any layout: a place, and the records of sensors."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diffhydro.data.readers.ismn import flags
from diffhydro.data.readers.ismn.fields import numbers, times
from diffhydro.data.readers.ismn.names import PATTERN, Name
from diffhydro.data.readers.ismn.words import Words
from diffhydro.errors import InputError

MISSING = -99.0  # no variable of the network reaches it; −99.99, −999.9 and −9999 stand for nothing
_FAR = 0.1  # degrees between sensors of one station
_DATE, _TIME = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}"), re.compile(r"[0-9]{2}:[0-9]{2}")
_SLASH = ord("/")


@dataclass(frozen=True)
class Place:
    """A station: names as the network has them, degrees, metres."""

    network: str
    station: str
    latitude: float
    longitude: float
    elevation: float

    @property
    def site(self) -> str:
        """The name that no other station has."""
        return f"{self.network}_{self.station}"


@dataclass(frozen=True)
class Records:
    """One variable of one sensor.

    Args:
        code: The network's, of the variable.
        top: Of the sensor's layer, or its depth, mm.
        bottom: Equal to `top` for a probe.
        times: Minutes, UTC, as they come.
        values: In the network's unit; NaN for what is missing or not kept.
    """

    code: str
    top: float
    bottom: float
    times: np.ndarray
    values: np.ndarray


def is_ceop(words: Words) -> bool:
    """Tell the layouts apart by the first line."""
    line = words.line(0)[2:4]
    return len(line) == 2 and bool(_DATE.fullmatch(line[0]) and _TIME.fullmatch(line[1]))


def place(words: Words, line: list[str], name: Name) -> Place:
    """Read CSE, network, station, latitude, longitude and elevation.

    CEOP cuts long names of stations, file names have them whole.
    """
    if len(line) < 6:
        raise words.refusal(0, f"has {len(line)} words; expected a station and where it is")
    common, network, station = line[:3]
    if name.prefix.startswith(f"{common}_{network}_{station}"):
        station = name.prefix[len(f"{common}_{network}_") :]
    try:
        latitude, longitude, elevation = (float(word) for word in line[3:6])
    except ValueError as error:
        raise words.refusal(0, f"has {' '.join(line[3:6])!r} for a place") from error
    if not (abs(latitude) <= 90.0 and -180.0 <= longitude <= 360.0):
        raise words.refusal(0, f"has latitude {latitude}, longitude {longitude}")
    if not (math.isfinite(elevation) and -500.0 <= elevation <= 9000.0):
        elevation = math.nan
    if longitude > 180.0:
        longitude -= 360.0
    return Place(network, station, latitude, longitude, elevation)


def agreed(places: Sequence[Place]) -> Place:
    """Give the first of places that should be one and the same station."""
    first = places[0]
    for other in places[1:]:
        east = abs(other.longitude - first.longitude)
        away = max(abs(other.latitude - first.latitude), min(east, 360.0 - east))
        same = (other.network, other.station) == (first.network, first.station)
        if away > _FAR or not same:
            raise InputError(
                f"files of station {first.site} are of network {first.network} at {first.latitude},"
                f" {first.longitude} and of {other.site}, network {other.network} at "
                f"{other.latitude}, {other.longitude}; read them apart, or fetch them again"
            )
    return first


def observed(words: Words, value: np.ndarray, flag: np.ndarray, keep: frozenset[str]) -> np.ndarray:
    """Read values; what is missing, or has a flag that is not kept, is NaN."""
    found = numbers(words, value)
    good = flags.kept(words, flag, keep) & (found > MISSING) & np.isfinite(found)
    return np.where(good, found, np.nan)


def instants(words: Words, first: np.ndarray, least: int, dates: int) -> np.ndarray:
    """Read the times that lines begin with; make sure that no line is cut, or two are one.

    Args:
        first: Number of each line's first word.
        least: Words that a line has at least; what the provider says may have any number.
        dates: That a line has.
    """
    count = np.diff(first, append=len(words.starts))
    short = np.flatnonzero(count < least)
    if len(short):
        at = int(short[0])
        raise words.refusal(int(first[at]), f"has {count[at]} words; expected at least {least}")
    ends = words.ends[first[0] :]
    is_date = (words.text[ends - 3] == _SLASH) & (words.text[ends - 6] == _SLASH)
    found = np.add.reduceat(is_date.astype(np.int64), first - first[0])
    odd = np.flatnonzero(found != dates)
    if len(odd):
        at = int(odd[0])
        raise words.refusal(int(first[at]), f"has {found[at]} dates; expected {dates}")
    return times(words, first, first + 1)


def misnamed(words: Words) -> InputError:
    """Make the error for a file of one sensor whose name does not say of which variable."""
    return InputError(
        f"{words.where} holds a single sensor, but is not named like {PATTERN}, which alone says "
        "what it measures; give it back the name it had in the archive"
    )
