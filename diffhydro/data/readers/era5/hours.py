"""ERA5, hourly on single levels: NetCDF of both generations, zips of them, and GRIB.

Sums are of the hour that ends at the stamp, in m of water and J m⁻²; fluxes of water are positive
downward, so evaporation changes its sign. Soil is in layers of 0-7, 7-28, 28-100 and 100-289 cm
(ECMWF, ERA5 data documentation). Over the sea soil moisture is 0 within rounding: it is missing.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Source
from diffhydro.data.readers.era5.files import LAND, is_era5_file, spacing, spacing_of, together
from diffhydro.data.readers.maps.accumulation import not_below
from diffhydro.data.readers.maps.air import speed, vapour_at_dew_point
from diffhydro.data.readers.maps.field import AS_STORED, Chunks
from diffhydro.data.readers.maps.layers import over_one_depth, profile
from diffhydro.data.readers.maps.product import Product, expect_unit, files_of
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_BOUNDS = ((0.0, 70.0), (70.0, 280.0), (280.0, 1000.0), (1000.0, 2890.0))  # mm
MOISTURE = {f"swvl{i}": bounds for i, bounds in enumerate(_BOUNDS, 1)}
WARMTH = {f"stl{i}": bounds for i, bounds in enumerate(_BOUNDS, 1)}
WATER = ("tp", "e", "pev", "ro")
ENERGY = ("ssrd", "strd")
SUMS = (*WATER, *ENERGY)
METRES, JOULES = ("m", "m of water equivalent"), ("J m**-2", "J m-2")
# Of these fluxes the file's are positive downward and the schema's are losses.
_LOSSES = ("e", "pev", "avg_ie", "mer", "avg_pevr", "mper")
_NEVER_NEGATIVE = ("tp", "ro")
_ROUNDING = 1e-5  # m; packing in 16 bits leaves a tenth of it
_DRY = 1e-4  # m³/m³; less is the zero of the sea
_HALF = 0.5  # of a cell; the land model has its soil where there is more
SOURCES = {
    "tp": Source("precipitation", "m h-1", stamp="end"),
    "avg_tprate": Source("precipitation", "kg m-2 s-1", stamp="end"),
    "mtpr": Source("precipitation", "kg m-2 s-1", stamp="end"),
    "pev": Source("potential_evaporation", "m h-1", stamp="end"),
    "avg_pevr": Source("potential_evaporation", "kg m-2 s-1", stamp="end"),
    "mper": Source("potential_evaporation", "kg m-2 s-1", stamp="end"),
    "e": Source("evaporation", "m h-1", stamp="end"),
    "avg_ie": Source("evaporation", "kg m-2 s-1", stamp="end"),
    "mer": Source("evaporation", "kg m-2 s-1", stamp="end"),
    "ro": Source("runoff", "m h-1", stamp="end"),
    "avg_rorwe": Source("runoff", "kg m-2 s-1", stamp="end"),
    "mror": Source("runoff", "kg m-2 s-1", stamp="end"),
    "t2m": Source("temperature", "K", stamp="instant"),
    "mx2t": Source("temperature_max", "K", stamp="end"),
    "mn2t": Source("temperature_min", "K", stamp="end"),
    "skt": Source("surface_temperature", "K", stamp="instant"),
    "ssrd": Source("shortwave", "J m-2 h-1", stamp="end"),
    "avg_sdswrf": Source("shortwave", "W m-2", stamp="end"),
    "msdwswrf": Source("shortwave", "W m-2", stamp="end"),
    "strd": Source("longwave", "J m-2 h-1", stamp="end"),
    "avg_sdlwrf": Source("longwave", "W m-2", stamp="end"),
    "msdwlwrf": Source("longwave", "W m-2", stamp="end"),
    "d2m": Source("dew_point", "K", stamp="instant"),
    "vapour pressure": Source("vapour_pressure", "Pa", stamp="instant"),
    "sp": Source("pressure", "Pa", stamp="instant"),
    "wind": Source("wind_10m", "m s-1", stamp="instant"),
    "leaf area": Source("leaf_area", "m2 m-2", stamp="instant"),
    "sd": Source("snow_water", "m", stamp="instant"),
    "soil moisture": Source("soil_moisture", "m3 m-3", stamp="instant"),
    "soil temperature": Source("soil_temperature", "K", stamp="instant"),
}
MADE = {
    "vapour pressure": ("d2m",),
    "wind": ("u10", "v10"),
    "leaf area": ("cvh", "lai_hv", "cvl", "lai_lv"),
    "soil moisture": (*MOISTURE, LAND),
    "soil temperature": (*WARMTH, LAND),
}
PRODUCT = Product("ERA5", SOURCES, MADE)
KNOWN = frozenset(PRODUCT.labels(SOURCES)) - {LAND}
SPACING_OF_LAND = 0.1  # degree


def looks_like_era5(path: Path) -> bool:
    """Tell by the variables and the spacing, or, of GRIB and zip, by the centre and the members."""
    if path.is_dir():
        return any(looks_like_era5(file) for file in sorted(path.rglob("*")))
    return is_era5_file(path, KNOWN) and not is_of_land(path)


def is_of_land(path: Path) -> bool:
    """Tell ERA5-Land by its name, or by cells of a tenth of a degree."""
    if any(word in path.name.lower() for word in ("era5-land", "era5_land", "era5land")):
        return True
    try:
        return spacing_of(path) == SPACING_OF_LAND
    except InputError:
        return False


def read_era5(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
) -> "xr.Dataset":
    """Read files into one data set in time; a folder stands for all files of ERA5 below it.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces; None to read everything now.
    """
    files = files_of(paths, lambda path: is_era5_file(path, KNOWN), "of ERA5 (.nc, .zip, .grib)")
    sources = PRODUCT.wanted(variables)
    labels = PRODUCT.labels(sources)
    found = together(files, PRODUCT.name, labels, chunks)
    if spacing(found) == SPACING_OF_LAND and set(SUMS) & set(found):
        raise InputError(
            f"{files[0].name} has cells of {SPACING_OF_LAND} degree: it is ERA5-Land, whose sums "
            "grow through the day; read it as ERA5-Land"
        )
    return PRODUCT.schema(from_fields(in_the_hour(found)), sources, files, {})


def in_the_hour(found: "xr.Dataset") -> "xr.Dataset":
    """Say of sums that they are of an hour."""
    made = {}
    for labels, units, unit in ((WATER, METRES, "m h-1"), (ENERGY, JOULES, "J m-2 h-1")):
        for label in labels:
            if label in found:
                expect_unit(found, label, *units)
                made[label] = found[label].assign_attrs(units=unit)
    return found.assign(made)


def from_fields(found: "xr.Dataset") -> "xr.Dataset":
    """Turn signs, and add what the schema has and no file."""
    made = {n: (-found[n]).assign_attrs(found[n].attrs) for n in _LOSSES if n in found}
    for label in _NEVER_NEGATIVE:
        if label in found:
            made[label] = not_below(found[label], _ROUNDING)
    if "d2m" in found:
        expect_unit(found, "d2m", "K")
        made["vapour pressure"] = vapour_at_dew_point(found["d2m"])
    if {"u10", "v10"} <= set(found):
        made["wind"] = speed(found["u10"], found["v10"])
    if set(MADE["leaf area"]) <= set(found):
        leaves = found["cvh"] * found["lai_hv"] + found["cvl"] * found["lai_lv"]
        made["leaf area"] = leaves.assign_attrs(units="m2 m-2")
    if "sd" in found:
        expect_unit(found, "sd", *METRES)
        made["sd"] = found["sd"].assign_attrs(units="m")
    return found.assign(made | _soil(found))


def _soil(found: "xr.Dataset") -> dict[str, "xr.DataArray"]:
    made = {}
    if set(MOISTURE) & set(found):
        water = profile(found, MOISTURE, "m**3 m**-3")
        made["soil moisture"] = _on_land(found, water.where(water > _DRY))
    if set(WARMTH) & set(found):
        made["soil temperature"] = _on_land(found, profile(found, WARMTH, "K"))
    return over_one_depth(made) if made else made


def _on_land(found: "xr.Dataset", soil: "xr.DataArray") -> "xr.DataArray":
    return soil.where(found[LAND] > _HALF) if LAND in found else soil
