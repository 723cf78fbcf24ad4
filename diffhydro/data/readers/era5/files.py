"""Files of ERA5 and ERA5-Land as the Climate Data Store gives them.

- NetCDF before 2024: `time`; where final and preliminary data meet, a dimension `expver` (1, 5);
- NetCDF since 2024: `valid_time`, and a zip with a file for each step type (instant, accum, max …);
- GRIB.

Which times are preliminary (ERA5T, the three months before a download) is not kept.
"""

import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.readers.era5.grib import Header, centre_of, is_grib, open_grib
from diffhydro.data.readers.files import reading
from diffhydro.data.readers.maps.field import Chunks
from diffhydro.data.readers.maps.joining import Piece, joined
from diffhydro.data.readers.maps.opening import names_in, open_map
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

SUFFIXES = (".nc", ".nc4", ".grib", ".grb", ".grib2", ".zip")
LAND = "lsm"
_ECMWF = 98
_ZIP = b"PK\x03\x04"
_MOST_UNPACKED = 2**32  # bytes, as they are held in memory
_FINAL = 1  # of expver; 5 is preliminary
# The marks of files whose values are means of months: their sums are of a day, not of an hour.
_MONTHLY = ("moda", "mnth", "edmo", "edmm")


def is_era5_file(path: Path, known: Collection[str]) -> bool:
    """Tell by the content: variables over latitude and longitude, a GRIB of ECMWF, or a zip."""
    if not path.is_file() or path.suffix not in SUFFIXES:
        return False
    if is_grib(path):
        return centre_of(path) == _ECMWF
    if zipfile.is_zipfile(path):
        try:
            with reading(path, "zip"), _archive(path) as archive:
                return any(name.endswith(".nc") for name in archive.namelist())
        except InputError:
            return False
    names = set(names_in(path))
    return {"latitude", "longitude"} <= names and bool(names & set(known))


def together(
    files: Iterable[Path], product: str, wanted: Collection[str], chunks: Chunks | None
) -> "xr.Dataset":
    """Open files and join them; the mask of land has no time, and adds none."""
    pieces = [piece for path in files for piece in opened(path, product, wanted, chunks)]
    land = [piece[LAND].isel(time=0, drop=True) for _, piece in pieces if LAND in piece]
    found = joined((path, piece.drop_vars(LAND, errors="ignore")) for path, piece in pieces)
    return found.assign({LAND: land[0]}) if land else found


def opened(
    path: Path, product: str, wanted: Collection[str], chunks: Chunks | None
) -> Iterator[Piece]:
    """Open a file, or all that a zip has."""
    with reading(path, product):
        if is_grib(path):
            pieces = open_grib(path, product, wanted, _named, chunks)
        elif _is_zip(path):
            pieces = list(_unpacked(path, product, wanted, chunks))
        else:
            pieces = [(path, open_map(path, product, wanted, chunks=chunks))]
    for label, piece in pieces:
        _refuse_months(label, piece)
        yield label, _of_one_version(label, piece)


def spacing(found: "xr.Dataset") -> float:
    """Give the width of a cell, in degrees; 0 of a single one."""
    columns = found["longitude"].values
    return round(float(abs(columns[1] - columns[0])), 3) if len(columns) > 1 else 0.0


def spacing_of(path: Path) -> float:
    """Give the width of a cell of a file; 0 where it takes more than a look (GRIB)."""
    if is_grib(path):
        return 0.0
    with reading(path, "ERA5"):
        if not _is_zip(path):
            return spacing(open_map(path, "ERA5", ()))
        return next((spacing(piece) for _, piece in _unpacked(path, "ERA5", (), None)), 0.0)


def _named(header: Header) -> str | None:
    return header["cfVarName"]


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _ZIP


def _unpacked(
    path: Path, product: str, wanted: Collection[str], chunks: Chunks | None
) -> Iterator[Piece]:
    """Open the NetCDF files of a zip, in memory: no name in it becomes a path."""
    with _archive(path) as archive:
        members = [one for one in archive.infolist() if one.filename.endswith(".nc")]
        size = sum(one.file_size for one in members)
        if size > _MOST_UNPACKED:
            raise InputError(
                f"{path} unpacks to {size / 1e9:.1f} GB, too much to hold; unpack it and give the "
                "folder"
            )
        if not members:
            raise InputError(f"{path} holds no NetCDF file; unpack it and give what it holds")
        for one in sorted(members, key=lambda one: one.file_size):
            content = archive.read(one)
            found = open_map(path, product, wanted, chunks=chunks, content=content)
            yield path.with_name(f"{path.name}:{Path(one.filename).name}"), found


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; what is wrong with it is a ValueError, as of any parser."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(str(error)) from error


def _refuse_months(path: Path, piece: "xr.Dataset") -> None:
    kinds = [str(v.attrs.get("GRIB_stepType", "")) for v in piece.data_vars.values()]
    is_monthly = any(kind.startswith("avg") and kind != "avg" for kind in kinds)
    if is_monthly or any(f"stream-{mark}" in path.name for mark in _MONTHLY):
        raise InputError(
            f"{path.name} holds means of months, whose sums are of a day; expected hours"
        )


def _of_one_version(path: Path, piece: "xr.Dataset") -> "xr.Dataset":
    """Take final values, and preliminary ones where there are none."""
    if "number" in piece.dims:
        if piece.sizes["number"] > 1:
            raise InputError(
                f"{path.name} has {piece.sizes['number']} members of an ensemble; give one"
            )
        piece = piece.isel(number=0, drop=True)
    if "expver" in piece.dims:
        versions = piece["expver"].values if "expver" in piece.coords else np.array([_FINAL, 5])
        first, *others = (piece.isel(expver=i, drop=True) for i in np.argsort(versions))
        for other in others:
            first = first.fillna(other)
        piece = first.assign({n: first[n].assign_attrs(v.attrs) for n, v in piece.items()})
    extra = {str(d) for d in piece.dims} - {"time", "y", "x"}
    if extra:
        raise InputError(
            f"{path.name} has the dimension {', '.join(sorted(extra))}; expected time, latitude "
            "and longitude"
        )
    return piece
