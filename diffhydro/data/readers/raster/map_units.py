"""Soil of map units, from the tables of gNATSGO and SSURGO.

A map unit is a mixture of components, a component a column of horizons:

    mapunit (mukey) → component (cokey, mukey, comppct_r) → chorizon (cokey, hzdept_r, hzdepb_r, …)

A layer of a component is the mean of its horizons, weighted by how much of the layer each fills;
a layer of a map unit the mean of its components, weighted by their share. Both weights count only
what has data, and are brought to 1 by it. Means are arithmetic, of the conductivity too. Available
water is what the horizons hold in the layer; below the last one there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.raster.layers import Depth, depth_coordinates
from diffhydro.data.readers.raster.survey import Table, table, table_file
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "tables of gNATSGO"
DEPTHS: tuple[Depth, ...] = (
    (0.0, 50.0),
    (50.0, 150.0),
    (150.0, 300.0),
    (300.0, 600.0),
    (600.0, 1000.0),
    (1000.0, 2000.0),
)  # mm, as POLARIS has them
SOURCES = {
    "sandtotal_r": Source("sand", "%"),
    "silttotal_r": Source("silt", "%"),
    "claytotal_r": Source("clay", "%"),
    "om_r": Source("organic_matter", "%"),
    "dbthirdbar_r": Source("bulk_density", "g cm-3"),
    "ksat_r": Source("k_sat", "um s-1"),
    "wthirdbar_r": Source("field_capacity", "%"),
    "wfifteenbar_r": Source("wilting_point", "%"),
    "wsatiated_r": Source("theta_s", "%"),
}
_WATER = "awc_r"  # cm of water in a cm of soil
_EDGES = ("hzdept_r", "hzdepb_r")
_MM = 10.0  # in a cm


def read_map_units(
    folder: Path, *, depths: Sequence[Depth] = DEPTHS, major_only: bool = False
) -> "xr.Dataset":
    """Read soil by layers over `map_unit`, from `mapunit.csv`, `component.csv`, `chorizon.csv`.

    Args:
        folder: With the three tables, exported with their column names.
        depths: Tops and bottoms of the layers, mm.
        major_only: Whether to leave out components that the survey does not call major.
    """
    import xarray as xr

    _check_depths(depths)
    files = tuple(table_file(folder, name) for name in ("mapunit", "component", "chorizon"))
    keys = _sorted_keys(files[0])
    components = table(files[1], ("cokey", "mukey", "comppct_r"), ("majcompflag",))
    horizons = table(files[2], ("cokey", *_EDGES), (*SOURCES, _WATER))
    unit_of, share = _components(files[1], components, keys, major_only)
    column_of, inside = _matched(components["cokey"], horizons["cokey"])
    horizons, column_of = {n: c[inside] for n, c in horizons.items()}, column_of[inside]
    mixture = _Mixture(unit_of, share, column_of, keys.size)
    layers = _layers(mixture, horizons, _thickness(horizons, depths))
    found = xr.Dataset(
        {name: (("map_unit", "depth"), values) for name, values in layers.items()},
        {"map_unit": keys.astype(np.uint32), **depth_coordinates(depths)},
    )
    plain = {name: Source(source.name) for name, source in SOURCES.items()}
    return conform(found, {**plain, _WATER: Source("available_water")}, Origin(PRODUCT, files))


def _layers(
    mixture: "_Mixture", horizons: Table, thickness: Sequence[NDArray]
) -> dict[str, NDArray]:
    """Give every property of map units in every layer, in the package's units."""
    made = {
        name: np.stack([mixture.mean(_column(horizons, name), over) for over in thickness], 1)
        for name in SOURCES
        if name in horizons
    }
    if _WATER in horizons:
        awc = np.where(horizons[_WATER] >= 0.0, horizons[_WATER], np.nan)
        made[_WATER] = np.stack([mixture.total(awc, over) for over in thickness], 1)
    return made


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Horizons in components in map units.

    Args:
        unit_of: The number of the map unit of every component.
        share: Of every component in its map unit.
        column_of: The number of the component of every horizon.
        units: How many map units there are.
    """

    unit_of: NDArray
    share: NDArray
    column_of: NDArray
    units: int

    def mean(self, values: NDArray, thickness: NDArray) -> NDArray:
        """Average over horizons, then over components."""
        total, filled = self._columns(values, thickness)
        return self._mixed(total / np.where(filled > 0.0, filled, np.nan))

    def total(self, values: NDArray, thickness: NDArray) -> NDArray:
        """Add up over horizons, then average over components."""
        total, filled = self._columns(values, thickness)
        return self._mixed(np.where(filled > 0.0, total, np.nan))

    def _columns(self, values: NDArray, thickness: NDArray) -> tuple[NDArray, NDArray]:
        """Give sums of value times thickness, and of the thickness that has values."""
        there = np.isfinite(values)
        weight, length = np.where(there, thickness, 0.0), self.unit_of.size
        total = np.bincount(self.column_of, np.where(there, values, 0.0) * weight, length)
        return total, np.bincount(self.column_of, weight, length)

    def _mixed(self, values: NDArray) -> NDArray:
        there = np.isfinite(values)
        weight = np.where(there, self.share, 0.0)
        total = np.bincount(self.unit_of, np.where(there, values, 0.0) * weight, self.units)
        known = np.bincount(self.unit_of, weight, self.units)
        return total / np.where(known > 0.0, known, np.nan)


def _check_depths(depths: Sequence[Depth]) -> None:
    if not depths or any(not 0.0 <= top < bottom for top, bottom in depths):
        raise InputError(f"depths are {list(depths)}; expected tops above bottoms, mm, from 0 down")


def _sorted_keys(path: Path) -> NDArray:
    keys = np.unique(table(path, ("mukey",))["mukey"])
    if not keys.size or not ((keys > 0) & (keys < 2.0**32) & (keys == np.floor(keys))).all():
        raise InputError(f"{path} has no mukey, or some that are no whole number of 32 bits")
    return keys


def _components(
    path: Path, components: Table, keys: NDArray, major_only: bool
) -> tuple[NDArray, NDArray]:
    """Give the map unit of every component, and its share of it: 0 for what does not count."""
    if np.unique(components["cokey"]).size < components["cokey"].size:
        raise InputError(f"{path} has a cokey twice; every component has one row")
    unit_of, inside = _matched(keys, components["mukey"])
    share = components["comppct_r"]
    counts = inside & (share > 0.0)
    if major_only:
        if "majcompflag" not in components:
            raise InputError(f"{path} has no column majcompflag, which says what is major")
        counts &= np.char.strip(components["majcompflag"].astype(str)) == "Yes"
    return unit_of, np.where(counts, share, 0.0)


def _matched(keys: NDArray, asked: NDArray) -> tuple[NDArray, NDArray]:
    """Give where keys stand in a list, 0 for those that do not, and which do."""
    order = np.argsort(keys, kind="stable")
    if not keys.size:
        return np.zeros(asked.size, np.int64), np.zeros(asked.size, bool)
    at = order[np.minimum(np.searchsorted(keys, asked, sorter=order), keys.size - 1)]
    inside = keys[at] == asked
    return np.where(inside, at, 0), inside


def _thickness(horizons: Table, depths: Sequence[Depth]) -> list[NDArray]:
    """Give how much of every layer each horizon fills, mm."""
    top, bottom = (_MM * horizons[edge] for edge in _EDGES)
    filled = (np.minimum(bottom, low) - np.maximum(top, high) for high, low in depths)
    return [np.where(over > 0.0, over, 0.0) for over in filled]


def _column(horizons: Table, name: str) -> NDArray:
    """Give a column in the package's unit; what cannot be is missing."""
    variable = VARIABLES[SOURCES[name].name]
    factor, offset = variable.conversion(SOURCES[name].unit, name)
    values = horizons[name] * factor + offset
    return np.where((values >= variable.least) & (values <= variable.most), values, np.nan)
