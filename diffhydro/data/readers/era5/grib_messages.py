"""The frame of GRIB messages, checked before ecCodes, which aborts at some that do not add up.

A message is a run of sections, each with its length, between the letters GRIB and 7777 (WMO Manual
on Codes, FM 92, editions 1 and 2). In edition 1 a flag tells which sections there are; a message
longer than 8 MB has its length rounded up to 120 bytes, as ECMWF writes it. Let through is what
products of weather on latitudes and longitudes have, and no code beyond it.
"""

import mmap
from collections.abc import Container
from pathlib import Path

_LEAST, _END = 12, b"7777"
_LARGE, _UNIT = 0x800000, 120
_GRID, _BITMAP = 0x80, 0x40
_OTHER_PACKING = 0xD0  # waves, second order, more flags
_SHORTEST = {1: 28, 2: 32, 3: 6, 4: 11}  # octets of the sections of edition 1
_FIRST_GRID_LENGTH, _MOST_BITS = 32, 32  # of a grid of latitudes and longitudes; of a number
# Of edition 2 the sections, without or with one of local use, and the codes that are read: grids of
# latitudes and longitudes; fields at a time or over one, of members or not; any usual packing.
_ORDERS = ([1, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7])
_GRID_LENGTH = 72
_FIELDS = frozenset({0, 1, 8, 11})
_PACKINGS = frozenset({0, 2, 3, 4, 40, 41, 42})
_BITMAPS = frozenset({0, 255})
# Codes of units of time, from minutes to days and seconds; at others ecCodes divides by zero.
_TIME_UNITS = frozenset({0, 1, 2, 10, 11, 12, 13, 14, 254})
_TIME_UNIT = 17  # of section 1 of edition 1, and of section 4 of edition 2, from its beginning


def check_messages(path: Path) -> None:
    """Raise ValueError at the first message whose sections do not fill it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(b"GRIB")
        if at < 0:
            raise ValueError("there is no message")
        while at >= 0:
            at = content.find(b"GRIB", _end(content, at))


def _end(content: mmap.mmap, start: int) -> int:
    """Give where a message ends."""
    if start + _LEAST > len(content):
        raise ValueError(f"the message at byte {start} is cut short")
    edition = content[start + 7]
    if edition == 1:
        return _end_of_first(content, start)
    if edition == 2:
        return _end_of_second(content, start)
    raise ValueError(f"the message at byte {start} is of edition {edition}; expected 1 or 2")


def _end_of_first(content: mmap.mmap, start: int) -> int:
    size, at = _number(content, start + 4, 3), start + 8
    _check_time(content, at)
    flags = _byte(content, at + 7)
    if not flags & _GRID:
        raise ValueError(f"the message at byte {start} has no grid")
    at += _length(content, at, 1)
    points = _first_points(content, at)
    at += _length(content, at, 2)
    if flags & _BITMAP:
        _expect(content, at + 4, 2, {0}, "a bitmap")
        length = _length(content, at, 3)
        if (length - 6) * 8 < points:
            raise ValueError(f"the bitmap at byte {at} is shorter than its grid")
        at += length
    data = _length(content, at, 4)
    if size & _LARGE and data < _UNIT:  # the length is rounded up, and this one says by how much
        size = (size & ~_LARGE) * _UNIT - data + 4
        data = start + size - 4 - at
    _check_data(content, at, data, points, bool(flags & _BITMAP))
    return _ended(content, start, at + data, start + size)


def _first_points(content: mmap.mmap, at: int) -> int:
    """Give the number of cells of a grid of edition 1."""
    _expect(content, at, 3, {_FIRST_GRID_LENGTH}, "a length of the grid")
    _expect(content, at + 3, 1, {0}, "vertical levels in a grid")
    _expect(content, at + 5, 1, {0}, "a grid")
    points = _number(content, at + 6, 2) * _number(content, at + 8, 2)
    if not points:
        raise ValueError(f"the grid at byte {at} has no cells")
    return points


def _check_data(content: mmap.mmap, at: int, length: int, points: int, has_bitmap: bool) -> None:
    """Hold the number of packed values against that of cells."""
    flags, bits = _byte(content, at + 3), _byte(content, at + 10)
    if flags & _OTHER_PACKING or bits > _MOST_BITS:
        raise ValueError(f"the data at byte {at} are not packed simply, the only way that is read")
    if bits:
        values = ((length - 11) * 8 - (flags & 0x0F)) // bits
        if values > points or (values < points and not has_bitmap):
            raise ValueError(f"the data at byte {at} have {values} values for {points} cells")


def _check_time(content: mmap.mmap, section: int) -> None:
    unit = _byte(content, section + _TIME_UNIT)
    if unit not in _TIME_UNITS:
        raise ValueError(f"times of the message at byte {section} are in units of code {unit}")


def _length(content: mmap.mmap, at: int, section: int) -> int:
    length = _number(content, at, 3)
    if length < _SHORTEST[section]:
        raise ValueError(f"section {section} at byte {at} has {length} bytes")
    return length


def _end_of_second(content: mmap.mmap, start: int) -> int:
    stop, at = start + _number(content, start + 8, 8), start + 16
    order, points = [], 0
    while at < stop - 4:
        length, section = _number(content, at, 4), _byte(content, at + 4)
        if length < 5:
            raise ValueError(f"section {section} at byte {at} has {length} bytes")
        order.append(section)
        if section == 3:
            points = _points(content, at, length)
        elif section == 4:
            _check_time(content, at)
            _expect(content, at + 7, 2, _FIELDS, "a field")
        elif section == 5:
            _expect(content, at + 9, 2, _PACKINGS, "a packing")
            _expect(content, at + 5, 4, range(points + 1), "a number of values")
        elif section == 6:
            _expect(content, at + 5, 1, _BITMAPS, "a bitmap")
        at += length
    if order not in _ORDERS:
        raise ValueError(f"the message at byte {start} has the sections {order}")
    return _ended(content, start, at, stop)


def _points(content: mmap.mmap, at: int, length: int) -> int:
    """Give the number of cells of a grid, which its rows and columns must make."""
    _expect(content, at + 5, 1, {0}, "a source of the grid")
    _expect(content, at + 10, 2, {0}, "lists of a reduced grid")
    _expect(content, at + 12, 2, {0}, "a grid")
    _expect(content, at, 4, {_GRID_LENGTH}, "a length of the grid")
    points = _number(content, at + 6, 4)
    if _number(content, at + 30, 4) * _number(content, at + 34, 4) != points or not points:
        raise ValueError(f"rows and columns at byte {at} do not make {points} cells")
    return points


def _expect(content: mmap.mmap, at: int, length: int, known: Container[int], what: str) -> None:
    found = _number(content, at, length)
    if found not in known:
        raise ValueError(f"byte {at} has {found} for {what}, which is not read")


def _ended(content: mmap.mmap, start: int, at: int, stop: int) -> int:
    if at != stop - 4 or content[at:stop] != _END:
        raise ValueError(f"the sections of the message at byte {start} do not fill it")
    return stop


def _number(content: mmap.mmap, at: int, length: int) -> int:
    if at + length > len(content):
        raise ValueError(f"the file ends before byte {at + length}")
    return int.from_bytes(content[at : at + length], "big")


def _byte(content: mmap.mmap, at: int) -> int:
    return _number(content, at, 1)
