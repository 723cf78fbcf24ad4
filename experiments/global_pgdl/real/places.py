"""Step 1: stations with what is known of them everywhere: weather, and attributes from maps."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.complete import complete
from diffhydro.data.recent import with_recent
from diffhydro.data.sites import open_sites
from diffhydro.data.start_windows import StartWindows
from diffhydro.errors import InputError
from diffhydro.land.air import saturation
from experiments.global_pgdl.real.settings import Start

if TYPE_CHECKING:
    import xarray as xr

FORCING = ("precipitation", "temperature", "shortwave", "vapour_pressure", "leaf_area")
DEFICIT = "vapour_pressure_deficit"
# Days that memories of the weather last: a storm, a week, a month, a season.
MEMORIES = {
    "precipitation": (3, 10, 30, 90),
    DEFICIT: (30,),
    "temperature": (30,),
    "shortwave": (30,),
}
RECENT = tuple(f"{name}_{days}" for name, many in MEMORIES.items() for days in many)
SEASON = ("season_sin", "season_cos")
WEATHER = ("precipitation", "temperature", "shortwave", DEFICIT, "leaf_area", *SEASON, *RECENT)
ALONG = (*RECENT, "temperature", "shortwave", DEFICIT)  # told of start windows
TEXTURE = ("sand", "silt", "clay")
OBSERVED = "soil_moisture"
_DAYS = 365.25


def places(
    data: Path, attributes: Path | None, depth: float, spin_up: int, first: str, last: str
) -> "xr.Dataset":
    """Read stations: `spin_up` days before the first day, weather without gaps, one depth.

    Texture is that of a map where the table has one (`sand_nldas` …): cores exist at some sites
    only, and a model for sites without must not learn from better numbers than it will be given.
    """
    sites = open_sites(data, attributes)
    seen = sites.observed(OBSERVED, depth).astype(np.float32)
    made, _ = complete(sites.source.load())
    made = made[[name for name in FORCING if name in made]].assign(_texture(made))
    made[OBSERVED] = ("site", "time"), seen, {"units": "m3 m-3", "long_name": "soil moisture"}
    made = made.sel(time=slice(first, last))
    if made.sizes["time"] < max(spin_up, 1):
        raise InputError(
            f"{data} has {made.sizes['time']} days from {first} to {last}; {spin_up} of them are "
            "to be run once more at the start"
        )
    lacking = [name for name in FORCING if name not in made]
    if lacking:
        raise InputError(f"{data} has no {', '.join(lacking)}; the study needs them")
    deficit = saturation(made["temperature"].values) - made["vapour_pressure"].values
    made[DEFICIT] = ("site", "time"), np.maximum(deficit, 0.0).astype(np.float32)
    longer = _with_spin_up(made, spin_up)
    return with_recent(longer.assign(_season(longer)), MEMORIES)


def with_start(sites: "xr.Dataset", start: Start) -> tuple["xr.Dataset", tuple[str, ...]]:
    """Keep the stations that have a start window, and name the others.

    One dead probe must not keep a model from the rest of a network.
    """
    windows = StartWindows(OBSERVED, (), start.days, start.least)
    has = windows.possible(sites).any(axis=1)
    if not has.any():
        raise InputError(
            f"no station has {start.days} days with {start.least} values of {OBSERVED}; give other "
            "data, or ask for less (stations.start.days, stations.start.least)"
        )
    return sites.isel(site=has), tuple(map(str, sites["site"].values[~has]))


def _texture(sites: "xr.Dataset") -> dict[str, "xr.DataArray"]:
    found = {}
    for name in TEXTURE:
        mapped = f"{name}_nldas" if f"{name}_nldas" in sites else name
        known = mapped in sites and sites[mapped].notnull().values
        if not np.all(known):
            where = "at all" if mapped not in sites else f"at {sites['site'].values[~known][0]}"
            raise InputError(f"{name} is not known {where}; give a table with {name}_nldas")
        found[name] = sites[mapped].astype("float32")
    return found


def _season(sites: "xr.Dataset") -> dict[str, tuple[tuple[str, str], np.ndarray]]:
    days = sites["time"].values.astype("datetime64[D]")
    day = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(float)
    shape = sites.sizes["site"], sites.sizes["time"]
    angle = 2.0 * np.pi * day / _DAYS
    waves = (np.sin(angle), np.cos(angle))
    return {
        name: (("site", "time"), np.broadcast_to(x, shape).astype(np.float32))
        for name, x in zip(SEASON, waves, strict=True)
    }


def _with_spin_up(sites: "xr.Dataset", days: int) -> "xr.Dataset":
    """Put the first days before themselves, without what was observed on them."""
    import xarray as xr

    first = sites.isel(time=slice(days))
    first = first.assign_coords(time=first["time"] - np.timedelta64(days, "D"))
    first[OBSERVED] = xr.full_like(first[OBSERVED], np.nan)
    return xr.concat([first, sites], "time", data_vars="minimal")
