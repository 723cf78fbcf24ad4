"""Times of a file: numbers since an epoch that the file's attributes state.

Epochs differ within one product (IMERG V06 counts from 1970, V07 from 1980), so nothing is assumed.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from diffhydro.errors import InputError

_SINCE = re.compile(
    r"\s*(second|minute|hour|day)s?\s+since\s+(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d*)?)?)?\s*(?:UTC|Z)?\s*"
)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
# IMERG names the Julian calendar and means the usual one; the two count alike from 1900 to 2100.
_CALENDARS = ("standard", "gregorian", "proleptic_gregorian", "julian")
_FIRST, _LAST = np.datetime64("1800-01-01", "s"), np.datetime64("2200-01-01", "s")


def moments(numbers: np.ndarray, attributes: Mapping[str, Any], where: str) -> np.ndarray:
    """Give the times, to the second.

    >>> str(moments(np.array([6]), {"units": "hours since 1900-01-01 00:00:00.0"}, "time")[0])
    '1900-01-01T06:00:00.000000000'

    Args:
        where: What a complaint names.
    """
    calendar = attributes.get("calendar", "standard")
    if calendar not in _CALENDARS:
        raise InputError(
            f"{where} counts its days by the calendar {calendar}; expected a calendar with leap "
            "years, as weather has"
        )
    units = attributes.get("units")
    found = _SINCE.fullmatch(units) if isinstance(units, str) else None
    if not found:
        raise InputError(f"{where} has times in {units!r}; expected '<days> since <date>'")
    unit, year, month, day, *clock = found.groups()
    hour, minute, second = (int(part or 0) for part in clock)
    try:
        date = np.datetime64(f"{year}-{int(month):02d}-{int(day):02d}", "s")
    except ValueError as error:
        raise InputError(f"{where} has times {units}, which is no date") from error
    epoch = date + np.timedelta64(hour * 3600 + minute * 60 + second, "s")
    seconds = np.atleast_1d(numbers).astype(np.float64) * _SECONDS[unit]
    limits = [float((limit - epoch) / np.timedelta64(1, "s")) for limit in (_FIRST, _LAST)]
    wrong = ~((seconds >= limits[0]) & (seconds < limits[1]))
    if wrong.any():
        raise InputError(
            f"{where} has the time {np.atleast_1d(numbers)[wrong][0]} {units}; expected dates "
            "after 1800, before 2200"
        )
    return (epoch + np.rint(seconds).astype("timedelta64[s]")).astype("datetime64[ns]")
