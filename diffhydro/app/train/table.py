"""The data of a training: weather without gaps, what probes saw, what is known of each place."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from diffhydro.app.config import DataConfig
from diffhydro.app.fitting import read_sites
from diffhydro.app.land_setup import Setup, set_up
from diffhydro.app.train.config import WINDOWED, WITH_PHYSICS, ModelConfig
from diffhydro.coupling import Inputs, Prescribed, feed
from diffhydro.coupling.fluxes import WATER
from diffhydro.data.gaps import Chain, Climatology, Linear
from diffhydro.data.sites import Sites
from diffhydro.data.weather import Weather
from diffhydro.errors import InputError
from diffhydro.land.model import AbstractModel

if TYPE_CHECKING:
    import xarray as xr

OBSERVED = "soil_moisture"
PAST = "past_moisture"  # observations whose gaps are filled, for models that look back
SHORT = 30.0  # days that a line bridges in it
DTYPE = np.dtype(np.float32)


@dataclass(frozen=True)
class Table:
    """All that models and their judges read.

    Args:
        data: Series `[site, time]` and attributes `[site]`, by name.
        series: That models are driven by.
        attributes: That models read; those of `prescribed` among them.
        physics: Of which `prescribed` differs between the sites.
        notes: What was done for the user.
    """

    data: "xr.Dataset"
    series: tuple[str, ...]
    attributes: tuple[str, ...]
    physics: AbstractModel | None
    prescribed: tuple[str, ...]
    notes: list[str]

    @property
    def observed(self) -> "xr.DataArray":
        """What the probes saw."""
        return self.data[OBSERVED]

    def inputs(self, sites: np.ndarray) -> Inputs:
        """Give what drives a model at some sites, by number."""
        here = self.data.isel(site=sites)
        return Inputs(
            {name: jax.numpy.asarray(here[name].values) for name in self.series},
            {name: jax.numpy.asarray(here[name].values) for name in self.attributes},
        )


def read_table(
    model: ModelConfig, data: DataConfig, depth: float, folder: Path, *, is_scored: bool = True
) -> Table:
    """Read all sites; paths count from `folder`.

    Args:
        is_scored: Whether there have to be observations; a mere prediction needs none.
    """
    sites, notes = read_sites(data, folder)
    sites, observed, more = _observed(sites, depth, is_scored or model.coupling in WINDOWED)
    weather = Weather(sites.source, sites.label)
    has_physics = model.coupling in WITH_PHYSICS
    setup = set_up(model.physics, weather, model.parameters, DTYPE) if has_physics else None
    series = _series(model, weather, setup)
    fixed = {name: _attribute(weather, name) for name in model.attributes}
    prescribed = {} if setup is None else {p: x.astype(DTYPE) for p, x in setup.numbers.items()}
    if model.coupling in WINDOWED:
        series[PAST] = _without_gaps(observed, sites.times)
    found = _dataset(sites, series, fixed | prescribed, observed)
    table = Table(
        found,
        tuple(series),
        (*fixed, *(name for name in prescribed if name not in fixed)),
        None if setup is None else setup.base,
        tuple(prescribed),
        [*notes, *more, *([] if setup is None else setup.notes)],
    )
    return _fed(table) if model.coupling == "fed" else table


def known_physics(table: Table) -> Any:
    """Give the physics with what is known of the soil of each site."""
    assert table.physics is not None
    if not table.prescribed:
        return table.physics
    return Prescribed(table.physics, {path: path for path in table.prescribed})


def _observed(sites: Sites, depth: float, needed: bool) -> tuple[Sites, np.ndarray, list[str]]:
    """Give what probes saw at a depth, and the sites where they saw something."""
    if not needed and OBSERVED not in sites.source:
        return sites, np.full((len(sites), len(sites.times)), np.nan, DTYPE), []
    has_depths = "depth" in sites.source[OBSERVED].dims if OBSERVED in sites.source else False
    observed = sites.observed(OBSERVED, depth if has_depths else None).astype(DTYPE)
    there = np.asarray(np.isfinite(observed).any(axis=1))
    if not needed or there.all():
        return sites, observed, []
    if not there.any():
        raise InputError(f"{sites.label} has no soil moisture at {depth:g} mm at any site")
    note = f"left out, without soil moisture at {depth:g} mm: {', '.join(sites.names[~there])}"
    return sites.where(there), observed[there], [note]


def _series(model: ModelConfig, weather: Weather, setup: Setup | None) -> dict[str, np.ndarray]:
    """Read the weather that a physics and a head need."""
    from diffhydro.land.forcing import RANGES

    of_physics = () if setup is None else setup.series
    wanted = tuple(dict.fromkeys((*of_physics, *model.series)))
    known = tuple(name for name in wanted if weather.has(name))
    missing = [name for name in wanted if name not in known]
    if missing:
        there = [name for name in RANGES if weather.has(name)]
        raise InputError(
            f"{weather.name} has no {', '.join(missing)}, which model.series or its physics reads; "
            f"it has {', '.join(there)}"
        )
    everything = slice(None)
    block = weather.block(everything, everything, ("precipitation", *known), DTYPE)
    return {name: np.asarray(getattr(block, name)) for name in known}


def _attribute(weather: Weather, name: str) -> np.ndarray:
    found = weather.attribute(name)
    if found is None:
        known = [str(n) for n, x in weather.source.variables.items() if x.dims == ("site",)]
        raise InputError(
            f"model.attributes: {weather.name} has no {name}; known of a site: {', '.join(known)}"
        )
    if not np.isfinite(found).all():
        site = weather.sites[np.flatnonzero(~np.isfinite(found))[0]]
        raise InputError(f"model.attributes: {name} is missing at site {site}")
    return found.astype(DTYPE)


def _without_gaps(observed: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Fill observations by lines, by the usual course of the year, and by the mean of the site."""
    filled = Chain((Linear(SHORT), Climatology())).fill(observed, times).values
    means = np.nanmean(observed, axis=1, keepdims=True)
    return np.where(np.isfinite(filled), filled, means).astype(DTYPE)


def _dataset(
    sites: Sites,
    series: dict[str, np.ndarray],
    fixed: dict[str, np.ndarray],
    observed: np.ndarray,
) -> "xr.Dataset":
    import xarray as xr

    held: dict[str, Any] = {name: (("site", "time"), x) for name, x in series.items()}
    held[OBSERVED] = ("site", "time"), observed, {"units": "m3 m-3"}
    held |= {name: ("site", np.asarray(x)) for name, x in fixed.items()}
    kept = [n for n in ("latitude", "longitude") if n in sites.source]
    held |= {name: ("site", sites.source[name].values) for name in kept if name not in held}
    return xr.Dataset(held, {"site": sites.names, "time": sites.times})


def _fed(table: Table) -> Table:
    """Run the physics once, and put its fluxes beside the weather."""
    import xarray as xr

    everywhere = table.inputs(np.arange(table.data.sizes["site"]))
    fluxes = feed(known_physics(table), everywhere, WATER).series
    more = {n: xr.DataArray(np.asarray(fluxes[n]), dims=("site", "time")) for n in WATER}
    return Table(
        table.data.assign(more),
        (*table.series, *WATER),
        table.attributes,
        table.physics,
        table.prescribed,
        table.notes,
    )
