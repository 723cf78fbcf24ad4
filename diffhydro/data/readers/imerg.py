"""GPM IMERG, half-hourly and daily, 0.1 degree, versions 06 and 07.

Values lie over (time, longitude, latitude), south to north, in the group `/Grid`; rates are in mm
per hour, of the half hour that begins at the stamp. V06 calls them `precipitationCal` and counts
time from 1970, V07 `precipitation` and from 1980; what came of microwaves or infrared alone moved
to `/Grid/Intermediate`, and is not read. Daily files have no groups, and mm of a day.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Source, conform
from diffhydro.data.readers.isimip import at_midnight
from diffhydro.data.readers.maps.field import AS_STORED, Chunks
from diffhydro.data.readers.maps.joining import joined
from diffhydro.data.readers.maps.opening import open_map
from diffhydro.data.readers.maps.product import Product, files_of
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_NAME = re.compile(r"^3B-(HHR|DAY)(-[EL])?\.MS\.MRG\.3IMERG\.\d{8}-S\d{6}-E\d{6}\..*(HDF5|nc4?)$")
_RAIN = ("precipitation", "precipitationCal")
_QUALITY = "precipitationQualityIndex"
_HALF_HOURS = Source("precipitation", "mm/hr")
_DAYS = Source("precipitation", "mm/day")
PRODUCTS = {
    "HHR": Product("IMERG half-hourly", dict.fromkeys(_RAIN, _HALF_HOURS)),
    "DAY": Product("IMERG daily", dict.fromkeys(_RAIN, _DAYS), conform=conform),
}


def looks_like_imerg(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    if path.is_dir():
        return any(looks_like_imerg(file) for file in path.rglob("3B-*"))
    return _NAME.match(path.name) is not None


def read_imerg(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
    least_quality: float = 0.0,
) -> "xr.Dataset":
    """Read files of one kind into one data set; a folder stands for all such files below it.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces; None to read everything now.
        least_quality: Of the quality index of half hours; what has less is missing. Its makers call
            0.6 good and less than 0.4 doubtful; 0 keeps everything.
    """
    files = files_of(paths, looks_like_imerg, "3B-HHR.MS.MRG.3IMERG.<date>-S…-E….V07B.HDF5")
    kinds = {_kind(path) for path in files}
    if len(kinds) > 1:
        raise InputError("half-hourly and daily files of IMERG; read them apart")
    (kind,) = kinds
    product = PRODUCTS[kind]
    sources = product.wanted(variables)
    needed = [*_RAIN, _QUALITY] if least_quality > 0.0 else _RAIN
    pieces = [(p, open_map(p, product.name, needed, group="Grid", chunks=chunks)) for p in files]
    found = joined((p, _renamed(at_midnight(d) if kind == "DAY" else d)) for p, d in pieces)
    if least_quality > 0.0:
        found = _good(found, least_quality, files[0])
    notes = {"least_quality": str(least_quality)} if least_quality > 0.0 else {}
    return product.schema(found, sources, files, notes)


def _kind(path: Path) -> str:
    found = _NAME.match(path.name)
    if not found:
        raise InputError(f"{path.name} is not named like 3B-HHR.MS.MRG.3IMERG.<date>-S…-E….HDF5")
    return found[1]


def _renamed(found: "xr.Dataset") -> "xr.Dataset":
    """Give both versions' rain one name, so that they join."""
    old, new = reversed(_RAIN)
    return found.rename({old: new}) if old in found and new not in found else found


def _good(found: "xr.Dataset", least: float, path: Path) -> "xr.Dataset":
    if _QUALITY not in found:
        raise InputError(f"{path.name} has no {_QUALITY}; leave least_quality at 0")
    rain = _RAIN[0]
    masked = found[rain].where(found[_QUALITY] >= least).assign_attrs(found[rain].attrs)
    return found.assign({rain: masked})
