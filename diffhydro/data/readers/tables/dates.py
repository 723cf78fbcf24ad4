"""Dates as tables write them, and which of day and month comes first.

A column is decided as a whole and never guessed. 03/04/2012 alone can be in March or in April;
beside 25/04/2012 it is in April. What a column leaves open its reader must be told.
"""

import re
from collections.abc import Sequence

import numpy as np

from diffhydro.errors import InputError

DAY_FIRST, MONTH_FIRST = "dd/mm/yyyy", "mm/dd/yyyy"
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_DATE = re.compile(
    r"(?P<a>\d{1,4})(?P<sep>[-/._ ])(?P<b>\d{1,2}|[A-Za-z]{3,9})(?P=sep)(?P<c>\d{1,4})"
    r"(?:(?:T| +)(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.0+)?)?)Z?)?"
)
_DIGITS = re.compile(r"(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})(?P<time>)")
_KNOWN = "2012-01-31, 20120131, 31/01/2012, 31-Jan-2012, each with or without 13:05"


def instants(
    texts: Sequence[str], lines: Sequence[int], where: str, dates: str | None = None
) -> np.ndarray:
    """Turn a column of dates, with or without times, into datetime64[s].

    Args:
        lines: Of the file, for errors.
        where: What the file and the column are called.
        dates: `"dd/mm/yyyy"` or `"mm/dd/yyyy"`, where the column cannot tell.
    """
    if dates not in (None, DAY_FIRST, MONTH_FIRST):
        raise InputError(f"dates is {dates!r}; expected {DAY_FIRST!r} or {MONTH_FIRST!r}")
    first: dict[str, int] = {}
    for text, line in zip(texts, lines, strict=True):
        first.setdefault(text, line)
    parts = {text: _parts(text, line, where) for text, line in first.items()}
    day_first = _is_day_first(parts, first, where, dates)
    known = {
        text: _instant(found, day_first, f"{where}, line {first[text]}: {text!r}")
        for text, found in parts.items()
    }
    return np.array([known[text] for text in texts], "datetime64[s]")


def from_days_of_year(
    years: np.ndarray, days: np.ndarray, lines: Sequence[int], where: str
) -> np.ndarray:
    """Turn years and days of the year, counted from 1, into datetime64[D]."""
    whole = (years == np.floor(years)) & (years >= 1) & (years <= 9999) & (days == np.floor(days))
    safe = np.where(whole, years, 2000.0).astype(np.int64)
    starts = (safe - 1970).astype("datetime64[Y]")
    length = ((starts + 1).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(int)
    wrong = ~(whole & (days >= 1) & (days <= length))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{where}, line {lines[at]}: year {years[at]:g} and day {days[at]:g}; expected a day "
            "of the year between 1 and 365 or 366"
        )
    return starts.astype("datetime64[D]") + (days.astype(np.int64) - 1).astype("timedelta64[D]")


_Parts = tuple[str, str, str, str]


def _parts(text: str, line: int, where: str) -> _Parts:
    found = _DIGITS.fullmatch(text.strip()) or _DATE.fullmatch(text.strip())
    if found is None or (len(found["a"]) != 4 and len(found["c"]) != 4):
        raise InputError(f"{where}, line {line}: {text!r} is no date; expected one like {_KNOWN}")
    return found["a"], found["b"], found["c"], found["time"] or ""


def _is_day_first(
    parts: dict[str, _Parts], lines: dict[str, int], where: str, dates: str | None
) -> bool:
    """Tell whether 3/4 is the third of April; raise where the column does not say."""
    open_ones = {
        text: (int(a), int(b))
        for text, (a, b, _, _) in parts.items()
        if len(a) < 4 and b.isdigit() and int(a) != int(b)
    }
    days = [text for text, (a, _) in open_ones.items() if a > 12]
    months = [text for text, (_, b) in open_ones.items() if b > 12]
    if days and months:
        raise InputError(
            f"{where} has {days[0]} in line {lines[days[0]]} and {months[0]} in line "
            f"{lines[months[0]]}: once the day comes first, once the month"
        )
    if dates is not None:
        return dates == DAY_FIRST
    if open_ones and not days and not months:
        one = next(iter(open_ones))
        raise InputError(
            f"{where} has {one} in line {lines[one]}, and no date that tells the day from the "
            f"month; say dates={DAY_FIRST!r} or dates={MONTH_FIRST!r}"
        )
    return bool(days)


def _instant(parts: _Parts, day_first: bool, where: str) -> np.datetime64:
    a, b, c, time = parts
    if len(a) == 4:
        year, month, day = a, b, c
    elif not b.isdigit():
        day, month, year = a, _month(b, where), c
    else:
        day, month, year = (a, b, c) if day_first else (b, a, c)
    clock = [int(part) for part in time.split(".")[0].split(":")] if time else [0]
    hour, minute, second = (*clock, 0, 0)[:3]
    try:
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError
        date = np.datetime64(f"{year}-{int(month):02d}-{int(day):02d}", "s")
    except ValueError as error:
        raise InputError(f"{where} is not in the calendar") from error
    return date + np.timedelta64(hour * 3600 + minute * 60 + second, "s")


def _month(word: str, where: str) -> str:
    found = [i for i, name in enumerate(_MONTHS, 1) if name.startswith(word.lower())]
    if len(found) != 1:
        raise InputError(f"{where} has no month; expected Jan … Dec, or the English name")
    return str(found[0])
