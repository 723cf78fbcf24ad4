"""Bilinear interpolation between the centres of cells, in degrees of latitude and longitude.

Between the last centre and the edge of a map the last centre's value holds; beyond the edge is
nothing. Round the globe the last column and the first are neighbours. It does not conserve: for
fluxes take the mean over areas.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diffhydro.data.grids.grid import Grid, shape, spans_globe
from diffhydro.data.grids.locate import columns_at, into_turn, rows_at
from diffhydro.data.grids.maps import Kernel, floating, on_grid, refuse_mean
from diffhydro.data.grids.recognise import grid_of
from diffhydro.data.grids.separable import LEAST, WeightedMean, Weights, sparse

if TYPE_CHECKING:
    import xarray as xr
    from scipy.sparse import csr_array


class Between(NamedTuple):
    """Places between two neighbouring centres.

    Args:
        first: Number of the centre before a place.
        second: Of the one after it; the same at the ends.
        weight: Of the second, from 0 to 1.
        inside: False beyond the edges.
    """

    first: np.ndarray
    second: np.ndarray
    weight: np.ndarray
    inside: np.ndarray


def bilinear_on(found: "xr.Dataset", grid: Grid, *, least: float = LEAST) -> "xr.Dataset":
    """Interpolate maps to the centres of a grid.

    Args:
        least: Share of the four weights that must have a value; 1 for all four.
    """
    source = grid_of(found)
    rows = _matrix(rows_between(source, grid.latitude), len(source.latitude))
    columns = _matrix(columns_between(source, grid.longitude), len(source.longitude))
    kernel = WeightedMean(Weights(rows, columns, shape(source), shape(grid)), least)

    def kernel_of(variable: "xr.DataArray") -> tuple[Kernel, np.dtype]:
        refuse_mean(variable)
        return kernel, floating(variable.dtype)

    return on_grid(found, grid, kernel_of, "point")


def rows_between(grid: Grid, latitude: np.ndarray) -> Between:
    """Find latitudes between the centres of rows."""
    found = _between(-grid.latitude, -np.asarray(latitude, np.float64))
    return found._replace(inside=rows_at(grid, latitude) >= 0)


def columns_between(grid: Grid, longitude: np.ndarray) -> Between:
    """Find longitudes between the centres of columns, across the seam of a globe."""
    centres, count = grid.longitude, len(grid.longitude)
    turned = into_turn(grid, np.asarray(longitude, np.float64))
    if spans_globe(grid):
        centres = np.concatenate([centres[-1:] - 360.0, centres, centres[:1] + 360.0])
        found = _between(centres, turned)
        found = found._replace(first=(found.first - 1) % count, second=(found.second - 1) % count)
    else:
        found = _between(centres, turned)
    return found._replace(inside=columns_at(grid, longitude) >= 0)


def _between(centres: np.ndarray, places: np.ndarray) -> Between:
    """Find places between increasing centres."""
    second = np.clip(np.searchsorted(centres, places), 0, len(centres) - 1)
    first = np.clip(np.searchsorted(centres, places) - 1, 0, len(centres) - 1)
    step = np.where(second > first, centres[second] - centres[first], 1.0)
    weight = np.clip((places - centres[first]) / step, 0.0, 1.0)
    return Between(first, second, np.where(second > first, weight, 0.0), np.isfinite(places))


def _matrix(found: Between, count: int) -> "csr_array":
    at = np.flatnonzero(found.inside)
    first, second, weight = found.first[at], found.second[at], found.weight[at]
    return sparse(
        np.concatenate([1.0 - weight, weight]),
        np.concatenate([at, at]),
        np.concatenate([first, second]),
        (len(found.inside), count),
    )
