"""Weather from a NetCDF file or a zarr store: opened lazily, read and checked a block at a time.

What a file does not say and others imply is derived: vapour pressure from relative humidity,
daylight and the radiation above the air from latitude, air pressure from elevation.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.readers.heaps import check_heaps
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError
from diffhydro.land import air, sun
from diffhydro.land.forcing import RANGES, Forcing

if TYPE_CHECKING:
    import xarray as xr

SERIES = (
    "precipitation",
    "potential_evaporation",
    "transpiration",
    "temperature",
    "temperature_max",
    "temperature_min",
    "shortwave",
    "vapour_pressure",
    "leaf_area",
    "wind",
)
_DAY = np.timedelta64(1, "D")


def open_weather(path: Path) -> "Weather":
    """Open a file without reading its series."""
    import xarray as xr

    try:
        if path.is_dir():
            consolidated = (path / ".zmetadata").is_file()
            found = xr.open_zarr(path, chunks=None, consolidated=consolidated)
        elif path.is_file():
            check_heaps(path)
            found = xr.open_dataset(path, engine="h5netcdf", chunks=None)
        else:
            raise InputError(f"no weather at {path}: expected a NetCDF file or a zarr store")
    except ImportError as error:
        raise InputError(
            f"reading {path.name} needs {error.name}; install diffhydro-jax[data]"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is neither NetCDF-4 nor zarr: {error}") from error
    return Weather(found, str(path))


@dataclass(frozen=True)
class Weather:
    """Daily series of many sites; axes `site` and `time`."""

    source: "xr.Dataset"
    name: str

    def __post_init__(self) -> None:
        if "time" not in self.source.dims:
            raise InputError(f"{self.name} has no dimension time; it has {_listed(self.source)}")
        _check_time(self.times, self.name)
        self.site_dimension  # noqa: B018

    @cached_property
    def times(self) -> np.ndarray:
        """Give the days, as datetime64."""
        return self.source["time"].values

    @cached_property
    def site_dimension(self) -> str:
        """Give the name of the one dimension beside time that rain has."""
        rain = self._find("precipitation")
        if rain is None:
            raise InputError(
                f"{self.name} has no precipitation (nor pr, prcp); it has {_listed(self.source)}"
            )
        others = [str(d) for d in rain.dims if d != "time"]
        if len(others) != 1:
            raise InputError(
                f"precipitation in {self.name} has the dimensions "
                f"{', '.join(map(str, rain.dims))}; "
                'expected time and one more: stack a map first, ds.stack(site=("lat", "lon"))'
            )
        return others[0]

    @cached_property
    def sites(self) -> np.ndarray:
        """Give the sites' names, or numbers."""
        name = self.site_dimension
        if name in self.source.coords:
            return np.asarray(self.source[name].values)
        return np.arange(self.source.sizes[name])

    def attribute(self, name: str) -> np.ndarray | None:
        """Give a number per site, by the package's name or the file's; None if it is not there."""
        found = self._find(name)
        if found is None:
            return None
        if "depth" in found.dims and f"{name}_profile" in self.source:
            found = self.source[f"{name}_profile"]  # a table's mean over the profile
        if "depth" in found.dims:
            raise InputError(
                f"{found.name} in {self.name} differs with depth; a site needs one number: choose "
                "a depth, or add a mean over the profile"
            )
        if "time" in found.dims:
            raise InputError(f"{found.name} in {self.name} changes with time; a site needs one")
        values = np.broadcast_to(self._converted(name, found), (len(self.sites),))
        if name in VARIABLES and not np.isfinite(values).all():
            site = self.sites[np.flatnonzero(~np.isfinite(values))[0]]
            raise InputError(f"{found.name} in {self.name} is missing at site {site}")
        return values

    def has(self, name: str) -> bool:
        """Tell whether a series is in the file or follows from what is."""
        if self._find(name) is not None:
            return True
        if name in ("daylight", "extraterrestrial"):
            return self._find("latitude") is not None
        if name == "pressure":
            return self._find("elevation") is not None
        humid = name == "vapour_pressure" and self._find("temperature") is not None
        return humid and self._find("relative_humidity") is not None

    def block(
        self, sites: slice, times: slice, wanted: tuple[str, ...], dtype: np.dtype
    ) -> Forcing:
        """Read and check some sites and days."""
        series: dict[str, Any] = {}
        for name in wanted:
            if name in SERIES and self._find(name) is not None:
                series[name] = self._read(name, sites, times)
        if "vapour_pressure" in wanted and "vapour_pressure" not in series:
            series["vapour_pressure"] = self._vapour(sites, times)
        series = {name: x for name, x in series.items() if x is not None}
        shape = series["precipitation"].shape
        series |= self._sky(wanted, sites, times, shape)
        typed: dict[str, Any] = {name: np.asarray(x, dtype) for name, x in series.items()}
        return Forcing(**typed)

    def _vapour(self, sites: slice, times: slice) -> np.ndarray | None:
        if self._find("relative_humidity") is None or self._find("temperature") is None:
            return None
        warmth = self._read("temperature", sites, times)
        humidity = self._read("relative_humidity", sites, times)
        return humidity * air.saturation(warmth)

    def _sky(
        self, wanted: tuple[str, ...], sites: slice, times: slice, shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        made = {}
        days = self.source["time"].dt.dayofyear.values[times]
        latitude, elevation = self.attribute("latitude"), self.attribute("elevation")
        for name, law in (("daylight", sun.daylight), ("extraterrestrial", sun.extraterrestrial)):
            if name not in wanted:
                continue
            if latitude is not None:
                made[name] = law(latitude[sites, None], days)
            elif name == "extraterrestrial":
                raise InputError(f"{self.name} has no latitude, which {name} radiation needs")
        if "pressure" in wanted and elevation is not None:
            level = air.pressure(elevation[sites, None])
            made["pressure"] = np.broadcast_to(level, shape)
        return made

    def _read(self, name: str, sites: slice, times: slice) -> np.ndarray:
        found = self._find(name)
        assert found is not None
        site = self.site_dimension
        if set(found.dims) != {site, "time"}:
            raise InputError(
                f"{found.name} in {self.name} has the dimensions "
                f"{', '.join(map(str, found.dims))}; expected {site} and time"
            )
        part = found.isel({site: sites, "time": times}).transpose(site, "time")
        values = self._converted(name, part)
        self._check(name, str(found.name), values, sites, times)
        return values

    def _check(self, name: str, label: str, values: np.ndarray, sites: slice, times: slice) -> None:
        allowed = RANGES.get(name)
        problems = [("missing", ~np.isfinite(values), "fill the gaps first")]
        if allowed is not None:
            outside = (values < allowed.least) | (values > allowed.most)
            what = f"outside {allowed.least:g} … {allowed.most:g}"
            if allowed.least == 0:
                problems.append(("negative", values < 0, allowed.advice))
            problems.append((what, outside, allowed.advice))
        for what, bad, advice in problems:
            if bad.any():
                site, day = (int(i) for i in np.argwhere(bad)[0])
                when = np.datetime_as_string(self.times[times][day], unit="D")
                raise InputError(
                    f"{label} in {self.name} is {what} at {int(bad.sum())} of {bad.size} "
                    f"site-days (first: site {self.sites[sites][site]}, {when}, "
                    f"{values[site, day]:g}); {advice}"
                )

    def _find(self, name: str) -> "xr.DataArray | None":
        aliases = VARIABLES[name].aliases if name in VARIABLES else ()
        for candidate in (name, *aliases):
            if candidate in self.source:
                return self.source[candidate]
        return None

    def _converted(self, name: str, found: "xr.DataArray") -> np.ndarray:
        values = np.asarray(found.values, np.float64)
        if name not in VARIABLES:
            return values
        where = f"{found.name} in {self.name}"
        factor, offset = VARIABLES[name].conversion(found.attrs.get("units"), where)
        return values * factor + offset


def _check_time(times: np.ndarray, name: str) -> None:
    if len(times) == 0:
        raise InputError(f"{name} has no days")
    if not np.issubdtype(times.dtype, np.datetime64):
        raise InputError(f"time in {name} is {times.dtype}; expected dates of the usual calendar")
    steps = np.diff(times)
    for bad, what in (
        (steps < np.timedelta64(0), "goes back"),
        (steps == np.timedelta64(0), "is there twice"),
        (steps < _DAY, "is not daily"),
        (steps > _DAY, "has a gap"),
    ):
        if bad.any():
            where = int(np.flatnonzero(bad)[0])
            days = [np.datetime_as_string(t, unit="D") for t in times[where : where + 2]]
            raise InputError(
                f"time in {name} {what} at {days[1]}, after {days[0]} ({int(bad.sum())} such "
                "places); models of land need every day once, in order"
            )


def _listed(source: "xr.Dataset") -> str:
    return ", ".join([*map(str, source.sizes), *map(str, source.data_vars)])
