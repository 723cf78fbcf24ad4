"""Places as the models see them: weather and maps as arrays, and what was measured."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import numpy as np

from diffhydro.coupling import Inputs
from diffhydro.data.sites import Sites

if TYPE_CHECKING:
    import xarray as xr

# The ten drivers of the sheet, P(t).
WEATHER = ("precipitation", "shortwave", "temperature", "vapour_pressure", "leaf_area")
STATIC = ("elevation", "sand", "silt", "clay", "is_wetland")
PAST = "soil_moisture"
OFFSET = "offset"  # observed less simulated by PB, in the start window


@dataclass(frozen=True, eq=False)
class Places:
    """Cells, or the inputs of stations.

    Args:
        inputs: Series `[site, time]` and attributes `[site]`.
        first: The first day that counts; the days before are spin-up.
    """

    names: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    times: np.ndarray
    inputs: Inputs
    first: int

    @classmethod
    def of(cls, dataset: "xr.Dataset", first: str) -> "Places":
        """Read the drivers of a data set."""
        sites = Sites(dataset)
        weather = sites.forcing((*WEATHER, "daylight"))
        series = {name: np.asarray(getattr(weather, name)) for name in (*WEATHER, "daylight")}
        known = dict(zip(STATIC, sites.attributes(STATIC).T, strict=True))
        start = int(np.searchsorted(sites.times, np.datetime64(first)))
        where = sites.names, sites.latitude, sites.longitude, sites.times
        return cls(*where, Inputs(series, known), start)

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> "Places":
        """Keep some, in the order given."""
        inputs = jax.tree.map(lambda x: x[rows], self.inputs)
        where = self.names[rows], self.latitude[rows], self.longitude[rows]
        return Places(*where, self.times, inputs, self.first)


@dataclass(frozen=True, eq=False)
class Stations:
    """Stations that are kept.

    Args:
        places: With the weather of their cells.
        told: The same with perturbed copies where sites share a cell; for training only.
        observed: `[site, time]`, NaN where there is nothing; what is scored.
        labels: The same without noise (Kalman); what is learned from.
        past: The labels without gaps; what a window of the past holds.
    """

    places: Places
    told: Places
    observed: np.ndarray
    labels: np.ndarray
    past: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def take(self, rows: np.ndarray) -> "Stations":
        """Keep some, in the order given."""
        series = (x[rows] for x in (self.observed, self.labels, self.past))
        return Stations(self.places.take(rows), self.told.take(rows), *series)


def series(values: np.ndarray, names: np.ndarray, times: np.ndarray) -> "xr.DataArray":
    """Name the axes of `[site, time]`."""
    import xarray as xr

    return xr.DataArray(
        values, {"site": names, "time": times}, ("site", "time"), attrs={"units": "m3 m-3"}
    )
