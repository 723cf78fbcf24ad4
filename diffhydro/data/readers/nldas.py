"""NLDAS-2, hourly, 0.125 degree: forcing A and Noah, NetCDF (2.0) and GRIB-1 (002).

Water is in kg m⁻² of the hour before the stamp. Of Noah so are the fluxes of energy; those of the
forcing are taken as of the stamp, as NASA's Land Information System does, unless the file says
otherwise in `cell_methods`. Rain of Noah is without snow, that of the forcing with it.

In GRIB a parameter is a number of table 130 of NCEP, which ecCodes does not know; what a service
made NetCDF of has its short names.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Source
from diffhydro.data.readers.era5.grib import Header, is_grib, open_grib
from diffhydro.data.readers.files import reading
from diffhydro.data.readers.gldas import LATENT_HEAT
from diffhydro.data.readers.maps.air import speed, vapour_of
from diffhydro.data.readers.maps.field import AS_STORED, Chunks
from diffhydro.data.readers.maps.joining import Piece, joined
from diffhydro.data.readers.maps.layers import over_one_depth, profile, water_content
from diffhydro.data.readers.maps.opening import open_map
from diffhydro.data.readers.maps.product import Product, expect_unit, files_of, stamped
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_NAME = re.compile(r"^NLDAS_(FORA|NOAH)0125_H\.A\d{8}\.\d{4}\.(002|020)\..*(grb|nc4?)$")
_BOUNDS = ((0, 10), (10, 40), (40, 100), (100, 200))  # cm
MOISTURE = {f"SoilM_{a}_{b}cm": (10.0 * a, 10.0 * b) for a, b in _BOUNDS}
WARMTH = {f"SoilT_{a}_{b}cm": (10.0 * a, 10.0 * b) for a, b in _BOUNDS}
PRODUCT = Product(
    "NLDAS-2",
    {
        "Rainf": Source("precipitation", "kg m-2 h-1", stamp="end"),
        "rain and snow": Source("precipitation", "kg m-2 h-1", stamp="end"),
        "PotEvap": Source("potential_evaporation", "kg m-2 h-1", stamp="end"),
        "Evap": Source("evaporation", "kg m-2 h-1", stamp="end"),
        "runoff": Source("runoff", "kg m-2 h-1", stamp="end"),
        "Tair": Source("temperature", "K", stamp="instant"),
        "AvgSurfT": Source("surface_temperature", "K", stamp="instant"),
        "SWdown": Source("shortwave", "W m-2", stamp="instant"),
        "LWdown": Source("longwave", "W m-2", stamp="instant"),
        "vapour pressure": Source("vapour_pressure", "Pa", stamp="instant"),
        "Qair": Source("specific_humidity", "kg kg-1", stamp="instant"),
        "PSurf": Source("pressure", "Pa", stamp="instant"),
        "wind": Source("wind_10m", "m s-1", stamp="instant"),
        "LAI": Source("leaf_area", "1", stamp="instant"),
        "Albedo": Source("albedo", "%", stamp="instant"),
        "SWE": Source("snow_water", "kg m-2", stamp="instant"),
        "SnowDepth": Source("snow_depth", "m", stamp="instant"),
        "soil moisture": Source("soil_moisture", "m3 m-3", stamp="instant"),
        "soil temperature": Source("soil_temperature", "K", stamp="instant"),
    },
    {
        "rain and snow": ("Rainf", "Snowf"),
        "runoff": ("Qs", "Qsb"),
        "vapour pressure": ("Qair", "PSurf"),
        "wind": ("Wind_E", "Wind_N"),
        "soil moisture": tuple(MOISTURE),
        "soil temperature": tuple(WARMTH),
    },
)
_AMOUNTS = ("Rainf", "Snowf", "Evap", "Qs", "Qsb")
_MEANS_OF_NOAH = ("SWdown", "LWdown")
_SHORT = {
    "TMP": "Tair",
    "SPFH": "Qair",
    "PRES": "PSurf",
    "UGRD": "Wind_E",
    "VGRD": "Wind_N",
    "DLWRF": "LWdown",
    "DSWRF": "SWdown",
    "APCP": "Rainf",
    "PEVAP": "PotEvap",
}
# Table 130: the number of a parameter, and its level in m or the two of its layer in cm.
_PARAMETERS: Mapping[tuple[int, ...], str] = {
    (11, 2): "Tair",
    (51, 2): "Qair",
    (1, 0): "PSurf",
    (33, 10): "Wind_E",
    (34, 10): "Wind_N",
    (61, 0): "Rainf",
    (204, 0): "SWdown",
    (205, 0): "LWdown",
    (228, 0): "PotEvap",
    (57, 0): "Evap",
    (234, 0): "Qsb",
    (235, 0): "Qs",
    **{(86, a, b): f"SoilM_{a}_{b}cm" for a, b in _BOUNDS},
    **{(85, a, b): f"SoilT_{a}_{b}cm" for a, b in _BOUNDS},
}


def looks_like_nldas(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    if path.is_dir():
        return any(looks_like_nldas(file) for file in path.rglob("NLDAS_*"))
    return _NAME.match(path.name) is not None


def read_nldas(
    paths: Path | Iterable[Path],
    *,
    variables: Iterable[str] | None = None,
    chunks: Chunks | None = AS_STORED,
) -> "xr.Dataset":
    """Read files into one data set in time; a folder stands for all such files below it.

    Of what both have, the forcing goes before Noah.

    Args:
        variables: Of the schema; all that are there if None.
        chunks: Lengths of lazy pieces; None to read everything now.
    """
    files = files_of(paths, looks_like_nldas, "NLDAS_FORA0125_H or NLDAS_NOAH0125_H.A<date>…")
    sources = PRODUCT.wanted(variables)
    labels = PRODUCT.labels(sources)
    kinds: dict[str, list[Piece]] = {"FORA": [], "NOAH": []}
    for path in files:
        kinds[_kind(path)] += _opened(path, labels, chunks)
    parts = [_rates(joined(pieces), kind) for kind, pieces in kinds.items() if pieces]
    if not parts:
        raise InputError(f"none of the {len(files)} files has any of the variables asked for")
    first, *others = parts
    for other in others:
        twice = [name for name in other.data_vars if name in first]
        first = joined([(files[0], first), (files[-1], other.drop_vars(twice))])
    found = _made(first)
    return PRODUCT.schema(found, stamped(found, sources), files, {})


def _kind(path: Path) -> str:
    found = _NAME.match(path.name)
    if not found:
        raise InputError(
            f"{path.name} is not named like NLDAS_FORA0125_H.A<date>.<hour>.020.nc or "
            "NLDAS_NOAH0125_H…, which tells forcing from model"
        )
    return found[1]


def _opened(path: Path, labels: list[str], chunks: Chunks | None) -> list[Piece]:
    with reading(path, PRODUCT.name):
        if is_grib(path):
            found = open_grib(path, PRODUCT.name, labels, _named, chunks)
            # ecCodes gives units of other tables to the numbers that it takes for its own.
            return [(path, piece.drop_attrs()) for _, piece in found]
        short = {old: new for old, new in _SHORT.items() if new in labels}
        piece = open_map(path, PRODUCT.name, (*labels, *short), chunks=chunks)
        return [(path, piece.rename({old: new for old, new in short.items() if old in piece}))]


def _named(header: Header) -> str | None:
    number = header["indicatorOfParameter"]
    if header["typeOfLevel"] == "depthBelowLandLayer":
        return _PARAMETERS.get((number, header["topLevel"], header["bottomLevel"]))
    return _PARAMETERS.get((number, int(header["level:float"])))


def _rates(found: "xr.Dataset", kind: str) -> "xr.Dataset":
    """Say of amounts that they are of an hour, and put Noah's rain and snow together."""
    made = {}
    for label in _AMOUNTS:
        if label in found:
            expect_unit(found, label, "kg m-2")
            made[label] = found[label].assign_attrs(units="kg m-2 h-1")
    if "PotEvap" in found:
        made["PotEvap"] = _potential(found, "kg m-2" if kind == "FORA" else "W m-2")
    found = found.assign(made)
    return found if kind == "FORA" else _of_noah(found)


