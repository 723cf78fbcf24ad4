"""Pixels of tiles: 64 × 64 to a tile, in web-mercator, and where they lie on Earth.

At level n the map has W = 64 · 2ⁿ pixels a side. Counted from the north-west corner,

    x = W (λ + 180°) / 360°,    y = W (1/2 − artanh(sin φ) / 2π)

so rows depend on latitude only and columns on longitude only: pixels are a grid like any other,
and `grids` resamples to and from them. A pixel of level 14 is 38 m wide at the equator, and 30 m at
38 degrees.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from diffhydro.data.grids.mercator import LIMIT, latitude_of_northing, northing
from diffhydro.data.tiles.quadkey import key_of, place_of, side
from diffhydro.errors import InputError

PIXELS = 64  # a side of a tile
FINE, COARSE = 14, 12  # levels: of 30 m data, and of what is known on a coarser grid


class Bounds(NamedTuple):
    """Edges of a tile, degrees."""

    north: float
    south: float
    west: float
    east: float


def pixel_of(
    latitude: np.ndarray | float, longitude: np.ndarray | float, level: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give row and column, on the whole map, of the pixels that hold places."""
    latitude, longitude = np.broadcast_arrays(latitude, longitude)
    lost = ~(np.abs(latitude) <= LIMIT) | ~np.isfinite(longitude)
    if lost.any():
        first = np.flatnonzero(lost)[0]
        raise InputError(
            f"{latitude.flat[first]}, {longitude.flat[first]} is on no tile; expected latitudes "
            f"within ±{LIMIT:.4f} degrees"
        )
    width = _width(level)
    down = (0.5 - northing(latitude) / (2.0 * np.pi)) * width
    right = (longitude + 180.0) % 360.0 / 360.0 * width
    row = np.clip(np.floor(down), 0, width - 1).astype(np.int64)
    return row, np.floor(right).astype(np.int64) % width


def tile_of(latitude: float, longitude: float, level: int = FINE) -> str:
    """Give the key of the tile that holds a place.

    >>> tile_of(36.118, -97.091)
    '02311210133123'
    """
    row, column = pixel_of(latitude, longitude, level)
    return key_of(int(column) // PIXELS, int(row) // PIXELS, level)


def bounds(key: str) -> Bounds:
    """Give the edges of a tile; neighbours have them in common, to the last digit."""
    grid = TileGrid.of(key)
    rows, columns = grid.row_edges, grid.column_edges
    return Bounds(float(rows[0]), float(rows[-1]), float(columns[0]), float(columns[-1]))


@dataclass(frozen=True)
class TileGrid:
    """A rectangle of pixels of one level; a grid for all that resamples.

    Args:
        row: Of the first pixel, on the whole map.
        column: Of the first pixel; the rectangle may go on beyond 180 degrees.
    """

    level: int
    row: int
    column: int
    rows: int = PIXELS
    columns: int = PIXELS

    def __post_init__(self) -> None:
        """Refuse a rectangle that is not on the map."""
        width = _width(self.level)
        if self.row < 0 or self.rows < 1 or self.row + self.rows > width:
            raise InputError(
                f"rows {self.row} to {self.row + self.rows - 1} are not on the map; level "
                f"{self.level} has pixels 0 to {width - 1}"
            )
        if not (0 <= self.column < width and 1 <= self.columns <= width):
            raise InputError(
                f"{self.columns} columns from {self.column} on; level {self.level} has {width}"
            )

    @classmethod
    def of(cls, key: str) -> "TileGrid":
        """Give the pixels of a tile."""
        column, row = place_of(key)
        return cls(len(key), row * PIXELS, column * PIXELS)

    @property
    def row_edges(self) -> np.ndarray:
        """Latitudes, decreasing."""
        return self._latitude(self.row + np.arange(self.rows + 1.0))

    @property
    def column_edges(self) -> np.ndarray:
        """Longitudes, increasing; beyond 180 on the other side of the date line."""
        return self._longitude(self.column + np.arange(self.columns + 1.0))

    @property
    def latitude(self) -> np.ndarray:
        """Middles of rows, in web-mercator."""
        return self._latitude(self.row + 0.5 + np.arange(self.rows))

    @property
    def longitude(self) -> np.ndarray:
        """Centres of columns."""
        return self._longitude(self.column + 0.5 + np.arange(self.columns))

    def _latitude(self, down: np.ndarray) -> np.ndarray:
        return latitude_of_northing(2.0 * np.pi * (0.5 - down / _width(self.level)))

    def _longitude(self, right: np.ndarray) -> np.ndarray:
        return right / _width(self.level) * 360.0 - 180.0


def _width(level: int) -> int:
    """Count the pixels along a side of the map."""
    return PIXELS * side(level)
