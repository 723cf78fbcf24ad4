"""One file of maps: NetCDF of either generation, opened without reading its values.

What comes out has the dimensions `time`, `y`, `x` (and those of the file that are none of these,
between), times as dates, and the file's own variables, units, row order and longitudes.
"""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.readers.files import reading
from diffhydro.data.readers.maps.field import AS_STORED, Chunks, Field
from diffhydro.data.readers.maps.moments import moments
from diffhydro.data.readers.maps.netcdf3 import Classic
from diffhydro.data.readers.maps.netcdf4 import Hdf5
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

ROWS, COLUMNS = ("latitude", "lat"), ("longitude", "lon")
TIMES = ("valid_time", "time", "day")
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
_LONGEST = 2**22  # of an axis; a century of hours is a fifth of it
_DIGITS = 5  # of a degree: a metre, and what single precision holds of a longitude
_NAMES = (*ROWS, *COLUMNS, *TIMES, "expver", "number")


def open_map(
    path: Path,
    product: str,
    wanted: Collection[str],
    *,
    group: str = "/",
    chunks: Chunks | None = AS_STORED,
    content: bytes | None = None,
) -> "xr.Dataset":
    """Open a file; variables that it lacks are left out.

    Args:
        wanted: The file's names of variables.
        content: Of a file in memory, which `path` only names.
    """
    with reading(path, product):
        fields = container(path, group, content).fields((*_NAMES, *wanted), product)
        return over_axes(fields, wanted, path, chunks)


def container(path: Path, group: str = "/", content: bytes | None = None) -> Hdf5 | Classic:
    """Tell the format by the file's first bytes; call it inside `reading`."""
    start = content[:4] if content is not None else _start(path)
    if start in _CLASSIC:
        return Classic(path, content)
    return Hdf5(path, group, content)


def names_in(path: Path, group: str = "/") -> list[str]:
    """List the variables of a file; none if it is no NetCDF, or damaged."""
    if not path.is_file() or _start(path) not in (*_CLASSIC, b"\x89HDF"):
        return []
    try:
        with reading(path, "NetCDF"):
            return container(path, group).names()
    except InputError:
        return []


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def over_axes(
    fields: Mapping[str, Field], wanted: Collection[str], path: Path, chunks: Chunks | None
) -> "xr.Dataset":
    """Put the wanted fields over time, rows and columns, which are fields themselves."""
    import xarray as xr

    row, column, time = (_name(fields, names, path) for names in (ROWS, COLUMNS, TIMES))
    known = {row: "y", column: "x", time: "time"}
    times = moments(_axis(fields[time]), fields[time].attributes, f"{path.name}, {time}")
    axes = {
        "time": times,
        "latitude": ("y", _degrees(fields[row], 90.0)),
        "longitude": ("x", _degrees(fields[column], 360.0)),
    }
    lengths = {row: fields[row].shape, column: fields[column].shape, time: (len(times),)}
    made = {}
    for name in wanted:
        if name in fields:
            _check_shape(fields[name], lengths)
            made[name] = _over(fields[name], known, chunks)
    found = xr.Dataset(made, axes)
    others = {str(d) for d in found.dims} - {"time", "y", "x"}
    return found.assign_coords({d: _axis(fields[d]) for d in others if d in fields})


def _name(fields: Mapping[str, Field], names: tuple[str, ...], path: Path) -> str:
    for name in names:
        if name in fields:
            return name
    raise InputError(f"{path} has no {' or '.join(names)}; it has {', '.join(fields) or 'nothing'}")


def _axis(field: Field) -> np.ndarray:
    size = math.prod(field.shape)
    if field.ndim > 1 or not 0 < size <= _LONGEST:
        raise InputError(f"{field.name} of {field.path} has the shape {field.shape}; expected axes")
    return np.atleast_1d(field.read((slice(None),) * field.ndim))


def _degrees(field: Field, most: float) -> np.ndarray:
    values = np.round(_axis(field).astype(np.float64), _DIGITS)
    steps = np.diff(values)
    if not (np.abs(values) <= most).all() or not ((steps > 0).all() or (steps < 0).all()):
        raise InputError(
            f"{field.name} of {field.path} does not run through degrees in order; is it damaged?"
        )
    return values


def _check_shape(field: Field, lengths: Mapping[str, tuple[int, ...]]) -> None:
    """Hold a shape against the axes, before pieces of it are counted."""
    for name, length in zip(field.dimensions, field.shape, strict=True):
        if (length,) != lengths.get(name, (length,)) or length > _LONGEST:
            raise InputError(
                f"{field.name} of {field.path} has the length {length} along {name}; expected "
                f"{lengths.get(name, ('less',))[0]}"
            )


def _over(field: Field, known: Mapping[str, str], chunks: Chunks | None) -> "xr.Variable":
    import xarray as xr

    dimensions = [known.get(name, name) for name in field.dimensions]
    if not {"y", "x"} <= set(dimensions):
        raise InputError(
            f"{field.name} of {field.path} lies over {', '.join(field.dimensions) or 'nothing'}; "
            f"expected {', '.join(known)}"
        )
    pieces = field.pieces(dimensions, chunks)
    if "time" not in dimensions:
        dimensions, pieces = ["time", *dimensions], pieces[np.newaxis]
    kept = {k: v for k, v in field.attributes.items() if isinstance(v, str)}
    return xr.Variable(dimensions, pieces, kept).transpose("time", ..., "y", "x")
