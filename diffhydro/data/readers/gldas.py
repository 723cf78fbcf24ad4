"""GLDAS-2 Noah, three-hourly, 0.25 or 1 degree: one NetCDF-4 file for a time.

`_tavg` is the mean and `_acc` the sum of the three hours before the stamp, `_inst` the value then
(GES DISC, README of GLDAS-2; the files say so in `cell_methods`). Soil moisture is in kg m⁻² of a
layer; potential evaporation is a latent heat flux, W m⁻², here divided by the λ of Noah.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Source
from diffhydro.data.readers.maps.air import vapour_of
from diffhydro.data.readers.maps.field import AS_STORED, Chunks
from diffhydro.data.readers.maps.joining import joined
from diffhydro.data.readers.maps.layers import over_one_depth, profile, water_content
from diffhydro.data.readers.maps.opening import open_map
from diffhydro.data.readers.maps.product import Product, expect_unit, files_of, stamped

if TYPE_CHECKING:
    import xarray as xr

LATENT_HEAT = 2.501e6  # J/kg, the constant of Noah
HOURS = 3.0
_NAME = re.compile(r"^GLDAS_NOAH(025|10)_3H(_EP)?\.A\d{8}\.\d{4}\.\d{3}\..*nc4?$")
_BOUNDS = ((0, 10), (10, 40), (40, 100), (100, 200))  # cm
MOISTURE = {f"SoilMoi{a}_{b}cm_inst": (10.0 * a, 10.0 * b) for a, b in _BOUNDS}
WARMTH = {f"SoilTMP{a}_{b}cm_inst": (10.0 * a, 10.0 * b) for a, b in _BOUNDS}
PRODUCT = Product(
    "GLDAS-2 Noah",
    {
        "Rainf_f_tavg": Source("precipitation", "kg m-2 s-1", stamp="end"),
        "rain and snow": Source("precipitation", "kg m-2 s-1", stamp="end"),
        "potential evaporation": Source("potential_evaporation", "kg m-2 s-1", stamp="end"),
        "Evap_tavg": Source("evaporation", "kg m-2 s-1", stamp="end"),
        "runoff": Source("runoff", "kg m-2 h-1", stamp="end"),
        "Tair_f_inst": Source("temperature", "K", stamp="instant"),
        "AvgSurfT_inst": Source("surface_temperature", "K", stamp="instant"),
        "SWdown_f_tavg": Source("shortwave", "W m-2", stamp="end"),
        "LWdown_f_tavg": Source("longwave", "W m-2", stamp="end"),
        "vapour pressure": Source("vapour_pressure", "Pa", stamp="instant"),
        "Qair_f_inst": Source("specific_humidity", "kg kg-1", stamp="instant"),
        "Psurf_f_inst": Source("pressure", "Pa", stamp="instant"),
        "Wind_f_inst": Source("wind_10m", "m s-1", stamp="instant"),
        "Albedo_inst": Source("albedo", "%", stamp="instant"),
        "SWE_inst": Source("snow_water", "kg m-2", stamp="instant"),
        "SnowDepth_inst": Source("snow_depth", "m", stamp="instant"),
        "soil moisture": Source("soil_moisture", "m3 m-3", stamp="instant"),
        "soil temperature": Source("soil_temperature", "K", stamp="instant"),
    },
    {
        "rain and snow": ("Rainf_tavg", "Snowf_tavg"),
        "potential evaporation": ("PotEvap_tavg",),
        "runoff": ("Qs_acc", "Qsb_acc"),
        "vapour pressure": ("Qair_f_inst", "Psurf_f_inst"),
        "soil moisture": tuple(MOISTURE),
        "soil temperature": tuple(WARMTH),
    },
)


def looks_like_gldas(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    if path.is_dir():
        return any(looks_like_gldas(file) for file in path.rglob("GLDAS_NOAH*"))
    return _NAME.match(path.name) is not None


def read_gldas(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
) -> "xr.Dataset":
    """Read files into one data set in time; a folder stands for all such files below it.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces; None to read everything now.
    """
    files = files_of(paths, looks_like_gldas, "GLDAS_NOAH025_3H.A<date>.<hour>.021.nc4")
    sources = PRODUCT.wanted(variables)
    labels = PRODUCT.labels(sources)
    pieces = [(path, open_map(path, PRODUCT.name, labels, chunks=chunks)) for path in files]
    found = _made(joined(pieces))
    return PRODUCT.schema(found, stamped(found, sources), files, {})


def _made(found: "xr.Dataset") -> "xr.Dataset":
    """Add what the schema has and no file."""
    made = {}
    if {"Rainf_tavg", "Snowf_tavg"} <= set(found):
        made["rain and snow"] = _summed(found, "Rainf_tavg", "Snowf_tavg", "kg m-2 s-1")
    if "PotEvap_tavg" in found:
        expect_unit(found, "PotEvap_tavg", "W m-2")
        potential = found["PotEvap_tavg"] / LATENT_HEAT
        made["potential evaporation"] = potential.assign_attrs(units="kg m-2 s-1")
    if {"Qs_acc", "Qsb_acc"} <= set(found):
        runoff = _summed(found, "Qs_acc", "Qsb_acc", "kg m-2") / HOURS
        made["runoff"] = runoff.assign_attrs(units="kg m-2 h-1")
    if {"Qair_f_inst", "Psurf_f_inst"} <= set(found):
        made["vapour pressure"] = vapour_of(found["Qair_f_inst"], found["Psurf_f_inst"])
    return found.assign(made | _soil(found))


def _soil(found: "xr.Dataset") -> dict[str, "xr.DataArray"]:
    made = {}
    if set(MOISTURE) & set(found):
        made["soil moisture"] = water_content(found, MOISTURE)
    if set(WARMTH) & set(found):
        made["soil temperature"] = profile(found, WARMTH, "K")
    return over_one_depth(made) if made else made


def _summed(found: "xr.Dataset", one: str, other: str, unit: str) -> "xr.DataArray":
    expect_unit(found, one, unit)
    expect_unit(found, other, unit)
    return (found[one] + found[other]).assign_attrs(units=unit)
