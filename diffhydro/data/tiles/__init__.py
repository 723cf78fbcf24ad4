"""Tiles: maps in squares of 64 × 64 pixels, named by quadkeys.

The squares are those of web-mercator, so that tiles of any two data sets lie pixel on pixel.
"""

from diffhydro.data.tiles.channels import Channel
from diffhydro.data.tiles.extents import Extent, cut_extents, extent_of, extents_of
from diffhydro.data.tiles.mosaic import blend, grid_round, mosaic_of, pieces_of
from diffhydro.data.tiles.pixels import COARSE, FINE, PIXELS, TileGrid, bounds, pixel_of, tile_of
from diffhydro.data.tiles.quadkey import ancestor, children, neighbours, parent
from diffhydro.data.tiles.tiles import Tiles, cut
from diffhydro.data.tiles.unit_range import MISSING, from_unit_range, into_unit_range

__all__ = [
    "PIXELS",
    "FINE",
    "COARSE",
    "tile_of",
    "pixel_of",
    "bounds",
    "parent",
    "ancestor",
    "children",
    "neighbours",
    "TileGrid",
    "Channel",
    "Tiles",
    "cut",
    "Extent",
    "extent_of",
    "extents_of",
    "cut_extents",
    "mosaic_of",
    "grid_round",
    "pieces_of",
    "blend",
    "MISSING",
    "into_unit_range",
    "from_unit_range",
]
