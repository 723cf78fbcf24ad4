"""Files of a raster product, and their maps as a data set."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffhydro.data.readers.raster.grid import Grid
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_ENDINGS = (".tif", ".tiff")


def tiffs(paths: Path | Iterable[Path], expected: str) -> list[Path]:
    """List GeoTIFFs; a folder stands for all below it."""
    given = [paths] if isinstance(paths, Path) else list(paths)
    found: list[Path] = []
    for path in given:
        inside = (p for p in path.rglob("*") if p.suffix.lower() in _ENDINGS)
        found += sorted(inside) if path.is_dir() else [path]
    if not found:
        raise InputError(f"no GeoTIFF of {expected} in {', '.join(map(str, given)) or 'nothing'}")
    return found


def maps(
    layers: Mapping[str, Any], grid: Grid, depth: Mapping[str, Any] | None = None
) -> "xr.Dataset":
    """Give layers `[y, x]`, or `[depth, y, x]` with their depths, as a data set on a grid."""
    import xarray as xr

    made = {
        name: (("depth", "y", "x") if layer.ndim == 3 else ("y", "x"), layer)
        for name, layer in layers.items()
    }
    coordinates = {**grid.coordinates(), **(depth or {})}
    return xr.Dataset(made, coordinates, {"crs": grid.crs})
