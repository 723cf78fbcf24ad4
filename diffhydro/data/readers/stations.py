"""Stations side by side: series of unequal times and depths become one data set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_DAY = np.timedelta64(1, "D")
_FIRST, _LAST = np.datetime64("1800-01-01"), np.datetime64("2200-01-01")


@dataclass(frozen=True)
class Series:
    """One variable of one probe.

    Args:
        name: The file's name of the variable.
        times: Increasing, each once, whole steps.
        depth: Of the probe, or of the middle of its layer, mm; None for what has no depth.
    """

    name: str
    times: np.ndarray
    values: np.ndarray
    depth: float | None = None


@dataclass(frozen=True)
class Station:
    """A place and what was measured there.

    Args:
        attributes: Numbers and words of the place; become coordinates along `site`.
    """

    name: str
    series: Sequence[Series]
    attributes: Mapping[str, Any] = field(default_factory=dict)


def side_by_side(stations: Iterable[Station], step: np.timedelta64 = _DAY) -> "xr.Dataset":
    """Put stations on one time axis without gaps; what a station lacks is missing.

    Probes of one variable that share a depth and a time are averaged over those that work.
    """
    import xarray as xr

    stations = list(stations)
    every = [one for station in stations for one in station.series if len(one.times)]
    if not every:
        raise InputError("no station has a single record")
    _check_names(stations)
    start, end = min(one.times[0] for one in every), max(one.times[-1] for one in every)
    if start < _FIRST or end > _LAST:
        raise InputError(f"records from {start} to {end}; expected dates after 1800, before 2200")
    start, end = start.astype("datetime64[ns]"), end.astype("datetime64[ns]")
    length = int((end - start) // step) + 1
    depths = sorted({one.depth for one in every if one.depth is not None})
    shape = (len(stations), length)
    variables: dict[str, Any] = {}
    for name in dict.fromkeys(one.name for one in every):
        deep = {one.depth is not None for one in every if one.name == name}
        if len(deep) > 1:
            raise InputError(f"{name} has a depth in some series and none in others")
        (deep,) = deep
        full = (*shape, len(depths)) if deep else shape
        total, count = np.zeros(full, np.float64), np.zeros(full, np.int16)
        for i, station in enumerate(stations):
            for one in station.series:
                if one.name == name:
                    at = ((one.times - start) // step).astype(np.int64)
                    where = (i, at) if one.depth is None else (i, at, depths.index(one.depth))
                    there = np.isfinite(one.values)
                    total[where] += np.where(there, one.values, 0.0)
                    count[where] += there
        values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        variables[name] = (("site", "time", "depth") if deep else ("site", "time"), values)
    coordinates: dict[str, Any] = {
        "site": [station.name for station in stations],
        "time": start + step * np.arange(length),
        **_of_sites(stations),
    }
    if depths:
        coordinates["depth"] = ("depth", np.array(depths), {"units": "mm", "positive": "down"})
    return xr.Dataset(variables, coordinates)


def _of_sites(stations: Sequence[Station]) -> dict[str, Any]:
    made = {}
    for name in dict.fromkeys(name for station in stations for name in station.attributes):
        values = [station.attributes.get(name) for station in stations]
        if any(isinstance(value, str) for value in values):
            made[name] = ("site", np.array(["" if v is None else str(v) for v in values]))
        else:
            numbers = [np.nan if v is None else float(v) for v in values]
            made[name] = ("site", np.array(numbers))
    return made


def _check_names(stations: Sequence[Station]) -> None:
    seen: set[str] = set()
    for station in stations:
        if station.name in seen:
            raise InputError(f"two stations are called {station.name}; a site needs one name")
        seen.add(station.name)
