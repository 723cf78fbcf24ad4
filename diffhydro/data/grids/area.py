"""Means over areas, from any grid to any grid: every piece of overlap counts with its area.

The overlap of two cells is the overlap of their rows times that of their columns, exactly, on the
WGS84 ellipsoid. So what rains on the source rains on the target: where nothing is missing the
integral over the area that both cover is the same to rounding.
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.grids.equal_area import equal_area
from diffhydro.data.grids.grid import Grid, shape
from diffhydro.data.grids.maps import Kernel, floating, on_grid, refuse_mean
from diffhydro.data.grids.recognise import grid_of
from diffhydro.data.grids.separable import LEAST, WeightedMean, Weights, sparse

if TYPE_CHECKING:
    import xarray as xr
    from scipy.sparse import csr_array


def mean_on(found: "xr.Dataset", grid: Grid, *, least: float = LEAST) -> "xr.Dataset":
    """Average maps over the cells of a grid.

    Args:
        least: Share of a cell's area that must have a value; a cell that reaches beyond the source
            has none there.
    """
    kernel = WeightedMean(overlap(grid_of(found), grid), least)

    def kernel_of(variable: "xr.DataArray") -> tuple[Kernel, np.dtype]:
        refuse_mean(variable)
        return kernel, floating(variable.dtype)

    return on_grid(found, grid, kernel_of, "mean")


def overlap(source: Grid, target: Grid) -> Weights:
    """Give the share of every target cell that lies in every source cell."""
    return Weights(
        _pieces(-equal_area(source.row_edges), -equal_area(target.row_edges), [0.0]),
        _pieces(source.column_edges, target.column_edges, _turns(source, target)),
        shape(source),
        shape(target),
    )


def _turns(source: Grid, target: Grid) -> list[float]:
    """Give the multiples of 360 degrees by which the source may meet the target."""
    first = np.floor((target.column_edges[0] - source.column_edges[-1]) / 360.0)
    last = np.ceil((target.column_edges[-1] - source.column_edges[0]) / 360.0)
    return [360.0 * turn for turn in range(int(first), int(last) + 1)]


def _pieces(source: np.ndarray, target: np.ndarray, shifts: list[float]) -> "csr_array":
    """Cut increasing edges into the pieces that they share, as shares of the target's cells."""
    widths, parents, children = [], [], []
    for shift in shifts:
        moved = source + shift
        cuts = np.unique(np.concatenate([moved, target]))
        cuts = cuts[(cuts >= max(moved[0], target[0])) & (cuts <= min(moved[-1], target[-1]))]
        if len(cuts) < 2:
            continue
        middle = (cuts[:-1] + cuts[1:]) / 2.0
        parents.append(np.clip(np.searchsorted(moved, middle) - 1, 0, len(moved) - 2))
        children.append(np.clip(np.searchsorted(target, middle) - 1, 0, len(target) - 2))
        widths.append(np.diff(cuts) / np.diff(target)[children[-1]])
    sizes = (len(target) - 1, len(source) - 1)
    if not widths:
        return sparse(np.zeros(0), np.zeros(0, int), np.zeros(0, int), sizes)
    return sparse(np.concatenate(widths), np.concatenate(children), np.concatenate(parents), sizes)
