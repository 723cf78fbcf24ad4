"""In which cell of a map a place lies: separable grids, and rasters of a projection.

A place on an edge belongs to the cell south or east of it, and to the last cell at the map's end.
Outside are row −1 and column −1.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from diffhydro.data.grids.grid import Grid, spans_globe
from diffhydro.data.grids.recognise import edges_around, grid_of, is_projected
from diffhydro.data.readers.raster.projection import project
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

Cells = tuple[np.ndarray, np.ndarray]


class Locator(Protocol):
    """Finds the cells of places."""

    def __call__(self, latitude: np.ndarray, longitude: np.ndarray) -> Cells:
        """Give rows and columns, broadcast over both; −1 and −1 outside."""
        ...


def locator_of(found: "xr.Dataset | xr.DataArray") -> Locator:
    """Give what finds places in a map: by its coordinates, or by its attribute `crs`."""
    if not is_projected(found):
        return OnGrid(grid_of(found))
    crs = found.attrs.get("crs")
    if crs is None or "y" not in found.coords or "x" not in found.coords:
        raise InputError(
            "expected a map with `latitude` over y and `longitude` over x, or a raster with `y` "
            "and `x` in metres and the attribute `crs`; found the coordinates "
            f"{', '.join(map(str, found.coords)) or 'none'} and crs {crs}"
        )
    _check(str(crs))
    return OnProjection(str(crs), _metres(found, "y"), _metres(found, "x"))


@dataclass(frozen=True, eq=False)
class OnGrid:
    """Places in the cells of a grid."""

    grid: Grid

    def __call__(self, latitude: np.ndarray, longitude: np.ndarray) -> Cells:
        """Give rows and columns."""
        rows, columns = rows_at(self.grid, latitude), columns_at(self.grid, longitude)
        rows, columns = np.broadcast_arrays(rows, columns)
        inside = (rows >= 0) & (columns >= 0)
        return np.where(inside, rows, -1), np.where(inside, columns, -1)


@dataclass(frozen=True, eq=False)
class OnProjection:
    """Places in the pixels of a raster.

    Args:
        crs: What GDAL knows, such as `"EPSG:5070"`.
        y: Edges of rows, m, in the order of the rows.
        x: Edges of columns.
    """

    crs: str
    y: np.ndarray
    x: np.ndarray

    def __call__(self, latitude: np.ndarray, longitude: np.ndarray) -> Cells:
        """Give rows and columns."""
        x, y = project(self.crs, *np.broadcast_arrays(latitude, longitude))
        rows, columns = _bin(self.y, y), _bin(self.x, x)
        inside = (rows >= 0) & (columns >= 0)
        return np.where(inside, rows, -1), np.where(inside, columns, -1)


def rows_at(grid: Grid, latitude: np.ndarray) -> np.ndarray:
    """Give the rows of latitudes; −1 outside."""
    return _bin(grid.row_edges, np.asarray(latitude, np.float64))


def columns_at(grid: Grid, longitude: np.ndarray) -> np.ndarray:
    """Give the columns of longitudes; −1 outside."""
    edges = grid.column_edges
    turned = into_turn(grid, np.asarray(longitude, np.float64))
    if spans_globe(grid):
        turned = np.minimum(turned, edges[-1])
    return _bin(edges, turned)


def into_turn(grid: Grid, longitude: np.ndarray) -> np.ndarray:
    """Turn longitudes by multiples of 360 into the turn that begins at the first column."""
    west = grid.column_edges[0]
    is_in = (longitude >= west) & (longitude <= grid.column_edges[-1])
    return np.where(is_in, longitude, west + (longitude - west) % 360.0)


def _bin(edges: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Find places between edges that grow, or fall; NaN and what is beyond gives −1."""
    if edges[0] > edges[-1]:
        edges, places = -edges, -places
    at = np.searchsorted(edges, places, side="right") - 1
    at = np.where(places == edges[-1], len(edges) - 2, at)
    return np.where((places >= edges[0]) & (places <= edges[-1]), at, -1)


def _metres(found: "xr.Dataset | xr.DataArray", axis: str) -> np.ndarray:
    centres = np.asarray(found[axis].values, np.float64)
    if len(centres) < 2:
        raise InputError(f"a raster of one pixel along {axis} does not tell how large it is")
    return edges_around(centres)


def _check(crs: str) -> None:
    """Refuse a projection that is not known, before it is used on every place."""
    try:
        project(crs, np.zeros(1), np.zeros(1))
    except ImportError as error:
        raise InputError(
            "a projected raster needs rasterio; install diffhydro-jax[raster]"
        ) from error
    except ValueError as error:
        raise InputError(f"the raster's crs is {crs!r}; expected one such as EPSG:5070") from error
