"""Which dimension of a CF file is time, depth, latitude, longitude, or a row of stations.

The conventions say it by `standard_name`, `axis`, `units` and `cf_role`; many files only by a name.
Here the dimensions get the package's names, depths are in millimetres, and maps lie north up.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.conform import upright
from diffhydro.data.readers.tables.labels import MILLIMETRES, plain
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_SITES = ("site", "station", "station_id", "station_name", "site_id", "location", "gauge_id")
_METRES = {"metre", "meter", "metres", "meters"}


def with_axes(found: "xr.Dataset", name: str, where: str) -> "xr.Dataset":
    """Give the dimensions the names site, time, depth, y and x.

    Args:
        name: Of the site, where the file has one and does not name it.
    """
    latitude = _found(found, "latitude", ("lat", "latitude"), r"degrees?_?(north|N)")
    longitude = _found(found, "longitude", ("lon", "longitude"), r"degrees?_?(east|E)")
    found = _with_time(found, where)
    found = _with_depth(found, where)
    if latitude is None or longitude is None:
        return _with_sites(found, name, where)
    dimensions = (found[latitude].dims, found[longitude].dims)
    if max(map(len, dimensions)) > 1:
        raise InputError(
            f"{where} has {latitude} over {len(dimensions[0])} dimensions: a rotated or projected "
            "grid; bring it to latitudes and longitudes first"
        )
    if dimensions[0] != dimensions[1]:
        return _with_map(found, latitude, longitude, where)
    found = found.rename({latitude: "_latitude", longitude: "_longitude"})
    found = _with_sites(found, name, where)
    placed = found.rename({"_latitude": "latitude", "_longitude": "longitude"})
    return placed.set_coords(["latitude", "longitude"])


def _found(
    found: "xr.Dataset", standard: str, names: tuple[str, ...], units: str | None = None
) -> str | None:
    """Name the variable that is an axis, by what it says of itself, or else by its name."""
    tests: tuple[Callable[[str, dict[Any, Any]], bool], ...] = (
        lambda _, says: says.get("standard_name") == standard,
        lambda _, says: units is not None and bool(re.fullmatch(units, str(says.get("units")))),
        lambda name, _: plain(name) in names,
    )
    for test in tests:
        matching = [str(n) for n, v in found.variables.items() if test(str(n), v.attrs)]
        if len(matching) > 1:  # bounds and the like: the coordinate goes first
            matching = [n for n in matching if n in found.coords] or matching
        if matching:
            return matching[0]
    return None


def _with_time(found: "xr.Dataset", where: str) -> "xr.Dataset":
    times = [str(n) for n in found.dims if n in found.coords and found[n].dtype.kind == "M"]
    named = _found(found, "time", ("time", "valid_time", "date", "day"))
    if times:
        return found.rename({times[0]: "time"}) if times[0] != "time" else found
    if named is not None and named in found.dims:
        calendar = found[named].encoding.get("calendar") or found[named].attrs.get("calendar")
        raise InputError(
            f"{named} in {where} is {found[named].dtype}, its calendar {calendar or 'not given'}; "
            "expected dates of the usual calendar, with units such as 'days since 2000-01-01'"
        )
    return found


def _with_depth(found: "xr.Dataset", where: str) -> "xr.Dataset":
    import xarray as xr

    depth = _found(found, "depth", ("depth", "soil_depth", "depthbelowland"))
    if depth is None or depth not in found.coords:
        if "depth" in found.dims:
            raise InputError(f"{where} has a dimension depth and no depths; expected a coordinate")
        return found
    axis = found[depth]
    unit = str(axis.attrs.get("units", "")).strip().lower()
    unit = "m" if unit in _METRES else unit
    if unit not in MILLIMETRES:
        raise InputError(
            f"{depth} in {where} has the unit {unit!r}; expected {', '.join(MILLIMETRES)}"
        )
    if axis.ndim > 1 or not np.issubdtype(axis.dtype, np.number):
        raise InputError(f"{depth} in {where} is {axis.dtype} over {axis.dims}; expected one axis")
    scale = MILLIMETRES[unit]
    values = _millimetres(axis.values, scale)
    edges = found.variables.get(axis.attrs.get("bounds", ""))
    if axis.ndim == 0:
        return found.drop_vars(depth).assign_coords(depth=float(values))
    layer = str(axis.dims[0])
    found = found.drop_vars({depth, layer} & set(found.variables))
    found = found.rename({layer: "depth"}) if layer != "depth" else found
    attributes = {"units": "mm", "positive": "down"}
    found = found.assign_coords(depth=xr.Variable("depth", values, attributes))
    if edges is not None and edges.shape == (len(values), 2):
        layers = np.sort(_millimetres(edges.values, scale), axis=1)
        found = found.assign_coords(top=("depth", layers[:, 0]), bottom=("depth", layers[:, 1]))
    return found.sortby("depth")


def _millimetres(values: np.ndarray, scale: float) -> np.ndarray:
    """Turn depths, or heights below zero, into millimetres; rounded, so that files agree."""
    return np.round(np.abs(np.asarray(values, np.float64)) * scale, 6)


def _with_map(found: "xr.Dataset", latitude: str, longitude: str, where: str) -> "xr.Dataset":
    axes = {}
    for name, new, dimension in ((latitude, "latitude", "y"), (longitude, "longitude", "x")):
        axis = found[name]
        values = np.asarray(axis.values, np.float64)
        steps = np.diff(np.atleast_1d(values))
        if axis.ndim == 0 or not ((steps > 0).all() or (steps < 0).all()):
            raise InputError(f"{name} in {where} neither rises nor falls; expected rows in order")
        axes[new] = (dimension, values, dict(axis.attrs))
        old = str(axis.dims[0])
        found = found.drop_vars({name, old} & set(found.variables)).rename({old: dimension})
    return upright(found.assign_coords(axes))


def _with_sites(found: "xr.Dataset", name: str, where: str) -> "xr.Dataset":
    roles = [n for n, v in found.variables.items() if v.attrs.get("cf_role") == "timeseries_id"]
    rows = [str(d) for d in found.dims if plain(str(d)) in _SITES]
    if roles and found[roles[0]].ndim == 1:
        rows = [str(found[roles[0]].dims[0])]
    placed = [v.dims[0] for n, v in found.variables.items() if n == "_latitude" and v.ndim == 1]
    rows = rows or [str(dimension) for dimension in placed]
    if not rows:
        extra = set(map(str, found.dims)) - {"time", "depth"} - _edges(found)
        if extra:
            raise InputError(
                f"{where} has the dimension {min(extra)}, which is neither stations nor a map: "
                "expected cf_role, or the names site, lat and lon"
            )
        return found.expand_dims(site=[name])
    row = rows[0]
    label = str(roles[0]) if roles else row
    names = found[label].values if label in found.variables else np.arange(found.sizes[row])
    found = found.rename({row: "site"}) if row != "site" else found
    found = found.drop_vars({label, "site"} & set(found.variables))
    return found.assign_coords(site=[_word(one) for one in names])


def _edges(found: "xr.Dataset") -> set[str]:
    """Name the dimensions of bounds."""
    bounds = [found.variables.get(v.attrs.get("bounds", "")) for v in found.variables.values()]
    return {str(edge.dims[-1]) for edge in bounds if edge is not None}


def _word(name: Any) -> str:
    return (name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)).strip()
