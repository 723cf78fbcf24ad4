"""Places with their weather, what is known of them, and what was measured there.

A view of a data set of the schema: choosing sites or days gives another view, and nothing is read
before it is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.splits import Part
from diffhydro.data.weather import SERIES, Weather
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing

if TYPE_CHECKING:
    import xarray as xr

_DERIVED = ("vapour_pressure", "daylight", "extraterrestrial", "pressure")


def open_sites(path: str | Path, attributes: str | Path | None = None) -> "Sites":
    """Open a NetCDF file or a zarr store of stations.

    Args:
        attributes: A table with a row for each site, joined by their names.
    """
    from diffhydro.data.readers.cf.reader import read_cf
    from diffhydro.data.readers.tables.attributes import read_attributes
    from diffhydro.data.readers.tables.join import join_attributes

    found = read_cf(Path(path))
    if attributes is not None:
        found = join_attributes(found, read_attributes(Path(attributes)))
    return Sites(found, Path(path).name)


@dataclass(frozen=True)
class Sites:
    """Sites and days of a data set.

    Args:
        source: Of the schema, with dimensions `site` and `time`.
        label: What messages call it.
    """

    source: "xr.Dataset"
    label: str = "the sites"

    def __post_init__(self) -> None:
        missing = [name for name in ("site", "time") if name not in self.source.dims]
        if missing:
            raise InputError(
                f"{self.label} has no dimension {' nor '.join(missing)}; it has "
                f"{', '.join(map(str, self.source.sizes))}"
            )

    def __len__(self) -> int:
        """Give the number of sites."""
        return self.source.sizes["site"]

    @cached_property
    def names(self) -> np.ndarray:
        """Give the sites' names."""
        return self.source["site"].values.astype(str)

    @property
    def times(self) -> np.ndarray:
        """Give the days."""
        return self.source["time"].values

    @property
    def latitude(self) -> np.ndarray:
        """Give degrees north."""
        return self._attribute("latitude")

    @property
    def longitude(self) -> np.ndarray:
        """Give degrees east."""
        return self._attribute("longitude")

    def choose(self, names: Iterable[str]) -> "Sites":
        """Keep some sites, in the order given."""
        wanted = [str(name) for name in names]
        place = {name: i for i, name in enumerate(self.names)}
        unknown = [name for name in wanted if name not in place]
        if unknown:
            near = get_close_matches(unknown[0], self.names, 3)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise InputError(
                f"{self.label} has no site {unknown[0]} ({len(unknown)} such names){hint}"
            )
        return replace(self, source=self.source.isel(site=[place[name] for name in wanted]))

    def where(self, is_chosen: np.ndarray) -> "Sites":
        """Keep the sites for which `is_chosen` is true."""
        if is_chosen.shape != (len(self),) or is_chosen.dtype != bool:
            raise InputError(
                f"expected {len(self)} truth values, got {is_chosen.dtype} of {is_chosen.shape}"
            )
        return replace(self, source=self.source.isel(site=np.flatnonzero(is_chosen)))

    def part(self, part: Part) -> "Sites":
        """Keep one side of a fold."""
        return replace(self, source=part.take(self.source))

    def between(self, first: str, last: str) -> "Sites":
        """Keep the days from `first` to `last`, both included."""
        chosen = self.source.sel(time=slice(first, last))
        if chosen.sizes["time"] == 0:
            raise InputError(
                f"{self.label} has no day from {first} to {last}; it runs from "
                f"{np.datetime_as_string(self.times[0], 'D')} to "
                f"{np.datetime_as_string(self.times[-1], 'D')}"
            )
        return replace(self, source=chosen)

    def site(self, name: str) -> "Site":
        """Give one site."""
        return Site(self.choose([name]))

    def has(self, name: str) -> bool:
        """Tell whether a series is there, or follows from what is."""
        return self._weather.has(name)

    def forcing(
        self, wanted: Sequence[str] | None = None, dtype: np.dtype | str = "float32"
    ) -> Forcing:
        """Read the weather `[site, time]`, checked.

        Args:
            wanted: Series, as a model's `needs` names them; all that are there when not given.
        """
        names = (*SERIES, *_DERIVED) if wanted is None else tuple(wanted)
        names = tuple(name for name in dict.fromkeys(names) if self.has(name))
        missing = sorted(set(wanted or ()) - set(names))
        if missing:
            raise InputError(f"{self.label} has no {', '.join(missing)}")
        return self._weather.block(slice(None), slice(None), names, np.dtype(dtype))

    def attributes(self, names: Sequence[str]) -> np.ndarray:
        """Give fixed numbers of every site `[site, feature]`."""
        return np.stack([self._attribute(name) for name in names], axis=1).astype(np.float32)

    def observed(self, name: str = "soil_moisture", depth: float | None = None) -> np.ndarray:
        """Read what was measured `[site, time]`, or `[site, time, depth]`; NaN where nothing was.

        Args:
            depth: mm; one of those that are there.
        """
        if name not in self.source:
            listed = ", ".join(map(str, self.source.data_vars))
            raise InputError(f"{self.label} has no {name}; it has {listed}")
        found = self.source[name]
        if depth is not None:
            found = found.isel(depth=self._depth(name, depth))
        return found.transpose("site", "time", ...).values

    def _depth(self, name: str, depth: float) -> int:
        if "depth" not in self.source[name].dims:
            raise InputError(f"{name} of {self.label} has no depths")
        depths = self.source["depth"].values
        at = np.flatnonzero(np.isclose(depths, depth))
        if not len(at):
            listed = ", ".join(f"{d:g}" for d in depths)
            raise InputError(f"{self.label} has no probe at {depth:g} mm; depths are {listed}")
        return int(at[0])

    @cached_property
    def _weather(self) -> Weather:
        return Weather(self.source, self.label)

    def _attribute(self, name: str) -> np.ndarray:
        found = self._weather.attribute(name)
        if found is None:
            fixed = [str(n) for n, x in self.source.variables.items() if x.dims == ("site",)]
            raise InputError(f"{self.label} has no {name}; known of a site: {', '.join(fixed)}")
        return found


@dataclass(frozen=True)
class Site:
    """One site."""

    of: Sites

    @property
    def name(self) -> str:
        """Give its name."""
        return str(self.of.names[0])

    @property
    def forcing(self) -> Forcing:
        """Read its weather `[time]`."""
        import jax

        return jax.tree.map(lambda x: x[0], self.of.forcing())

    @property
    def soil_moisture(self) -> np.ndarray:
        """Read its soil moisture `[time, depth]`."""
        return self.of.observed()[0]

    def attribute(self, name: str) -> Any:
        """Give a fixed number."""
        return self.of.attributes([name])[0, 0]
