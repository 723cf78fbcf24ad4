"""Mosaics: tiles laid side by side without seams, and overlapping pieces blended.

Tiles of one level share their edges, so laying them out is the exact inverse of cutting. Pieces
that overlap, such as what a network makes of a map in steps of half a tile, are averaged with
weights that fall towards the edges of a piece; at every pixel the weights add up to one.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.tiles.channels import as_maps
from diffhydro.data.tiles.pixels import PIXELS, TileGrid
from diffhydro.data.tiles.quadkey import place_of, side
from diffhydro.data.tiles.tiles import Tiles
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

Corner = tuple[int, int]  # row and column of a piece's first pixel


def mosaic_of(tiles: Tiles) -> "xr.Dataset":
    """Lay tiles side by side on the smallest map that holds them; between them is nothing.

    Where they lie across the date line, longitudes go on beyond 180.
    """
    grid = grid_round(tiles.keys)
    values = np.full((len(tiles.channels), grid.rows, grid.columns), np.nan, tiles.values.dtype)
    for key, tile, mask in zip(tiles.keys, tiles.values, tiles.mask, strict=True):
        row, column = _corner(key, grid)
        values[:, row : row + PIXELS, column : column + PIXELS] = np.where(mask, tile, np.nan)
    return as_maps(values, tiles.channels, grid)


def grid_round(keys: Sequence[str]) -> TileGrid:
    """Give the smallest rectangle of pixels that holds tiles."""
    level, globe = len(keys[0]), side(len(keys[0]))
    columns, rows = (np.unique(numbers) for numbers in zip(*map(place_of, keys), strict=True))
    # The widest stretch without a tile is left out, which may be the one across the date line.
    gaps = np.diff(np.append(columns, columns[0] + globe))
    widest = len(gaps) - 1 - int(np.argmax(gaps[::-1]))
    first = int(columns[(widest + 1) % len(columns)])
    across = globe - int(gaps[widest]) + 1
    down = int(rows[-1] - rows[0]) + 1
    return TileGrid(level, int(rows[0]) * PIXELS, first * PIXELS, down * PIXELS, across * PIXELS)


def pieces_of(
    height: int, width: int, size: int = PIXELS, stride: int = PIXELS // 2
) -> list[Corner]:
    """Give the corners of pieces that cover a map; the last ones end where it ends."""
    if not 1 <= stride <= size or size > min(height, width):
        raise InputError(
            f"pieces of {size} pixels, {stride} apart, do not cover a map of {height} x {width}"
        )
    down = [*range(0, height - size, stride), height - size]
    right = [*range(0, width - size, stride), width - size]
    return [(row, column) for row in down for column in right]


def blend(
    pieces: Iterable[np.ndarray], corners: Sequence[Corner], shape: tuple[int, int, int]
) -> np.ndarray:
    """Average overlapping pieces `[channel, y, x]` into one map.

    Pixels that are NaN in a piece do not count; what no piece knows is NaN.

    Args:
        pieces: One after the other, so that they need not be in memory together.
        corners: Of the pieces; `pieces_of` gives some that cover a map.
        shape: Channels, rows and columns of the map.
    """
    total, weight, kind = np.zeros(shape), np.zeros(shape), np.dtype(np.float32)
    for piece, (row, column) in zip(pieces, corners, strict=True):
        height, width = piece.shape[1:]
        if piece.shape[0] != shape[0] or row + height > shape[1] or column + width > shape[2]:
            raise InputError(
                f"a piece of {piece.shape} at row {row}, column {column} is not within {shape}"
            )
        part = np.s_[:, row : row + height, column : column + width]
        share = taper(height)[:, None] * taper(width)
        there = ~np.isnan(piece)
        total[part] += np.where(there, piece, 0.0) * share
        weight[part] += there * share
        kind = np.result_type(kind, piece.dtype)
    mean = np.divide(total, weight, out=np.full(shape, np.nan), where=weight > 0.0)
    return mean.astype(kind)


def taper(size: int) -> np.ndarray:
    """Give weights that fall linearly from the middle of a piece to its edges, and not to zero.

    >>> taper(4).tolist()
    [0.5, 1.0, 1.0, 0.5]
    """
    from_edge = np.minimum(np.arange(size), np.arange(size)[::-1]) + 1.0
    return from_edge / from_edge.max()


def _corner(key: str, grid: TileGrid) -> Corner:
    column, row = place_of(key)
    return row * PIXELS - grid.row, (column * PIXELS - grid.column) % (PIXELS * side(grid.level))
