"""Maps of several depths: layers of a variable, one above the other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diffhydro.data.readers.raster.geotiff import Header
from diffhydro.data.readers.raster.mosaic import Canvas, paint

if TYPE_CHECKING:
    import dask.array as da

Depth = tuple[float, float]  # top and bottom of a layer, mm; equal for a level
_DOWN = {"units": "mm", "positive": "down"}


def stacked(
    tiles: Mapping[tuple[str, Depth], Sequence[Header]], on: Canvas
) -> "dict[str, da.Array]":
    """Give every variable `[depth, y, x]` over all depths; a depth that it lacks is missing."""
    import dask.array as da

    depths = depths_of(tiles)
    names = dict.fromkeys(name for name, _ in tiles)
    return {
        name: da.stack([paint(tiles.get((name, depth), ()), on) for depth in depths])
        for name in names
    }


def depths_of(tiles: Mapping[tuple[str, Depth], Any]) -> list[Depth]:
    """List the depths of all variables, downward."""
    return sorted({depth for _, depth in tiles})


def depth_coordinates(depths: Sequence[Depth]) -> dict[str, Any]:
    """Give the middles of layers with their tops and bottoms; of levels the depths alone."""
    middle = {"depth": ("depth", [(top + bottom) / 2.0 for top, bottom in depths], _DOWN)}
    if all(top == bottom for top, bottom in depths):
        return middle
    tops, bottoms = zip(*depths, strict=True)
    return {
        **middle,
        "top": ("depth", list(tops), _DOWN),
        "bottom": ("depth", list(bottoms), _DOWN),
    }
