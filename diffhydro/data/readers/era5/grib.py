"""GRIB files of either edition, by way of ecCodes and cfgrib (the extra `grib`).

A message holds one field at one time, and a file any mixture of them. Fields of unlike levels fit
into no common array, so every field is opened by itself, from one index that is made in memory:
nothing is written beside the data.
"""

import logging
import math
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.data.readers.era5.grib_messages import check_messages
from diffhydro.data.readers.files import reading
from diffhydro.data.readers.maps.field import AS_STORED, Chunks, Field
from diffhydro.data.readers.maps.joining import Piece, joined
from diffhydro.data.readers.maps.opening import over_axes
from diffhydro.errors import InputError

Header = Mapping[str, Any]
# What tells one field from another. The number of a parameter is all there is where ecCodes does
# not know the table of a centre.
_IDENTITY = (
    "paramId",
    "indicatorOfParameter",
    "typeOfLevel",
    "level:float",
    "topLevel",
    "bottomLevel",
    "stepType",
)
_NAMES = ("shortName", "cfVarName", "centre", "gridType")
_LOGGERS = ("cfgrib", "cfgrib.dataset", "cfgrib.messages")
_ONE_AT_A_TIME = threading.Lock()


def is_grib(path: Path) -> bool:
    """Tell by the first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"GRIB"


def centre_of(path: Path) -> int | None:
    """Give the number of the centre that made the first message; None if it is no GRIB."""
    with path.open("rb") as file:
        start = file.read(23)
    if len(start) < 23 or start[:4] != b"GRIB":
        return None
    return start[12] if start[7] == 1 else int.from_bytes(start[21:23], "big")


def open_grib(
    path: Path,
    product: str,
    wanted: Collection[str],
    named: Callable[[Header], str | None],
    chunks: Chunks | None = AS_STORED,
) -> list[Piece]:
    """Open the wanted fields, if any are there, without reading their values.

    Args:
        named: Gives the product's name of a field, or None for one that it does not know.
    """
    with reading(path, product, "grib"), _quiet():
        check_messages(path)
        index = _indexed(path)
        pieces = []
        for name, identity in _found(index, named, path).items():
            if name in wanted:
                fields = _fields(index, identity, name, path, product)
                pieces.append((path, over_axes(fields, [name], path, chunks)))
    return [(path, joined(pieces))] if pieces else []


def _indexed(path: Path) -> Any:
    from cfgrib.dataset import INDEX_KEYS, open_fileindex
    from cfgrib.messages import FileStream

    keys = [*INDEX_KEYS, *_IDENTITY, *_NAMES, "valid_time"]
    return open_fileindex(FileStream(str(path), errors="raise"), indexpath="", index_keys=keys)


def _found(
    index: Any, named: Callable[[Header], str | None], path: Path
) -> dict[str, dict[str, Any]]:
    """Give what identifies each field that has a name."""
    made: dict[str, dict[str, Any]] = {}
    for values, _ in index.iter_index():
        header = dict(zip(index.index_keys, values, strict=True))
        name = named(header)
        if name is None:
            continue
        identity = {key: header[key] for key in _IDENTITY}
        if header["gridType"] != "regular_ll":
            raise InputError(
                f"{name} in {path} lies on a grid of the kind {header['gridType']}; expected "
                "latitudes and longitudes (regular_ll): interpolate it when you ask for it"
            )
        if made.setdefault(name, identity) != identity:
            raise InputError(f"{path} has {name} of two kinds: {made[name]} and {identity}")
    return made


def _fields(
    index: Any, identity: dict[str, Any], name: str, path: Path, product: str
) -> dict[str, Field]:
    """Describe a field and its axes."""
    from cfgrib.dataset import OnDiskArray, open_from_index

    part = index.subindex(identity)
    found = open_from_index(part, (), ("valid_time",), errors="raise")
    (values,) = (v for v in found.variables.values() if isinstance(v.data, OnDiskArray))
    _check_once(part, values.data.shape, name, path)
    unit = str(values.attributes.get("GRIB_units", "unknown"))
    about = {} if unit == "unknown" else {"units": unit}
    about["GRIB_stepType"] = str(identity["stepType"])
    made = {}
    for axis in {"latitude", "longitude", "valid_time", "number"} & set(found.variables):
        at, numbers = found.variables[axis], np.asarray(found.variables[axis].data)
        made[axis] = Field(
            axis,
            at.dimensions,
            numbers.shape,
            numbers.dtype,
            at.attributes,
            None,
            _Held(numbers),
            path,
            product,
        )
    one_by_one = (*(1 for _ in values.data.shape[:-2]), *values.data.shape[-2:])
    made[name] = Field(
        name,
        values.dimensions,
        values.data.shape,
        np.dtype(values.data.dtype),
        about,
        one_by_one,
        _Messages(values.data),
        path,
        product,
    )
    return made


def _check_once(part: Any, shape: tuple[int, ...], name: str, path: Path) -> None:
    messages, times = sum(len(found) for _, found in part.iter_index()), math.prod(shape[:-2])
    if messages > times:
        raise InputError(
            f"{path} has {messages} messages of {name} for {times} times; give one each"
        )


@dataclass(frozen=True)
class _Held:
    """What is in memory."""

    values: np.ndarray

    def __call__(self, at: tuple[slice, ...]) -> np.ndarray:
        return self.values[at]


@dataclass(frozen=True)
class _Messages:
    """Reads the messages of a part."""

    values: Any

    def __call__(self, at: tuple[slice, ...]) -> np.ndarray:
        with _ONE_AT_A_TIME, _quiet():
            return self.values[at]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's log to itself, and turn its errors into those that parsers raise."""
    from eccodes import GribInternalError

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(_nothing)
    try:
        yield
    except GribInternalError as error:
        raise ValueError(str(error)) from error
    finally:
        for logger in loggers:
            logger.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False
