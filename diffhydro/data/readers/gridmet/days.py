"""gridMET, daily, 1/24 degree, of the contiguous United States; a file for a variable and a year.

A variable's long name leaves open which extreme it is (`air_temperature` is in the files of both
tmmx and tmmn): attributes or the file's name tell. Packed files mark what is missing; services that
unpack leave −3276.7 or so without a mark. Days end at midnight Mountain Standard Time, 07 UTC.
Point tables (.csv) have the short names, and temperatures in °C or K.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Source, conform
from diffhydro.data.readers.gridmet.points import is_point_table, read_points
from diffhydro.data.readers.isimip import at_midnight
from diffhydro.data.readers.maps.field import AS_STORED, Chunks
from diffhydro.data.readers.maps.joining import joined
from diffhydro.data.readers.maps.opening import names_in, open_map
from diffhydro.data.readers.maps.product import Product, files_of
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_NAME = re.compile(r"^(pr|tmmx|tmmn|rmax|rmin|srad|sph|vpd|vs|eto|pet)_\d{4}\.nc$")
_UNPACKED = (-3276.7, 3276.7, 32767.0)  # 32767, when a service has applied scale or sign to it
NOTES = {
    "time_zone": "local standard time",
    "day_ends": "midnight Mountain Standard Time, 07 UTC of the next calendar day",
}
# By the short name of a file.
SHORT = {
    "pr": Source("precipitation", "mm", _UNPACKED),
    "eto": Source("potential_evaporation", "mm", _UNPACKED),
    "tmmx": Source("temperature_max", "K", _UNPACKED),
    "tmmn": Source("temperature_min", "K", _UNPACKED),
    "srad": Source("shortwave", "W m-2", _UNPACKED),
    "vpd": Source("vapour_pressure_deficit", "kPa", _UNPACKED),
    "rmax": Source("relative_humidity_max", "%", _UNPACKED),
    "rmin": Source("relative_humidity_min", "%", _UNPACKED),
    "sph": Source("specific_humidity", "kg kg-1", _UNPACKED),
    "vs": Source("wind_10m", "m s-1", _UNPACKED),
}
PRODUCT = Product("gridMET", SHORT, conform=conform)
# By the variable's name in a file: the short name, or the two extremes that it may be.
_LONG: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in SHORT},
    "precipitation_amount": ("pr",),
    "air_temperature": ("tmmx", "tmmn"),
    "relative_humidity": ("rmax", "rmin"),
    "surface_downwelling_shortwave_flux_in_air": ("srad",),
    "specific_humidity": ("sph",),
    "mean_vapor_pressure_deficit": ("vpd",),
    "wind_speed": ("vs",),
    "daily_maximum_temperature": ("tmmx",),
    "daily_minimum_temperature": ("tmmn",),
    "daily_maximum_relative_humidity": ("rmax",),
    "daily_minimum_relative_humidity": ("rmin",),
    "daily_mean_shortwave_radiation_at_surface": ("srad",),
    "daily_mean_specific_humidity": ("sph",),
    "daily_mean_vapor_pressure_deficit": ("vpd",),
    "daily_mean_wind_speed": ("vs",),
    "daily_mean_reference_evapotranspiration_grass": ("eto",),
}
# Reference evapotranspiration of grass and of alfalfa have one name; only the former is read.
_EVAPORATION = "potential_evapotranspiration"


def looks_like_gridmet(path: Path) -> bool:
    """Tell by the name, or by the variables over `day`; of a table by its header."""
    if path.is_dir():
        return any(looks_like_gridmet(file) for file in sorted(path.rglob("*")))
    if path.suffix == ".csv":
        return is_point_table(path)
    if _NAME.match(path.name):
        return True
    names = set(names_in(path)) if path.suffix in (".nc", ".nc4") else set()
    return {"day", "lat", "lon"} <= names and bool(names & {*_LONG, _EVAPORATION})


def read_gridmet(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
) -> "xr.Dataset":
    """Read maps, or point tables, into one data set; a folder stands for all such files below it.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces of maps; None to read everything now.
    """
    files = files_of(paths, looks_like_gridmet, "<variable>_<year>.nc, or a point table")
    sources = PRODUCT.wanted(variables)
    tables = [path for path in files if path.suffix == ".csv"]
    if tables:
        if len(tables) < len(files):
            raise InputError("maps and point tables of gridMET; read them apart")
        return read_points(tables, sources, NOTES)
    found = joined((path, _opened(path, sources, chunks)) for path in files)
    return PRODUCT.schema(found, sources, files, NOTES)


def _opened(path: Path, wanted: Collection[str], chunks: Chunks | None) -> "xr.Dataset":
    piece = open_map(path, PRODUCT.name, (*_LONG, _EVAPORATION), chunks=chunks)
    names = {str(n): _short(str(n), piece[n].attrs, path) for n in piece.data_vars}
    kept = {old: new for old, new in names.items() if new in wanted}
    return at_midnight(piece.drop_vars([n for n in names if n not in kept]).rename(kept))


def _short(name: str, attributes: Mapping[str, str], path: Path) -> str | None:
    """Give the short name of a variable; None for what is not read."""
    said = " ".join(str(attributes.get(k, "")) for k in ("long_name", "standard_name"))
    said = f"{said} {attributes.get('description', '')} {path.stem}".lower()
    if name == _EVAPORATION:
        is_grass = re.search(r"\b(eto|pet|grass)(\b|_)", said) is not None
        return "eto" if is_grass else None
    either = _LONG[name]
    if len(either) == 1:
        return either[0]
    marks = zip(either, ("maximum", "minimum"), strict=True)
    fits = [short for short, mark in marks if short in said or mark in said]
    if len(fits) != 1:
        raise InputError(
            f"{name} of {path.name} is a daily maximum or minimum, and neither the attributes nor "
            f"the file's name tell which; name the file {either[0]}_<year>.nc or {either[1]}_…"
        )
    return fits[0]
