"""Classic NetCDF files (CDF-1, -2 and -5), which services and older archives still give.

A header, all big-endian, then the values: those without a record dimension one variable after the
other, the rest record by record (NetCDF Classic Format Specification, Unidata). Nothing is trusted
that does not fit into the file.
"""

import math
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.data.readers.maps.field import ATTRIBUTES, Field

_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_CHAR, _STREAMING = 2, 2**32 - 1
_TYPES = dict(enumerate(("i1", "S1", "i2", "i4", "f4", "f8", "u1", "u2", "u4", "i8", "u8"), 1))


@dataclass(frozen=True)
class Classic:
    """A file.

    Args:
        content: Of a file in memory, which `path` only names.
    """

    path: Path
    content: bytes | None = None

    def fields(self, wanted: Collection[str], product: str) -> dict[str, Field]:
        """Describe the wanted variables that there are, and hold numbers."""
        key = (self.content and zlib.crc32(self.content),)
        return {
            name: Field(
                name,
                found.dimensions,
                found.shape,
                found.dtype,
                {key: found.attributes[key] for key in ATTRIBUTES if key in found.attributes},
                None,
                _Part(self, found),
                self.path,
                product,
                key,
            )
            for name, found in self._variables().items()
            if name in wanted and found.dtype.kind in "fiu"
        }

    def names(self) -> list[str]:
        """List the variables."""
        return list(self._variables())

    def bytes(self) -> np.ndarray:
        """Give the whole file, mapped where it is on disk."""
        if self.content is not None:
            return np.frombuffer(self.content, np.uint8)
        return np.memmap(self.path, np.uint8, "r")

    def _variables(self) -> dict[str, "_Variable"]:
        return _header(self.bytes())


@dataclass(frozen=True)
class _Variable:
    """Where a variable is.

    Args:
        strides: In bytes.
    """

    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: dict[str, Any]
    start: int
    strides: tuple[int, ...]


@dataclass(frozen=True)
class _Part:
    file: Classic
    found: _Variable

    def __call__(self, at: tuple[slice, ...]) -> np.ndarray:
        content, found = self.file.bytes(), self.found
        whole = np.ndarray(found.shape, found.dtype, content.data, found.start, found.strides)
        return np.array(whole[at])


class _Cursor:
    """Reads a header from its beginning."""

    def __init__(self, content: np.ndarray) -> None:
        self.content, self.at = content, 4
        version = int(content[3])
        self.count_type = ">u8" if version == 5 else ">u4"
        self.offset_type = ">u4" if version == 1 else ">u8"

    def numbers(self, kind: str, count: int) -> np.ndarray:
        """Read numbers, and what fills them up to four bytes."""
        size = count * np.dtype(kind).itemsize
        if self.at + size > len(self.content):
            raise ValueError("the header is longer than the file")
        found = self.content[self.at : self.at + size].view(kind)
        self.at += -(-size // 4) * 4
        return found

    def count(self) -> int:
        return int(self.numbers(self.count_type, 1)[0])

    def offset(self) -> int:
        return int(self.numbers(self.offset_type, 1)[0])

    def text(self) -> str:
        return self.numbers("u1", self.count()).tobytes().decode("utf-8")

    def length_of(self, kind: int) -> int:
        """Read how many items a list of a kind has."""
        found, length = int(self.numbers(">u4", 1)[0]), self.count()
        if found != kind and (found, length) != (0, 0):
            raise ValueError(f"the header has a list of kind {found}, expected {kind}")
        if length > len(self.content):
            raise ValueError(f"the header has a list of {length}")
        return length

    def kind(self) -> str:
        return ">" + _TYPES[int(self.numbers(">u4", 1)[0])]

    def attributes(self) -> dict[str, Any]:
        made = {}
        for _ in range(self.length_of(_ATTRIBUTES)):
            name, kind, count = self.text(), self.kind(), self.count()
            values = self.numbers(kind, count)
            if kind == f">{_TYPES[_CHAR]}":
                made[name] = values.tobytes().decode("utf-8", "replace")
            elif count == 1:
                made[name] = values[0]
        return made


def _header(content: np.ndarray) -> dict[str, _Variable]:
    cursor = _Cursor(content)
    records = cursor.count()
    axes = [(cursor.text(), cursor.count()) for _ in range(cursor.length_of(_DIMENSIONS))]
    cursor.attributes()
    parts = [_declared(cursor, axes) for _ in range(cursor.length_of(_VARIABLES))]
    recorded = [part for part in parts if part[1] and part[1][0][1] == 0]
    # Records are filled up to four bytes, unless one variable has them all to itself.
    sizes = [_size(part) for part in recorded]
    record = sizes[0] if len(sizes) == 1 else sum(-(-size // 4) * 4 for size in sizes)
    if records == _STREAMING and record:
        records = max(0, len(content) - min(part[4] for part in recorded)) // record
    made = {}
    for name, over, attributes, dtype, start in parts:
        lengths = [length for _, length in over]
        is_recorded = bool(lengths) and lengths[0] == 0
        inner = lengths[1:] if is_recorded else lengths
        strides = [dtype.itemsize * math.prod(inner[i + 1 :]) for i in range(len(inner))]
        shape = (records, *inner) if is_recorded else tuple(lengths)
        steps = (record, *strides) if is_recorded else tuple(strides)
        end = start + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) + dtype.itemsize
        if 0 not in shape and end > len(content):
            raise ValueError(f"{name} ends at byte {end} of {len(content)}")
        made[name] = _Variable(tuple(n for n, _ in over), shape, dtype, attributes, start, steps)
    return made


_Declared = tuple[str, list[tuple[str, int]], dict[str, Any], np.dtype, int]


def _declared(cursor: _Cursor, axes: list[tuple[str, int]]) -> _Declared:
    name = cursor.text()
    over = [axes[cursor.count()] for _ in range(cursor.count())]
    attributes = cursor.attributes()
    dtype = np.dtype(cursor.kind())
    cursor.count()  # the size, which follows from the shape
    return name, over, attributes, dtype, cursor.offset()


def _size(part: _Declared) -> int:
    _, over, _, dtype, _ = part
    return dtype.itemsize * math.prod(length for _, length in over[1:])
