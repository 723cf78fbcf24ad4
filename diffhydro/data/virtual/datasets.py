"""The virtual Earth as data sets of the schema, one for each instrument and product."""

from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro._version import __version__
from diffhydro.data.conform import attributes
from diffhydro.data.schema import VARIABLES
from diffhydro.data.virtual.ground import Mapped, Relief
from diffhydro.data.virtual.land_model import LAYERS
from diffhydro.data.virtual.places import Described
from diffhydro.data.virtual.satellite import Retrieved
from diffhydro.data.virtual.stations import Stations
from diffhydro.data.virtual.truth import DEPTHS, SKIN, Truth
from diffhydro.data.virtual.weather import Series

if TYPE_CHECKING:
    import xarray as xr

NOTICE = "VIRTUAL: invented by diffhydro for trying things out; no place on Earth was measured"
_FIXED = ("sand", "silt", "clay", "organic_matter", "land_cover", "climate", "is_wetland")
_OF_RELIEF = ("elevation", "slope", "aspect", "curvature")


def cells(names: np.ndarray, dates: np.ndarray, said: Series, places: Described) -> "xr.Dataset":
    """Give weather and maps of cells, as models see them."""
    series = {name: (("site", "time"), values) for name, values in said.items()}
    return _dataset({**series, **_maps(places.mapped, places.relief)}, names, dates, places, {})


def stations(
    where: Stations,
    dates: np.ndarray,
    said: Series,
    places: Described,
    moisture: np.ndarray,
    warmth: np.ndarray,
) -> "xr.Dataset":
    """Give stations: the weather of their cell, maps of their place, and what probes report."""
    series: dict[str, Any] = {name: (("site", "time"), x) for name, x in said.items()}
    series["soil_moisture"] = (("site", "time", "depth"), moisture)
    series["soil_temperature"] = (("site", "time", "depth"), warmth)
    variables = {**series, **_maps(places.mapped, places.relief)}
    found = _dataset(variables, where.names, dates, places, _depth(DEPTHS))
    return found.assign_coords(network=("site", where.networks))


def satellite(
    names: np.ndarray, dates: np.ndarray, seen: Retrieved, places: Described
) -> "xr.Dataset":
    """Give what the radiometer retrieved of cells."""
    variables = {
        "soil_moisture": (("site", "time", "depth"), seen.soil_moisture[..., None]),
        "vegetation_water": (("site", "time"), seen.vegetation_water),
        "frozen_share": (("site", "time"), seen.frozen_share),
        "uncertain": (("site", "time"), seen.uncertain),
    }
    return _dataset(variables, names, dates, places, _depth((SKIN,), layers=True))


def land_model(
    names: np.ndarray, dates: np.ndarray, theta: np.ndarray, places: Described
) -> "xr.Dataset":
    """Give the land-model product of cells."""
    variables = {"soil_moisture": (("site", "time", "depth"), theta)}
    return _dataset(variables, names, dates, places, _depth(LAYERS, layers=True))


def true_course(
    names: np.ndarray, dates: np.ndarray, course: Truth, places: Described
) -> "xr.Dataset":
    """Give what is true; for judging, never for training."""
    variables = {
        "soil_moisture": (("site", "time", "depth"), course.theta),
        "skin_moisture": (("site", "time"), course.skin),
        "evaporation": (("site", "time"), course.evapotranspiration),
        "runoff": (("site", "time"), course.runoff),
        "drainage": (("site", "time"), course.drainage),
        "snow_water": (("site", "time"), course.snow),
        "budget_residual": ("site", course.residual),
        "forced_steps": ("site", course.forced),
    }
    return _dataset(variables, names, dates, places, _depth(DEPTHS))


def cell_names(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Name cells by their middles."""
    rows = [f"{abs(x):05.2f}{'N' if x >= 0 else 'S'}" for x in latitude]
    columns = [f"{abs(x):06.2f}{'E' if x >= 0 else 'W'}" for x in longitude]
    return np.array([row + column for row, column in zip(rows, columns, strict=True)])


def _maps(said: Mapped, relief: Relief) -> dict[str, Any]:
    maps = {name: ("site", np.asarray(getattr(said, name), np.float32)) for name in _FIXED}
    return maps | {
        name: ("site", np.asarray(getattr(relief, name), np.float32)) for name in _OF_RELIEF
    }


def _depth(values: tuple[float, ...], *, layers: bool = False) -> dict[str, Any]:
    depths = np.array(values)
    told = {"units": "mm", "positive": "down"}
    if not layers:
        return {"depth": ("depth", depths, told)}
    bottom = np.cumsum(depths)
    top = bottom - depths
    return {
        "depth": ("depth", 0.5 * (top + bottom), told),
        "top": ("depth", top, told),
        "bottom": ("depth", bottom, told),
    }


def _dataset(
    variables: dict[str, Any],
    names: np.ndarray,
    dates: np.ndarray,
    places: Described,
    depth: dict[str, Any],
) -> "xr.Dataset":
    import xarray as xr

    made = {}
    for name, (dimensions, values) in variables.items():
        told = attributes(VARIABLES[name]) if name in VARIABLES else {"units": _OTHERS[name]}
        made[name] = (dimensions, np.asarray(values, np.float32), told)
    coordinates = {
        "site": names.astype(str),
        "time": dates.astype("datetime64[ns]"),
        "latitude": ("site", places.latitude, {"units": "degrees_north"}),
        "longitude": ("site", places.longitude, {"units": "degrees_east"}),
        **depth,
    }
    return xr.Dataset(made, coordinates, said_of())


def said_of() -> dict[str, str]:
    """Give what every file of a virtual Earth says of itself."""
    return {
        "Conventions": "CF-1.8",
        "title": NOTICE,
        "product": "virtual Earth",
        "history": f"made by diffhydro {__version__}",
        "time_zone": "UTC",
    }


_OTHERS = {
    "uncertain": "1",
    "skin_moisture": "m3 m-3",
    "drainage": "mm day-1",
    "budget_residual": "mm",
    "forced_steps": "1",
}
