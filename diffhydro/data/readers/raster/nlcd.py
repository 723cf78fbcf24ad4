"""National Land Cover Database: classes of the United States at 30 m.

One byte with a colour table; nodata is 0, 250 or 255, and whatever is no class is missing. Classes
are never averaged: take every n-th cell (`step`), or the shares of classes (`class_shares`).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.box import Box
from diffhydro.data.readers.raster.classes import read_classes
from diffhydro.data.readers.raster.geotiff import MEMORY

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "NLCD"
CLASSES = {
    11: "open_water",
    12: "perennial_ice_snow",
    21: "developed_open_space",
    22: "developed_low_intensity",
    23: "developed_medium_intensity",
    24: "developed_high_intensity",
    31: "barren_land",
    41: "deciduous_forest",
    42: "evergreen_forest",
    43: "mixed_forest",
    51: "dwarf_scrub",
    52: "shrub_scrub",
    71: "grassland_herbaceous",
    72: "sedge_herbaceous",
    73: "lichens",
    74: "moss",
    81: "pasture_hay",
    82: "cultivated_crops",
    90: "woody_wetlands",
    95: "emergent_herbaceous_wetlands",
}


def read_nlcd(
    paths: Path | Iterable[Path],
    *,
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read `land_cover`, lazily.

    Args:
        paths: Files, or folders of them.
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many cells one is kept.
        memory: Bytes that the map may take when it is loaded.
    """
    return read_classes(paths, PRODUCT, "land_cover", CLASSES, box=box, step=step, memory=memory)
