"""From records to hours, and from hours to days.

Archives are hourly, but older ones hold a few series of days or of odd minutes. Records of one hour
are averaged; how many hours make a day is learnt from a series' most common step.
"""

import numpy as np

from diffhydro.data.daily import LEAST, daily
from diffhydro.data.readers.ismn.records import Records
from diffhydro.data.readers.ismn.variables import SOURCES
from diffhydro.data.readers.steps import possible

_MINUTES, _HOURS = 60, 24  # of an hour, of a day


def hours(records: Records) -> tuple[np.ndarray, np.ndarray]:
    """Give increasing full hours, each once, and the mean of what each has.

    An instant belongs to the hour before it, an interval to the hour that it ends in.
    """
    values = possible(records.values, SOURCES[records.code])
    minutes = records.times.astype(np.int64)
    is_end = SOURCES[records.code].stamp == "end"
    at = -(-minutes // _MINUTES) if is_end else minutes // _MINUTES
    if (np.diff(at) > 0).all():
        return at.astype("datetime64[h]"), values
    found, back = np.unique(at, return_inverse=True)
    there = np.isfinite(values)
    count = np.bincount(back, there)
    total = np.bincount(back, np.where(there, values, 0.0))
    means = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return found.astype("datetime64[h]"), means


def days(records: Records, least: float = LEAST) -> tuple[np.ndarray, np.ndarray]:
    """Give days and their means where enough hours are there."""
    stamps, values = hours(records)
    # `daily` knows starts and ends; an instant at midnight belongs to the day that it begins.
    stamp = "end" if SOURCES[records.code].stamp == "end" else "start"
    return daily(stamps, values, per_day=per_day(stamps), least=least, stamp=stamp)


def per_day(stamps: np.ndarray) -> int:
    """Give the records that a whole day has, by the most common step between hours."""
    if len(stamps) < 2:
        return _HOURS
    step = np.minimum(np.diff(stamps).astype(np.int64), _HOURS)
    return _HOURS // int(np.bincount(step).argmax())
