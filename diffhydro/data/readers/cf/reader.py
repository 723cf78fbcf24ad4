"""Files of no particular product that follow the CF conventions: NetCDF-4 and zarr, read lazily.

A variable is known by its name or alias, or else by its `standard_name`, where only one variable
of the schema has it; `cell_methods` tell the day's maximum and minimum from its mean. Stations lie
over (site, time, depth), maps over (time, depth, y, x). What was not understood is named in the
attribute `not_read`, with the reason.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.cf.axes import with_axes
from diffhydro.data.readers.cf.zarr_chunks import check_chunks
from diffhydro.data.readers.files import open_netcdf, reading
from diffhydro.data.readers.steps import (
    AMOUNTS,
    DAY,
    RATES,
    conform_steps,
    rate,
    step_of,
    usual_gap,
)
from diffhydro.data.readers.tables.labels import schema_name
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_EXPECTED = "NetCDF-4 or zarr that follows the CF conventions"
# Standard names that say what another of the schema's does, in other units.
_SYNONYMS = {
    "precipitation_flux": "precipitation",
    "precipitation_amount": "precipitation",
    "lwe_thickness_of_precipitation_amount": "precipitation",
    "water_evaporation_flux": "evaporation",
    "surface_downwelling_shortwave_flux": "shortwave",
    "water_vapor_pressure": "vapour_pressure",
    "lwe_thickness_of_surface_snow_amount": "snow_water",
    "surface_snow_amount": "snow_water",
}
_EXTREMES = {"maximum": "_max", "minimum": "_min"}
_KEPT = ("title", "institution", "source", "references", "license", "comment")
_ORDER = ("site", "time", "depth", "y", "x")


def read_cf(
    path: Path,
    *,
    names: Mapping[str, str | None] | None = None,
    units: Mapping[str, str] | None = None,
    stamp: str | None = None,
) -> "xr.Dataset":
    """Read a file or a store; values are read when they are used.

    Args:
        names: The schema's name by the file's, for what it does not say; None leaves one out.
        units: By the file's names, for those without the attribute.
        stamp: What a time of less than a day means, as in `conform.Source`; else what the
            bounds of time say, or its start.
    """
    with _reading(path):
        opened = _opened(path)
        found = _unfolded(with_axes(opened, path.stem, path.name))
        found, stamp = _with_days(found, path.name, stamp)
        wanted, unread = _understood(found, names or {}, path.name)
        found = _as_rates(found, wanted, units or {}, path.name)
        sources = {label: Source(name, stamp=stamp) for label, name in wanted.items()}
        kept = [n for n in unread if found[n].dims == ("site",)]
        found = found.set_coords(kept)
        notes = {key: str(opened.attrs[key]) for key in _KEPT if key in opened.attrs}
        notes["time_zone"] = _zone(opened)
        lost = ", ".join(f"{n} ({why})" for n, why in unread.items() if n not in kept)
        notes |= {"not_read": lost} if lost else {}
        origin = Origin("CF", (path,), notes)
        made = (conform if _is_daily(found) else conform_steps)(found, sources, origin)
        made = made.assign_coords({name: made[name].load() for name in made.coords})
        return made.transpose(*(d for d in _ORDER if d in made.dims), ...)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        with reading(path, _EXPECTED):
            yield
    except SystemError as error:  # of zarr's codecs, for lengths that are none
        raise InputError(f"{path} is damaged: {error}; fetch it again") from error


def _opened(path: Path) -> "xr.Dataset":
    import xarray as xr

    if path.is_dir():
        check_chunks(path)
        consolidated = (path / ".zmetadata").is_file()
        return xr.open_zarr(path, chunks={}, consolidated=consolidated, decode_timedelta=False)
    return open_netcdf(path, expected=_EXPECTED, chunks={}, decode_timedelta=False)


def _unfolded(found: "xr.Dataset") -> "xr.Dataset":
    """Make variables of coordinates that are no axes, such as an elevation."""
    axes = {"latitude", "longitude", "depth", "top", "bottom", *found.dims}
    return found.reset_coords([n for n in found.coords if n not in axes and found[n].ndim > 0])


def _with_days(found: "xr.Dataset", where: str, stamp: str | None) -> tuple["xr.Dataset", str]:
    """Put daily stamps at midnight, and say what those within the day mean."""
    if "time" not in found.dims:
        return found, "start"
    times = found["time"].values
    edges = found.variables.get(found["time"].attrs.get("bounds", ""))
    if edges is not None and edges.shape == (len(times), 2) and edges.dtype.kind == "M":
        stamp = stamp or _stamp(times, *edges.values.T)
        times = edges.values[:, 0] if _is_daily(found) else times
    if _is_daily(found):
        times, stamp = times.astype("datetime64[D]").astype("datetime64[ns]"), "start"
    found = found.assign_coords(time=("time", times, found["time"].attrs)).sortby("time")
    twice = np.flatnonzero(np.diff(found["time"].values) == np.timedelta64(0))
    if len(twice):
        raise InputError(f"{where} has the time {found['time'].values[twice[0]]} twice")
    return found, stamp or "start"


def _stamp(times: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> str:
    if (times == upper).all():
        return "end"
    return "start" if (times == lower).all() else "instant"


def _gap(found: "xr.Dataset") -> np.timedelta64:
    return usual_gap(found["time"].values) if "time" in found.dims else DAY


def _is_daily(found: "xr.Dataset") -> bool:
    return bool(_gap(found) >= DAY)


def _understood(
    found: "xr.Dataset", names: Mapping[str, str | None], where: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Give the schema's name of every variable that has one, and of the others the reason."""
    for label, name in names.items():
        if label not in found.variables:
            raise InputError(f"names has {label!r}, which {where} has not; it has {_list(found)}")
        if name is not None and name not in VARIABLES:
            raise InputError(f"names has {name!r} for {label}, which is no variable of the schema")
    wanted: dict[str, str] = {}
    unread: dict[str, str] = {}
    bounds = {str(v.attrs["bounds"]) for v in found.variables.values() if "bounds" in v.attrs}
    for label in map(str, found.data_vars):
        if label in bounds or (label in names and names[label] is None):
            continue
        values = found[label]
        name, reason = (names[label], "") if label in names else _named(label, values)
        reason = reason or _unfit(values, name or "")
        if reason or name is None:
            unread[label] = reason
        elif name in wanted.values():
            first = next(other for other, its in wanted.items() if its == name)
            raise InputError(
                f"{where} has {first} and {label} for {name}; say names={{{label!r}: None}} to "
                "leave one out"
            )
        else:
            wanted[label] = name
    if not wanted:
        said = ", ".join(f"{n} ({why})" for n, why in unread.items()) or "none"
        raise InputError(f"{where} has no variable of the schema; it has {said}; say names={{…}}")
    return wanted, unread


