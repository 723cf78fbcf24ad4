"""One variable of a file, whatever the format: its axes, its attributes, and how to read a part.

Stored numbers become values as the CF conventions have it (section 8.1):
value = stored · scale_factor + add_offset, and none where stored is `_FillValue` or
`missing_value`.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from diffhydro.data.readers.files import reading

# Length of a piece by dimension (`time`, `y`, `x`); where none is given, about what the file has.
Chunks = Mapping[str, int]
AS_STORED: Chunks = MappingProxyType({})
# Values in a piece: fewer make more pieces than dask can count, more do not fit in memory.
_FEW, _MANY = 2**19, 2**23
_MISSING = ("_FillValue", "missing_value")
# Of a variable's attributes those that are read.
ATTRIBUTES = (
    "units",
    "calendar",
    "scale_factor",
    "add_offset",
    "_FillValue",
    "missing_value",
    "_Unsigned",
    "cell_methods",
    "long_name",
    "standard_name",
    "description",
    "DimensionNames",
    "GRIB_stepType",
)


@dataclass(frozen=True)
class Field:
    """A variable that stays in its file until it is asked for.

    Args:
        numbers: Type of the stored numbers.
        attributes: Texts and single numbers.
        stored: Lengths of the pieces in the file, where it has any.
        read: Gives the stored numbers of a part; one slice for every dimension.
        path: What a complaint names.
        product: What the file should be.
        key: With path and name what tells this field from all others.
    """

    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    numbers: np.dtype
    attributes: Mapping[str, Any]
    stored: tuple[int, ...] | None
    read: Callable[[tuple[slice, ...]], np.ndarray]
    path: Path
    product: str
    key: tuple[Hashable, ...] = ()

    @property
    def dtype(self) -> np.dtype:
        """Type of the values: single precision where that holds what is stored."""
        is_plain = self._number("scale_factor", 1.0) == 1.0 and self._number("add_offset", 0.0) == 0
        return np.dtype(np.float32 if is_plain and self.numbers.itemsize <= 4 else np.float64)

    @property
    def ndim(self) -> int:
        """Number of dimensions; dask asks for it."""
        return len(self.shape)

    def __getitem__(self, at: Any) -> np.ndarray:
        """Give the values of a part."""
        # Damaged scales make numbers that are none; they are masked when the schema is met.
        with reading(self.path, self.product), np.errstate(all="ignore"):
            at = at if isinstance(at, tuple) else (at,)
            whole = (slice(None),) * (self.ndim - len(at))
            return self._decoded(self.read((*at, *whole)))

    def all(self) -> np.ndarray:
        """Read everything."""
        return self[(slice(None),) * self.ndim]

    def _decoded(self, stored: np.ndarray) -> np.ndarray:
        if str(self.attributes.get("_Unsigned", "")).lower() == "true":
            stored = stored.view(stored.dtype.str.replace("i", "u"))
        values = stored.astype(self.dtype)
        values *= self._number("scale_factor", 1.0)
        values += self._number("add_offset", 0.0)
        for name in _MISSING:
            if name in self.attributes:
                values[stored == np.asarray(self.attributes[name]).astype(stored.dtype)] = np.nan
        return values

    def _number(self, name: str, otherwise: float) -> float:
        return float(self.attributes.get(name, otherwise))

    def pieces(self, names: Sequence[str], chunks: Chunks | None) -> Any:
        """Give a dask array, or what it would read if `chunks` is None.

        Args:
            names: What `chunks` calls the dimensions.
        """
        if chunks is None:
            return self.all()
        import dask.array
        from dask.base import tokenize

        lengths = handy(self.shape, self.stored)
        about = self.path.stat()
        known = (str(self.path), about.st_mtime_ns, about.st_size, self.name, self.key)
        wanted: Any = tuple(chunks.get(d, n) for d, n in zip(names, lengths, strict=True))
        return dask.array.from_array(
            self,
            chunks=wanted,
            name=f"{self.name}-{tokenize(known)}",
            meta=np.empty((0,) * self.ndim, self.dtype),
            fancy=False,  # files give slices, and no lists of places
        )


def handy(shape: Sequence[int], stored: Sequence[int] | None) -> tuple[int, ...]:
    """Give the lengths of pieces: those of the file, if need be several or a part, along the first.

    >>> handy((8760, 100, 100), (1, 100, 100)), handy((744, 721, 1440), None)
    ((52, 100, 100), (8, 721, 1440))
    """
    if not shape:
        return ()
    lengths = shape if stored is None else [min(a, b) for a, b in zip(stored, shape, strict=True)]
    first, *others = (max(length, 1) for length in lengths)
    rest = math.prod(others)
    if first * rest < _FEW:
        first = min(max(shape[0], 1), first * max(1, _FEW // (first * rest)))
    elif first * rest > _MANY:
        first = max(1, _MANY // rest)
    return (first, *others)
