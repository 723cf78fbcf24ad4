"""Perturbed copies of inputs that several sites share, so that no two sites are told the same.

Sites in one cell of a grid get the same weather, but differ in what they measured. After Xi &
Zhuang (2026) the site nearest the middle of the cell keeps the inputs, and each of the others gets
a copy of its own, with z from a standard normal distribution for every day:

- precipitation · (1 + σ z), so that dry days stay dry;
- any other input + σ |mean of the site| z;

and everything but temperatures is held at 0 from below. They give no σ; 0.05 is ours.

A copy follows from the seed and the names of the site and the variable and from nothing else:
other sites, their number and their order do not matter.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["NOISE", "Cells", "cells_of", "keepers", "perturbed_copies"]

NOISE: Mapping[str, float] = {
    "precipitation": 0.05,
    "shortwave": 0.05,
    "temperature": 0.05,
    "vapour_pressure": 0.05,
    "leaf_area": 0.05,
}
_MULTIPLIED = ("precipitation",)


class Cells(NamedTuple):
    """Which cell each site lies in, and how far from its middle, in degrees of arc."""

    cell: np.ndarray
    distance: np.ndarray


def cells_of(latitude: np.ndarray, longitude: np.ndarray, size: float) -> Cells:
    """Find the cells of a regular grid whose edges are multiples of `size` degrees.

    >>> cells_of(np.array([40.1, 40.3]), np.array([-96.6, -96.8]), 0.5).cell
    array([71446, 71446])
    """
    rows, columns = round(180.0 / size), round(360.0 / size)
    if not np.isclose(rows * size, 180.0):
        raise InputError(f"cells of {size} degrees do not fit 180; give the cells of the sites")
    if not (np.abs(latitude) <= 90.0).all() or not np.isfinite(longitude).all():
        raise InputError("a site has no latitude within ±90, or no longitude")
    row = np.minimum(((90.0 - latitude) / size).astype(np.int64), rows - 1)
    column = np.floor((longitude + 180.0) / size).astype(np.int64) % columns
    middle = 90.0 - (row + 0.5) * size, -180.0 + (column + 0.5) * size
    return Cells(row * columns + column, _arc(latitude, longitude, *middle))


def _arc(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Give the angle between two places, by the haversine formula, which is exact when small."""
    a, b, c, d = (np.radians(x) for x in (a, b, c, d))
    half = np.sin((a - c) / 2.0) ** 2 + np.cos(a) * np.cos(c) * np.sin((b - d) / 2.0) ** 2
    return np.degrees(2.0 * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def keepers(cells: Cells, names: np.ndarray) -> np.ndarray:
    """Tell which sites keep their inputs: in each cell the nearest to its middle.

    Of equally near ones the first by name.
    """
    order = np.lexsort((names.astype(str), cells.distance, cells.cell))
    first = np.ones(len(order), bool)
    first[1:] = np.diff(cells.cell[order]) != 0
    keeps = np.zeros(len(order), bool)
    keeps[order[first]] = True
    return keeps


def perturbed_copies(
    inputs: "xr.Dataset", cells: Cells, *, seed: int, noise: Mapping[str, float] = NOISE
) -> "xr.Dataset":
    """Perturb the inputs of all sites but one in each cell.

    Gives the data set with those variables replaced, and a coordinate `is_copy` over `site`. Apply
    it to training sites only: what is perturbed is not the weather that was.

    Args:
        inputs: Over `site` and `time`; sites of a cell hold the same series.
        noise: σ by variable; what is not named stays as it is.
    """
    for name in noise:
        if name not in VARIABLES or name not in inputs or {*inputs[name].dims} != {"site", "time"}:
            raise InputError(
                f"no {name} over site and time to perturb; there is "
                f"{', '.join(map(str, inputs.data_vars))}"
            )
    names = inputs["site"].values
    if not len(names) == len(cells.cell) == len(cells.distance) == len(np.unique(names)):
        raise InputError(
            f"{len(cells.cell)} cells for {len(names)} sites, of which {len(np.unique(names))} "
            "have a name of their own; every site needs one cell and its own name"
        )
    is_copy = ~keepers(cells, names)
    made = {}
    for name, size in noise.items():
        found = inputs[name].transpose("site", "time")
        values = np.array(found.values)
        for i in np.flatnonzero(is_copy):
            values[i] = _perturbed(values[i], name, size, str(names[i]), seed)
        made[name] = found.copy(data=values)
    return inputs.assign(made).assign_coords(is_copy=("site", is_copy))


def _perturbed(series: np.ndarray, name: str, size: float, site: str, seed: int) -> np.ndarray:
    noise = size * _generator(seed, site, name).standard_normal(len(series))
    known = np.isfinite(series)
    if not known.any():
        return series
    wide = series.astype(np.float64)
    size_of_noise = wide if name in _MULTIPLIED else abs(wide[known].mean())
    found = wide + size_of_noise * noise
    if VARIABLES[name].unit != "degC":
        found = np.maximum(found, 0.0)  # keeps what is missing
    return found.astype(series.dtype)


def _generator(seed: int, *names: str) -> np.random.Generator:
    """Make a generator that belongs to a seed and some names."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32).tolist()])
