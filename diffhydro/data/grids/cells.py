"""What the sites of a cell say together: their mean, and how many they are.

Sites leave most of a map empty, so the means are kept as a list of the cells that hold a site,
along `site`; `spread_on` makes maps of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.grids.grid import Grid, shape
from diffhydro.data.grids.locate import OnGrid
from diffhydro.data.grids.maps import floating, refuse_mean, through
from diffhydro.data.grids.separable import sparse
from diffhydro.data.places import Places
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr
    from scipy.sparse import csr_array


def cell_means(found: "xr.Dataset", grid: Grid) -> "xr.Dataset":
    """Average the sites of every cell, at each time over those that have a value.

    Args:
        found: Numbers over `site`, with latitude and longitude.

    Returns:
        The cells that hold a site, along `site`, at the centres of the cells, named by row and
        column; `<name>_count` says how many sites are in a mean, the coordinate `sites` how many
        lie in the cell.
    """
    import xarray as xr

    numbers = _numbers(found, grid)
    cells, member, sites = np.unique(numbers, return_inverse=True, return_counts=True)
    group = _grouping(member, len(cells))
    made = {}
    for name, variable in found.data_vars.items():
        if "site" not in variable.dims:
            raise InputError(f"{name} has dimensions {variable.dims}; expected site among them")
        refuse_mean(variable)
        kind, sizes = floating(variable.dtype), {"site": len(cells)}
        mean = through(variable, _Mean(group), sizes, kind, ("site",))
        count = through(variable, _Count(group), sizes, np.dtype(np.int16), ("site",))
        count.attrs = {"long_name": f"sites in the mean of {name}", "units": "1"}
        made[name], made[f"{name}_count"] = (v.transpose("site", ...) for v in (mean, count))
    rows, columns = np.unravel_index(cells, shape(grid))
    coordinates = {
        "site": [f"{row}_{column}" for row, column in zip(rows, columns, strict=True)],
        "latitude": ("site", grid.latitude[rows]),
        "longitude": ("site", grid.longitude[columns]),
        "sites": ("site", sites),
    }
    return xr.Dataset(made, attrs=found.attrs).assign_coords(coordinates)


def spread_on(cells: "xr.Dataset", grid: Grid) -> "xr.Dataset":
    """Lay a list of cells out on maps; where there is none, counts are 0 and numbers missing.

    A year of a global map is large: chunk the cells in time first, and it is made block by block.

    Args:
        cells: Of `cell_means`, on the same grid.
    """
    import xarray as xr

    numbers = _numbers(cells, grid)
    if len(np.unique(numbers)) < len(numbers):
        raise InputError("two of the sites lie in one cell; average them with cell_means first")
    rows, columns = shape(grid)
    made = {}
    for name, variable in cells.data_vars.items():
        spread = _Spread(numbers, (rows, columns))
        made[name] = through(variable, spread, {"y": rows, "x": columns}, variable.dtype, ("site",))
    laid = xr.Dataset(made, attrs=cells.attrs)
    return laid.assign_coords(latitude=("y", grid.latitude), longitude=("x", grid.longitude))


@dataclass(frozen=True, eq=False)
class _Mean:
    """Means of `[..., site]` by cell."""

    group: "csr_array"

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Average the sites that have a value."""
        there = ~np.isnan(block)
        count = _sums(self.group, there.astype(np.float64))
        total = _sums(self.group, np.where(there, block, 0.0).astype(np.float64))
        mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        return mean.astype(floating(block.dtype))


@dataclass(frozen=True, eq=False)
class _Count:
    """Numbers of values of `[..., site]` by cell."""

    group: "csr_array"

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Count the sites that have a value."""
        return _sums(self.group, (~np.isnan(block)).astype(np.float64)).astype(np.int16)


@dataclass(frozen=True, eq=False)
class _Spread:
    """Maps of `[..., site]`."""

    numbers: np.ndarray
    shape: tuple[int, int]

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Lay a block out."""
        nothing = np.nan if np.issubdtype(block.dtype, np.floating) else 0
        maps = np.full((*block.shape[:-1], self.shape[0] * self.shape[1]), nothing, block.dtype)
        maps[..., self.numbers] = block
        return maps.reshape(*block.shape[:-1], *self.shape)


def _sums(group: "csr_array", block: np.ndarray) -> np.ndarray:
    """Add the last axis up by cell."""
    flat = block.reshape(-1, block.shape[-1])
    return (group @ flat.T).T.reshape(*block.shape[:-1], -1)


def _grouping(member: np.ndarray, cells: int) -> "csr_array":
    return sparse(np.ones(len(member)), member, np.arange(len(member)), (cells, len(member)))


def _numbers(found: "xr.Dataset", grid: Grid) -> np.ndarray:
    """Number the cells of sites, row by row; refuse what lies outside."""
    places = Places.of(found)
    rows, columns = OnGrid(grid)(places.latitude, places.longitude)
    outside = np.flatnonzero(rows < 0)
    if len(outside):
        names = ", ".join(places.names[i] for i in outside[:5])
        raise InputError(
            f"{len(outside)} of {len(rows)} sites lie outside the grid ({names}); leave them out "
            "or take a larger grid"
        )
    return rows * shape(grid)[1] + columns
