"""When the rows of a table are: a column of dates, of dates and of times, or of years and days."""

import numpy as np

from diffhydro.data.readers.tables.dates import from_days_of_year, instants
from diffhydro.data.readers.tables.delimited import Table
from diffhydro.data.readers.tables.labels import plain
from diffhydro.errors import InputError

_DATES = ("date", "datetime", "date_time", "timestamp", "time", "calendar_date", "clock.today")
_DAYS_OF_YEAR = ("doy", "day_of_year", "julian_day", "dayofyear")
CLOCK = frozenset({*_DATES, *_DAYS_OF_YEAR, "year", "month", "day", "hour"})


def times_of(table: Table, dates: str | None = None) -> np.ndarray:
    """Give a time for every row.

    Args:
        dates: As in `dates.instants`.
    """
    at = {plain(name): i for i, name in reversed(list(enumerate(table.header)))}
    where = f"{table.path.name}, date"
    named = next((name for name in _DATES if name in at), None)
    if named is not None:
        days = table.column(at[named])
        clock = next((name for name in ("time", "hour") if name in at and name != named), None)
        if clock is not None:
            days = [_joined(*pair) for pair in zip(days, table.column(at[clock]), strict=True)]
        return instants(days, table.lines, where, dates)
    if "year" in at:
        years = table.numbers(at["year"])
        if "month" in at and "day" in at:
            parts = [table.numbers(at[name]) for name in ("month", "day")]
            texts = [
                f"{y:04.0f}-{m:02.0f}-{d:02.0f}" for y, m, d in zip(years, *parts, strict=True)
            ]
            return instants(texts, table.lines, where)
        day = next((name for name in (*_DAYS_OF_YEAR, "day") if name in at), None)
        if day is not None:
            found = from_days_of_year(years, table.numbers(at[day]), table.lines, where)
            return found.astype("datetime64[s]")
    raise InputError(
        f"{table.path} has no dates; expected a column date, or year and day, or year, month and "
        f"day; it has {', '.join(table.header[:12])}"
    )


def _joined(day: str, time: str) -> str:
    """Put a date and a time together; an empty time is the day's."""
    if not time:
        return day
    return f"{day} {time}:00" if time.isdigit() else f"{day} {time}"
