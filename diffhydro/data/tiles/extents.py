"""Extents: 3 × 3 tiles round a station, 192 × 192 pixels, and the pixel that holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.places import Places
from diffhydro.data.tiles.pixels import FINE, PIXELS, TileGrid, pixel_of
from diffhydro.data.tiles.quadkey import key_of, side
from diffhydro.data.tiles.tiles import cut_grids
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

TILES = 3  # a side of an extent


@dataclass(frozen=True)
class Extent:
    """A square of tiles, the station's in the middle.

    Args:
        keys: Row by row from the north-west.
        grid: Of all its pixels.
        row: Of the station's pixel in the extent.
        column: Of the station's pixel.
    """

    keys: tuple[str, ...]
    grid: TileGrid
    row: int
    column: int


def extent_of(latitude: float, longitude: float, level: int = FINE) -> Extent:
    """Give the extent round a place.

    >>> found = extent_of(36.118, -97.091)
    >>> found.keys[4], found.row, found.column
    ('02311210133123', 71, 81)
    """
    row, column = (int(number) for number in pixel_of(latitude, longitude, level))
    top, left = row // PIXELS - TILES // 2, column // PIXELS - TILES // 2
    if not 0 <= top <= side(level) - TILES:
        raise InputError(
            f"{latitude}, {longitude} lies in the last row of tiles of level {level}; there are "
            f"no {TILES} x {TILES} tiles round it"
        )
    keys = tuple(
        key_of(left + right, top + down, level) for down in range(TILES) for right in range(TILES)
    )
    grid = TileGrid(
        level, top * PIXELS, left % side(level) * PIXELS, TILES * PIXELS, TILES * PIXELS
    )
    return Extent(keys, grid, row - top * PIXELS, column - left * PIXELS)


def extents_of(sites: "Places | xr.Dataset", level: int = FINE) -> tuple[Extent, ...]:
    """Give the extents round sites."""
    places = Places.of(sites)
    return tuple(
        extent_of(float(latitude), float(longitude), level)
        for latitude, longitude in zip(places.latitude, places.longitude, strict=True)
    )


def cut_extents(found: "xr.Dataset", extents: Sequence[Extent]) -> tuple[np.ndarray, np.ndarray]:
    """Cut extents out of maps of one time.

    Returns:
        Values `[extent, channel, y, x]`, NaN where nothing is known, and a mask, True where
        something is.
    """
    if not extents:
        raise InputError("expected the extents to cut; got none")
    values = cut_grids(found, [extent.grid for extent in extents])
    return values, ~np.isnan(values)