def _of_noah(found: "xr.Dataset") -> "xr.Dataset":
    means = {
        n: found[n].assign_attrs({"cell_methods": "time: mean"} | found[n].attrs)
        for n in _MEANS_OF_NOAH
        if n in found
    }
    if {"Rainf", "Snowf"} <= set(found):
        whole = found["Rainf"] + found["Snowf"]
        means["rain and snow"] = whole.assign_attrs(units="kg m-2 h-1")
    return found.assign(means).drop_vars(["Rainf", "Snowf"], errors="ignore")


def _potential(found: "xr.Dataset", usual: str) -> "xr.DataArray":
    """Give potential evaporation as a rate of water; the model's is a flux of latent heat."""
    if found["PotEvap"].attrs.get("units", usual) == "W m-2":
        return (found["PotEvap"] / LATENT_HEAT).assign_attrs(units="kg m-2 s-1")
    expect_unit(found, "PotEvap", "kg m-2")
    return found["PotEvap"].assign_attrs(units="kg m-2 h-1")


def _made(found: "xr.Dataset") -> "xr.Dataset":
    """Add what the schema has and no file."""
    made = {}
    if {"Qs", "Qsb"} <= set(found):
        made["runoff"] = (found["Qs"] + found["Qsb"]).assign_attrs(units="kg m-2 h-1")
    if {"Qair", "PSurf"} <= set(found):
        made["vapour pressure"] = vapour_of(found["Qair"], found["PSurf"])
    if {"Wind_E", "Wind_N"} <= set(found):
        made["wind"] = speed(found["Wind_E"], found["Wind_N"])
    return found.assign(made | _soil(found))


def _soil(found: "xr.Dataset") -> dict[str, "xr.DataArray"]:
    made = {}
    if set(MOISTURE) & set(found):
        made["soil moisture"] = water_content(found, MOISTURE)
    if set(WARMTH) & set(found):
        made["soil temperature"] = profile(found, WARMTH, "K")
    return over_one_depth(made) if made else made
