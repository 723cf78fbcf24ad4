"""CEOP layouts: every line says when, where, how deep and what.

Both begin with nominal date and time, actual date and time, `CSE NETWORK STATION LAT LON ELEV`.
A file of one sensor goes on with `FROM TO value flag [what the provider says]`, the older file of a
whole station with `depth soil_temperature flag soil_moisture flag`, where depth is negative and its
sign may stand apart: `-   0.10`. The nominal time, on the hour, is the one that is read.
"""

import numpy as np

from diffhydro.data.readers.ismn.fields import numbers
from diffhydro.data.readers.ismn.names import Name
from diffhydro.data.readers.ismn.records import (
    Place,
    Records,
    instants,
    misnamed,
    observed,
    place,
)
from diffhydro.data.readers.ismn.words import Words

_PLACE, _NETWORK, _STATION = 4, 5, 6
_DEPTH = 10
_VALUE, _FLAG = 12, 13
# Behind the depth of a file of a station; code, value, flag.
_PAIR = (("ts", 1, 2), ("sm", 3, 4))
CODES = tuple(code for code, _, _ in _PAIR)
_MINUS = ord("-")
_MM = 1000.0  # in a metre


def header(words: Words, name: Name) -> Place:
    """Read where the first line is from."""
    return place(words, words.line(0)[_PLACE:], name)


def read(words: Words, name: Name, keep: frozenset[str]) -> list[Records]:
    """Read a file of one sensor, or of a station."""
    if is_station(words):
        return _station(words, keep)
    if name.code is None:
        raise misnamed(words)
    first = words.first
    stamps = instants(words, first, least=_FLAG + 1, dates=2)
    for column in (_NETWORK, _STATION, _DEPTH, _DEPTH + 1):
        _constant(words, first + column)
    values = observed(words, first + _VALUE, first + _FLAG, keep)
    return [Records(name.code, name.top, name.bottom, stamps, values)]


def is_station(words: Words) -> bool:
    """Tell the layouts apart by where the first line has its first flag."""
    line = words.line(0)
    shift = 1 if line[_DEPTH : _DEPTH + 1] == ["-"] else 0
    flag = line[_VALUE + shift : _VALUE + shift + 1]
    return bool(flag) and flag[0][:1].isalpha() and flag[0].lower() != "nan"


def depths(words: Words) -> np.ndarray:
    """Give the depth of every line of a station's file, mm, positive downward."""
    at = _depth_words(words)
    found = np.abs(numbers(words, at))
    lost = np.flatnonzero(~np.isfinite(found))
    if len(lost):
        raise words.refusal(int(at[lost[0]]), "has no depth")
    return np.round(found * _MM, 3)


def _depth_words(words: Words) -> np.ndarray:
    """Find the words that have the depth, behind a sign that stands apart."""
    if (words.count <= _DEPTH + 1).any():
        short = int(np.flatnonzero(words.count <= _DEPTH + 1)[0])
        raise words.refusal(words.first[short], f"has {words.count[short]} words; expected 15")
    at = words.first + _DEPTH
    alone = words.ends[at] - words.starts[at] == 1
    return at + (alone & (words.text[words.starts[at]] == _MINUS))


def _station(words: Words, keep: frozenset[str]) -> list[Records]:
    first = words.first
    stamps = instants(words, first, least=_DEPTH + 5, dates=2)
    for column in (_NETWORK, _STATION):
        _constant(words, first + column)
    deep, at = depths(words), _depth_words(words)
    last = at + _PAIR[-1][-1]
    over = np.flatnonzero(last >= np.append(first[1:], len(words.starts)))
    if len(over):
        raise words.refusal(int(first[over[0]]), "has no second value with its flag")
    found = []
    for code, value, flag in _PAIR:
        values = observed(words, at + value, at + flag, keep)
        for depth in np.unique(deep):
            here = deep == depth
            found.append(Records(code, float(depth), float(depth), stamps[here], values[here]))
    return found


def _constant(words: Words, which: np.ndarray) -> None:
    """Make sure that all lines are of one station and one sensor."""
    rows = words.rows(which)
    other = np.flatnonzero((rows != rows[0]).any(1))
    if len(other):
        at = int(which[other[0]])
        came, expected = words.word(at), words.word(int(which[0]))
        raise words.refusal(at, f"is of {came!r}, the lines before of {expected!r}")
