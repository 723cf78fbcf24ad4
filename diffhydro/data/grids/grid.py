"""What a grid is here: rows that depend on latitude only, and columns on longitude only.

Regular maps, EASE-Grid 2.0, and the pixels of web-mercator tiles are all of this kind. Rows go from
north to south. Longitudes grow from west to east and may pass 180 where a grid lies across it:
everything that compares longitudes does so modulo 360.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from diffhydro.errors import InputError

ROUNDING = 1e-3  # cells; what single precision does to longitudes, for cells of 1/24 degree


class Grid(Protocol):
    """Edges and centres of cells, degrees."""

    @property
    def row_edges(self) -> np.ndarray:
        """Latitudes, decreasing, one more than rows."""
        ...

    @property
    def column_edges(self) -> np.ndarray:
        """Longitudes, increasing, one more than columns, over 360 degrees at most."""
        ...

    @property
    def latitude(self) -> np.ndarray:
        """Centres of rows."""
        ...

    @property
    def longitude(self) -> np.ndarray:
        """Centres of columns."""
        ...


@dataclass(frozen=True, eq=False)
class Rectilinear:
    """A grid by its numbers; a part of another, or what the coordinates of a data set tell."""

    row_edges: np.ndarray
    column_edges: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray

    def __post_init__(self) -> None:
        """Refuse edges out of order, and centres out of their cells."""
        rows, columns = self.row_edges, self.column_edges
        if not (np.diff(rows) < 0).all() or np.abs(rows).max() > 90.0:
            raise InputError(
                "edges of rows are latitudes from north to south, each once, within ±90 degrees; "
                f"they go from {rows[0]} to {rows[-1]}"
            )
        if not (np.diff(columns) > 0).all() or columns[-1] - columns[0] > 360.0 + 1e-6:
            raise InputError(
                "edges of columns are longitudes from west to east, each once, over at most 360 "
                f"degrees; they go from {columns[0]} to {columns[-1]}"
            )
        north_of = (rows[:-1] >= self.latitude) & (self.latitude >= rows[1:])
        west_of = (columns[:-1] <= self.longitude) & (self.longitude <= columns[1:])
        if not north_of.all() or not west_of.all():
            raise InputError("centres of a grid lie between the edges of their cells")


def shape(grid: Grid) -> tuple[int, int]:
    """Count rows and columns."""
    return len(grid.latitude), len(grid.longitude)


def spans_globe(grid: Grid) -> bool:
    """Tell whether the last column meets the first."""
    edges = grid.column_edges
    return bool(edges[-1] - edges[0] > 360.0 - ROUNDING * (edges[1] - edges[0]))


def part(grid: Grid, rows: slice, columns: slice) -> Rectilinear:
    """Take a window of a grid; slices without steps."""
    first_row, last_row, _ = rows.indices(len(grid.latitude))
    first, last, _ = columns.indices(len(grid.longitude))
    return Rectilinear(
        grid.row_edges[first_row : last_row + 1],
        grid.column_edges[first : last + 1],
        grid.latitude[first_row:last_row],
        grid.longitude[first:last],
    )