def _named(label: str, values: "xr.DataArray") -> tuple[str | None, str]:
    """Give the schema's name of a variable, or None and why not."""
    standard = str(values.attrs.get("standard_name", ""))
    name = schema_name(label)
    if name is None:
        sharing = [v.name for v in VARIABLES.values() if standard and v.standard_name == standard]
        of = [n for n in sharing if not n.endswith(tuple(_EXTREMES.values()))]
        if not of and standard in _SYNONYMS:
            of = [_SYNONYMS[standard]]
        if len(of) != 1:
            return None, f"{standard} is {' or '.join(of)}" if of else standard or "unknown"
        (name,) = of
    method = re.search(r"time\s*:\s*(\w+)", str(values.attrs.get("cell_methods", "")))
    suffix = _EXTREMES.get(method[1], "") if method else ""
    if not suffix or name.endswith(suffix):
        return name, ""
    extreme = f"{name}{suffix}"
    return (extreme, "") if extreme in VARIABLES else (None, f"a {method[1]}" if method else "")


def _unfit(values: "xr.DataArray", name: str) -> str:
    """Say what keeps a variable from being the schema's; nothing if it fits."""
    if name not in VARIABLES:
        return ""
    if values.dtype.kind not in "iufb":
        return f"no numbers but {values.dtype}"
    extra = set(map(str, values.dims)) - set(_ORDER)
    if extra:
        return f"has the dimension {min(extra)}"
    axes = VARIABLES[name].axes
    if "time" in values.dims and "time" not in axes:
        return "changes with time"
    if "depth" in values.dims and "depth" not in axes:
        return "has a depth"
    if "depth" not in values.dims and axes == ("time", "depth") and "depth" not in values.coords:
        return "has no depth"
    return ""


def _as_rates(
    found: "xr.Dataset", wanted: Mapping[str, str], units: Mapping[str, str], where: str
) -> "xr.Dataset":
    """See that every variable has a unit, and make rates of what came in a step."""
    made = {}
    for label, name in wanted.items():
        values = found[label]
        here = f"{label} in {where}"
        unit = units.get(label, values.attrs.get("units"))
        if unit is None and VARIABLES[name].unit not in ("1", "m2 m-2"):
            raise InputError(f"{here} has no units; say units={{{label!r}: …}}")
        factor = 1.0
        if VARIABLES[name].unit in RATES and "time" in values.dims and unit in AMOUNTS:
            if _gap(found) > 1.5 * DAY:
                raise InputError(
                    f"{here} is in {unit} over more than a day; only daily amounts, or shorter, "
                    "become rates"
                )
            step = DAY if _is_daily(found) else step_of(found["time"].values, here)
            factor = rate(name, unit, step, here)
        attributes = values.attrs | ({"units": str(unit)} if unit is not None else {})
        if "depth" in values.coords and values["depth"].ndim == 0:
            values = values.expand_dims("depth") if "depth" in VARIABLES[name].axes else values
        made[label] = (values * factor if factor != 1.0 else values).assign_attrs(attributes)
    return found.drop_vars(list(made)).assign(made)


def _zone(found: "xr.Dataset") -> str:
    """Give the time zone a file says; UTC, as the conventions have it, where it says none."""
    said = [str(found.attrs.get("time_zone", ""))]
    said += [str(v.attrs.get("long_name", "")) for n, v in found.variables.items() if n == "time"]
    local = any("local standard time" in one.lower() for one in said)
    return "local standard time" if local else "UTC"


def _list(found: "xr.Dataset") -> str:
    return ", ".join(map(str, list(found.data_vars)[:12]))
