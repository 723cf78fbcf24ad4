"""What a simulation writes: variables and coordinates by the CF conventions, states and totals."""

from typing import Any

import numpy as np

from diffhydro._version import __version__
from diffhydro.app.results import Field
from diffhydro.core.states import named
from diffhydro.data.weather import Weather
from diffhydro.land.budget import Budget, budget
from diffhydro.land.trajectory import Trajectory

SURFACE = 100.0  # mm
_OUT = ("evaporation", "transpiration", "interception", "sublimation", "runoff", "drainage")
_FLUXES = {
    "precipitation": "precipitation",
    "infiltration": "water into the soil, less what evaporates there",
    "runoff": "runoff",
    "evaporation": "evaporation from soil",
    "transpiration": "transpiration",
    "drainage": "drainage at the foot",
    "interception": "evaporation of intercepted rain",
    "sublimation": "sublimation of snow",
    "melt": "melt of snow",
}


def fields(run: Trajectory, weather: Weather) -> dict[str, tuple[Field, np.ndarray]]:
    """Give what is written of a chunk."""
    site = weather.site_dimension
    fields = {}

    def add(name: str, values: Any, dimensions: tuple[str, ...], **attributes: str) -> None:
        shape = (len(weather.sites), *values.shape[1:])
        fields[name] = Field((site, *dimensions), shape, attributes), np.asarray(values)

    for name, meaning in _FLUXES.items():
        values = getattr(run.fluxes, name)
        if values is not None:
            add(name, values, ("time",), units="mm", long_name=meaning, cell_methods="time: sum")
    if run.effort is not None:
        add(
            "forced_steps", run.effort.forced, ("time",),
            units="1", long_name="solver steps that did not converge",
        )  # fmt: skip
    if run.profile is not None:
        water = {"units": "m3 m-3", "cell_methods": "time: point"}
        standard = "volume_fraction_of_condensed_water_in_soil"
        add("theta", run.theta, ("time", "layer"), standard_name=standard, **water)
        surface = _surface(run)
        meaning = f"soil moisture of the top {SURFACE:.0f} mm"
        add("surface_soil_moisture", surface, ("time",), long_name=meaning, **water)
        add(
            "layer_thickness",
            run.profile.grid.thickness,
            ("layer",),
            units="mm",
            long_name="layer thickness",
        )
    return fields


def _surface(run: Trajectory) -> np.ndarray:
    """Give the mean water content of the top, added up in one order for runs of any length."""
    assert run.profile is not None
    foot = np.cumsum(run.profile.grid.thickness, axis=-1, dtype=np.float64)
    inside = np.diff(np.minimum(foot, SURFACE), axis=-1, prepend=0.0) / SURFACE
    total = np.zeros(run.theta.shape[:-1])
    for layer in range(inside.shape[-1]):
        total += inside[:, None, layer] * np.asarray(run.theta)[..., layer]
    return total.astype(run.theta.dtype)


def rest(run: Trajectory) -> dict[str, np.ndarray]:
    """Give what is kept of a chunk beside its results: the final state and the totals."""
    books = budget(run)
    totals = {f"total:{name}": np.asarray(x) for name, x in _terms(books).items()}
    states = {f"state:{name}": x for name, x in named(run.final).items()}
    return totals | states | {"total:residual": np.asarray(books.residual)}


def _terms(books: Budget) -> dict[str, Any]:
    names = ("precipitation", *(name for name in _OUT if getattr(books, name) is not None))
    moved = {name: getattr(books, name) for name in names}
    return moved | {f"change of {name}": x for name, x in books.storage_change.items()}


def coordinates(weather: Weather) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
    """Give time, sites and latitude: dimension, values and attributes of each."""
    days = (weather.times - weather.times[0]).astype("timedelta64[D]").astype(np.int64)
    since = np.datetime_as_string(weather.times[0], unit="D")
    time = {"units": f"days since {since}", "calendar": "standard", "standard_name": "time"}
    site = weather.site_dimension
    found = {"time": ("time", days, time)}
    if np.issubdtype(weather.sites.dtype, np.number):
        found[site] = (site, weather.sites, {})
    else:
        names = np.array([str(name) for name in weather.sites], dtype=object)
        found[site] = (site, names, {"cf_role": "timeseries_id"})
    latitude = weather.attribute("latitude")
    if latitude is not None:
        units = {"units": "degrees_north", "standard_name": "latitude"}
        found["latitude"] = (site, latitude, units)
    return found


def attributes(model: str) -> dict[str, str]:
    """Give what is said of the whole."""
    source = f"diffhydro {__version__}, model {model}"
    return {"Conventions": "CF-1.11", "source": source, "featureType": "timeSeries"}
