"""POLARIS: soil of the contiguous United States at 1 arc-second, six layers to 2 m.

Tiles of a degree in folders, `<variable>/<statistic>/<top>_<bottom>/lat3738_lon-97-96.tif`, depths
in cm (Chaney et al. 2016, 2019). Float32, missing is −9999. Saturated conductivity (cm/h), organic
matter (%) and α (1/kPa) are stored as decimal logarithms, so their mean is a geometric one.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.raster.geotiff import MEMORY, Header
from diffhydro.data.readers.raster.layers import Depth, depth_coordinates, depths_of, stacked
from diffhydro.data.readers.raster.mosaic import Canvas, canvas, headers_of
from diffhydro.data.readers.raster.tiles import maps, tiffs
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import dask.array as da
    import xarray as xr

PRODUCT = "POLARIS"
STATISTICS = ("mean", "mode", "p5", "p50", "p95")
_FOLDERS = re.compile(r"([a-z_]+)/(mean|mode|p5|p50|p95)/(\d+)_(\d+)/lat[\d-]+_lon[\d-]+\.tif$")
SOURCES = {
    "sand": Source("sand", "%"),
    "silt": Source("silt", "%"),
    "clay": Source("clay", "%"),
    "om": Source("organic_matter", "%"),
    "bd": Source("bulk_density", "g cm-3"),
    "theta_s": Source("theta_s", "m3 m-3"),
    "theta_r": Source("theta_r", "m3 m-3"),
    "ksat": Source("k_sat", "cm h-1"),
    "alpha": Source("alpha", "kPa-1"),
    "n": Source("n", "1"),
}
_LOGARITHMS = {"ksat", "om", "alpha"}


def looks_like_polaris(path: Path) -> bool:
    """Tell by the folders that a tile lies in, or that a folder has below it."""
    if path.is_dir():
        return any(_FOLDERS.search(p.as_posix()) for p in path.rglob("lat*_lon*.tif"))
    return _FOLDERS.search(path.as_posix()) is not None


def read_polaris(
    paths: Path | Iterable[Path],
    *,
    statistic: str = "mean",
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read soil by layers, lazily, without seams between tiles.

    Args:
        paths: Tiles in their folders, or a folder above them.
        statistic: Which of POLARIS' statistics: mean, mode, p5, p50 or p95.
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many cells one is kept.
        memory: Bytes that the maps may take when they are loaded.
    """
    if statistic not in STATISTICS:
        raise InputError(f"statistic is {statistic!r}; POLARIS has {', '.join(STATISTICS)}")
    files = tiffs(paths, PRODUCT)
    chosen = _chosen(files, statistic)
    tiles = {key: headers_of(some, expected=PRODUCT, memory=memory) for key, some in chosen.items()}
    every = [header for some in tiles.values() for header in some]
    on = canvas(every, box=box, step=step, memory=memory, layers=len(tiles))
    found = maps(_plain(tiles, on), on.grid, depth_coordinates(depths_of(tiles)))
    notes = {"crs": on.grid.crs, "statistic": statistic}
    return conform(found, SOURCES, Origin(PRODUCT, tuple(h.path for h in every), notes))


def _chosen(files: Iterable[Path], statistic: str) -> dict[tuple[str, Depth], list[Path]]:
    """Give the tiles of every variable and layer of one statistic."""
    chosen: dict[tuple[str, Depth], list[Path]] = {}
    others = set()
    for path in files:
        found = _FOLDERS.search(path.absolute().as_posix())
        if not found:
            raise InputError(
                f"{path} is not in folders as POLARIS has them: "
                "<variable>/<statistic>/<top>_<bottom>/lat<a><b>_lon<c><d>.tif"
            )
        name, kind, top, bottom = found.groups()
        if kind != statistic:
            others.add(kind)
        elif name in SOURCES:
            chosen.setdefault((name, (10.0 * int(top), 10.0 * int(bottom))), []).append(path)
    if not chosen:
        raise InputError(
            f"no tile of statistic {statistic} and of one of {', '.join(SOURCES)}; there is "
            f"{', '.join(sorted(others)) or 'no other statistic'}"
        )
    return chosen


def _plain(tiles: Mapping[tuple[str, Depth], list[Header]], on: Canvas) -> "dict[str, da.Array]":
    """Give the layers of every variable, raised from their logarithms."""
    return {
        name: layers.map_blocks(_raised, dtype=np.float32) if name in _LOGARITHMS else layers
        for name, layers in stacked(tiles, on).items()
    }


def _raised(logarithm: NDArray) -> NDArray:
    # Beyond 10³⁰ is no soil, and missing later; single precision ends at 10³⁸.
    return np.float32(10.0) ** np.minimum(logarithm, np.float32(30.0))
