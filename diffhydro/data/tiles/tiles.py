"""Tiles cut out of maps: every pixel takes the value of the cell that holds its centre.

Any map will do: regular, EASE, projected. Only the part of a map that lies under a tile is read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.grids.grid import Grid, shape
from diffhydro.data.grids.locate import Locator, locator_of
from diffhydro.data.tiles.channels import Channel, channels_of
from diffhydro.data.tiles.pixels import PIXELS, TileGrid
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Tiles:
    """Squares of pixels, `[tile, channel, y, x]`.

    Args:
        keys: Quadkeys, all of one level.
        values: NaN where nothing is known, unless they were scaled.
        mask: True where a value is known.
    """

    keys: tuple[str, ...]
    channels: tuple[Channel, ...]
    values: np.ndarray
    mask: np.ndarray

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit, and keys of several levels or twice."""
        expected = (len(self.keys), len(self.channels), PIXELS, PIXELS)
        if self.values.shape != expected or self.mask.shape != expected:
            raise InputError(
                f"tiles have values of {self.values.shape} and a mask of {self.mask.shape}; "
                f"{len(self.keys)} keys and {len(self.channels)} channels make {expected}"
            )
        if len({len(key) for key in self.keys}) > 1:
            raise InputError("tiles are of one level; cut each level for itself")
        if len(set(self.keys)) < len(self.keys):
            raise InputError("a tile is given twice; give each key once")


def cut(found: "xr.Dataset", keys: Iterable[str]) -> Tiles:
    """Cut tiles out of maps of one time; what lies beyond a map is missing.

    Args:
        keys: Quadkeys, such as `tile_of` gives; 14 digits for data of 30 m, 12 for coarse ones.
    """
    keys = tuple(keys)
    if not keys:
        raise InputError("expected the quadkeys of the tiles to cut; got none")
    values = cut_grids(found, [TileGrid.of(key) for key in keys])
    return Tiles(keys, tuple(channels_of(found)), values, ~np.isnan(values))


def cut_grids(found: "xr.Dataset", grids: Sequence[Grid]) -> np.ndarray:
    """Cut pieces of one size out of maps, `[piece, channel, y, x]`."""
    layers = list(channels_of(found).values())
    kind = np.result_type(np.float32, *(layer.dtype for layer in layers))
    locator = locator_of(found)
    cuts = np.full((len(grids), len(layers), *shape(grids[0])), np.nan, kind)
    for piece, grid in zip(cuts, grids, strict=True):
        _fill(piece, layers, locator, grid)
    return cuts


def _fill(piece: np.ndarray, layers: "Sequence[xr.Variable]", locator: Locator, grid: Grid) -> None:
    """Write the cells under a grid into `[channel, y, x]`; read no more than they span."""
    rows, columns = locator(grid.latitude[:, None], grid.longitude)
    inside = rows >= 0
    if not inside.any():
        return
    rows, columns = rows[inside], columns[inside]
    window = {
        "y": slice(int(rows.min()), int(rows.max()) + 1),
        "x": slice(int(columns.min()), int(columns.max()) + 1),
    }
    rows, columns = rows - window["y"].start, columns - window["x"].start
    for channel, layer in zip(piece, layers, strict=True):
        channel[inside] = np.asarray(layer.isel(window).values)[rows, columns]
