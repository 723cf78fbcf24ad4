"""Digital elevation models: SRTM, 3DEP and any GeoTIFF of heights.

One band of int16, uint16 or float32; what marks a missing cell differs from file to file
(−32768, 65535, −9999, −3.4e38) and is taken from its tag. Tiles are joined. A tile that does not
say where it lies is placed by its name: `N37W114` names the south-west corner (SRTM),
`USGS_1_n40w106` the north-west one (3DEP), both of a square degree.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.raster.geotiff import MEMORY, Header, describe
from diffhydro.data.readers.raster.grid import Grid
from diffhydro.data.readers.raster.mosaic import canvas, paint
from diffhydro.data.readers.raster.tiles import maps, tiffs
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "digital elevation model"
_SOUTH_WEST = re.compile(r"^([NS])(\d{2})([EW])(\d{3})")
_NORTH_WEST = re.compile(r"^USGS_(?:1|13|2)_([ns])(\d{2})([ew])(\d{3})")
_CELLS = (10_800, 3600, 1800, 1200)  # of a degree: 1/3, 1, 2 and 3 arc-seconds


def read_dem(
    paths: Path | Iterable[Path],
    *,
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read `elevation` (m) of tiles that share a grid, lazily.

    Args:
        paths: Files, or folders of them.
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many cells one is kept.
        memory: Bytes that the map may take when it is loaded.
    """
    files = tiffs(paths, PRODUCT)
    headers = [_placed(describe(path, expected=PRODUCT, memory=memory)) for path in files]
    on = canvas(headers, box=box, step=step, memory=memory)
    units = {header.unit for header in headers}
    if len(units) > 1:
        raise InputError(f"tiles are in different units: {', '.join(sorted(units))}")
    found = maps({"elevation": paint(headers, on)}, on.grid)
    source = Source("elevation", units.pop() or "m")
    return conform(found, {"elevation": source}, Origin(PRODUCT, tuple(files), found.attrs))


def _placed(header: Header) -> Header:
    if header.grid is not None:
        return header
    corner = _corner(header.path.name)
    cells = next((n for n in _CELLS if 0 <= header.shape[0] - n <= 12), 0)
    if corner is None or not cells or header.shape[0] != header.shape[1]:
        raise InputError(
            f"{header.path} does not say where it lies, and its name is not that of a tile of a "
            "square degree (N37W114, USGS_1_n40w106); give it a transform and a reference system"
        )
    west, north = corner
    margin = (header.shape[0] - cells) / 2.0  # tiles overlap: SRTM by one cell, 3DEP by twelve
    size = 1.0 / cells
    left, top = west - margin * size, north + margin * size
    return replace(header, grid=Grid("EPSG:4326", True, left, top, size, size, *header.shape))


def _corner(name: str) -> tuple[float, float] | None:
    """Give west and north of the degree that a name names."""
    for pattern, height in ((_SOUTH_WEST, 1.0), (_NORTH_WEST, 0.0)):
        found = pattern.match(name)
        if found:
            south, latitude, west, longitude = found.groups()
            north = int(latitude) * (-1.0 if south in "sS" else 1.0) + height
            return int(longitude) * (-1.0 if west in "wW" else 1.0), north
    return None
