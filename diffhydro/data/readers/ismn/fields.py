"""Columns of words as instants and numbers; what is neither is refused with its line."""

import re

import numpy as np

from diffhydro.data.readers.ismn.words import Words

# Of a record. The oldest soil moisture series that are known began in the 1920s.
FIRST_YEAR, LAST_YEAR = 1900, 2099
_ZERO, _DOT, _SLASH, _COLON, _MINUS, _PLUS = b"0./:-+"
_EXACT = 15  # digits that a double holds
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NAN = re.compile(r"[+-]?nan", re.IGNORECASE)


def times(words: Words, date: np.ndarray, clock: np.ndarray) -> np.ndarray:
    """Read `YYYY/MM/DD HH:MM`, the date in words `date`, the time in words `clock`."""
    days, is_date = _days(_fixed(words, date, 10))
    minutes, is_time = _minutes(_fixed(words, clock, 5))
    bad = np.flatnonzero(~(is_date & is_time))
    if len(bad):
        at = int(bad[0])
        came = f"{words.word(int(date[at]))} {words.word(int(clock[at]))}"
        raise words.refusal(
            int(date[at]), f"has {came!r} where a time YYYY/MM/DD HH:MM is expected"
        )
    return days.astype("datetime64[m]") + minutes


def _fixed(words: Words, which: np.ndarray, width: int) -> np.ndarray:
    """Give words that should have `width` bytes as rows of just these; others are all zero."""
    rows = words.rows(which)
    if rows.shape[1] < width:
        return np.zeros((len(rows), width), np.uint8)
    exact = rows[:, width - 1] != 0
    if rows.shape[1] > width:
        exact &= rows[:, width] == 0
    return np.where(exact[:, None], rows[:, :width], np.uint8(0))


def _days(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    year, is_year = _whole(rows[:, 0:4])
    month, is_month = _whole(rows[:, 5:7])
    day, is_day = _whole(rows[:, 8:10])
    begin = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    length = (begin + 1).astype("datetime64[D]") - begin.astype("datetime64[D]")
    good = is_year & is_month & is_day & (rows[:, 4] == _SLASH) & (rows[:, 7] == _SLASH)
    good &= (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12)
    good &= (day >= 1) & (day <= length.astype(np.int64))
    return begin.astype("datetime64[D]") + (day - 1), good


def _minutes(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hour, is_hour = _whole(rows[:, 0:2])
    minute, is_minute = _whole(rows[:, 3:5])
    good = is_hour & is_minute & (rows[:, 2] == _COLON) & (hour < 24) & (minute < 60)
    return hour * 60 + minute, good


def _whole(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Read digits; say which rows are digits only."""
    value, good = np.zeros(len(rows), np.int64), np.ones(len(rows), bool)
    for column in rows.T:
        digit = column - np.uint8(_ZERO)  # what is no digit wraps round to more than nine
        value = value * 10 + digit
        good &= digit <= 9
    return value, good


def numbers(words: Words, which: np.ndarray) -> np.ndarray:
    """Read decimal numbers, rounded as Python rounds them.

    Digits are collected as a whole number, which is then divided by a power of ten: both are exact,
    so the quotient is the nearest double. What is written otherwise goes through Python.
    """
    rows = words.rows(which)
    whole, decimals, digits = (np.zeros(len(rows), np.int64) for _ in range(3))
    is_plain, is_dotted = np.ones(len(rows), bool), np.zeros(len(rows), bool)
    for j, column in enumerate(rows.T):
        digit = column - np.uint8(_ZERO)
        is_digit, is_dot = digit <= 9, column == _DOT
        allowed = is_digit | (is_dot & ~is_dotted) | (column == 0)
        if j == 0:
            allowed |= (column == _MINUS) | (column == _PLUS)
        is_plain &= allowed
        whole = np.where(is_digit, whole * 10 + digit, whole)
        digits += is_digit
        decimals += is_digit & is_dotted
        is_dotted |= is_dot
    is_plain &= (digits > 0) & (digits <= _EXACT)
    value = whole / 10.0 ** np.minimum(decimals, _EXACT)
    value = np.where(rows[:, 0] == _MINUS, -value, value)
    for i in np.flatnonzero(~is_plain):
        value[i] = _odd(words, int(which[i]))
    return value


def _odd(words: Words, word: int) -> float:
    text = words.word(word)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _NAN.fullmatch(text):
        return np.nan
    raise words.refusal(word, f"has {text!r} where a number is expected")
