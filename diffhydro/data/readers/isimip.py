"""ISIMIP3a weather, daily, 0.5 degree: a NetCDF file for a variable and a decade.

Files are named <source>_<experiment>_<variable>_<region>_daily_<first year>_<last year>.nc;
regional cut-outs name their corners in place of `global`. A day's stamp may be midnight or noon.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Source, conform
from diffhydro.data.readers.maps.air import vapour_of
from diffhydro.data.readers.maps.field import AS_STORED, Chunks
from diffhydro.data.readers.maps.joining import joined
from diffhydro.data.readers.maps.opening import open_map
from diffhydro.data.readers.maps.product import Product, files_of

if TYPE_CHECKING:
    import xarray as xr

_NAME = re.compile(
    r"^[a-z0-9-]+_(obsclim|counterclim|spinclim|transclim)_[a-zA-Z0-9-]+_.*daily_\d{4}_\d{4}\.nc$"
)
PRODUCT = Product(
    "ISIMIP3a",
    {
        "pr": Source("precipitation", "kg m-2 s-1"),
        "tas": Source("temperature", "K"),
        "tasmax": Source("temperature_max", "K"),
        "tasmin": Source("temperature_min", "K"),
        "rsds": Source("shortwave", "W m-2"),
        "rlds": Source("longwave", "W m-2"),
        "hurs": Source("relative_humidity", "%"),
        "huss": Source("specific_humidity", "kg kg-1"),
        "vapour pressure": Source("vapour_pressure", "Pa"),
        "ps": Source("pressure", "Pa"),
        "sfcwind": Source("wind_10m", "m s-1"),
        "sfcWind": Source("wind_10m", "m s-1"),
    },
    {"vapour pressure": ("huss", "ps")},
    conform,
)


def looks_like_isimip(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    if path.is_dir():
        return any(looks_like_isimip(file) for file in path.rglob("*_daily_*.nc"))
    return _NAME.match(path.name) is not None


def read_isimip(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
) -> "xr.Dataset":
    """Read variables and decades into one data set; a folder stands for all such files below it.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces; None to read everything now.
    """
    files = files_of(paths, looks_like_isimip, "<…>_obsclim_<variable>_<…>_daily_<years>.nc")
    sources = PRODUCT.wanted(variables)
    labels = PRODUCT.labels(sources)
    found = joined(
        (path, at_midnight(open_map(path, PRODUCT.name, labels, chunks=chunks))) for path in files
    )
    if {"huss", "ps"} <= set(found):
        found = found.assign({"vapour pressure": vapour_of(found["huss"], found["ps"])})
    return PRODUCT.schema(found, sources, files, {})


def at_midnight(daily: "xr.Dataset") -> "xr.Dataset":
    """Move the stamps of days to where they begin."""
    days = daily["time"].values.astype("datetime64[D]").astype("datetime64[ns]")
    return daily.assign_coords(time=days)
