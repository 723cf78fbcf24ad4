"""SOLUS100: soil of the contiguous United States at 100 m, at seven depths to 1.5 m.

`<property>_<depth>_cm_<p|l|h|rpi>.tif` in EPSG:5070 (Nauman et al. 2024): prediction, low and high
end of the 95 % interval. Depths are points, not layers. Cells are whole numbers, the value times a
scalar that only the product's index says (`Final_Layer_Table_….csv`, columns `filename` and
`scalar`): it must be given, for a guess would be a wrong number with a right name.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.files import text
from diffhydro.data.readers.raster.geotiff import MEMORY, Header
from diffhydro.data.readers.raster.layers import Depth, depth_coordinates, depths_of, stacked
from diffhydro.data.readers.raster.mosaic import canvas, headers_of
from diffhydro.data.readers.raster.tiles import maps, tiffs
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "SOLUS100"
ESTIMATES = {"p": "prediction", "l": "95 % low", "h": "95 % high"}
_NAME = re.compile(r"^([a-z0-9]+)_(\d+|all)_cm_(p|l|h|rpi)\.tif$")
SOURCES = {
    "sandtotal": Source("sand", "%"),
    "silttotal": Source("silt", "%"),
    "claytotal": Source("clay", "%"),
    "soc": Source("organic_carbon", "%"),
    "dbovendry": Source("bulk_density", "g cm-3"),
}


def looks_like_solus(path: Path) -> bool:
    """Tell by the name, or by those inside a folder."""
    if path.is_dir():
        return any(_NAME.match(p.name) for p in path.rglob("*_cm_*.tif"))
    return _NAME.match(path.name) is not None


def read_solus(
    paths: Path | Iterable[Path],
    *,
    scalars: Mapping[str, float] | Path,
    estimate: str = "p",
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read soil at depths, lazily.

    Args:
        paths: Files, or folders of them.
        scalars: What the stored numbers are divided by: the product's index (a CSV file), or a
            number for every property (`{"claytotal": 1, "dbovendry": 100}`) or file name.
        estimate: `p` for the prediction, `l` and `h` for the ends of its 95 % interval.
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many cells one is kept.
        memory: Bytes that the maps may take when they are loaded.
    """
    if estimate not in ESTIMATES:
        raise InputError(f"estimate is {estimate!r}; expected {', '.join(ESTIMATES)}")
    files = tiffs(paths, PRODUCT)
    known = _index(scalars) if isinstance(scalars, Path) else dict(scalars)
    chosen = _chosen(files, estimate)
    headers = headers_of(chosen.values(), expected=PRODUCT, memory=memory)
    tiles = {
        key: [_scaled(header, key[0], known)] for key, header in zip(chosen, headers, strict=True)
    }
    on = canvas(headers, box=box, step=step, memory=memory, layers=len(tiles))
    found = maps(stacked(tiles, on), on.grid, depth_coordinates(depths_of(tiles)))
    notes = {"crs": on.grid.crs, "estimate": ESTIMATES[estimate]}
    return conform(found, SOURCES, Origin(PRODUCT, tuple(chosen.values()), notes))


def _chosen(files: Iterable[Path], estimate: str) -> dict[tuple[str, Depth], Path]:
    chosen: dict[tuple[str, Depth], Path] = {}
    for path in files:
        found = _NAME.match(path.name)
        if not found:
            raise InputError(f"{path.name} is not named like <property>_<depth>_cm_<p|l|h|rpi>.tif")
        name, depth, kind = found.groups()
        if kind == estimate and name in SOURCES and depth != "all":
            key = (name, (10.0 * int(depth), 10.0 * int(depth)))
            if key in chosen:
                raise InputError(f"{path} and {chosen[key]} are the same layer; give one of them")
            chosen[key] = path
    if not chosen:
        raise InputError(
            f"no file of estimate {estimate} and of one of {', '.join(SOURCES)} at a depth"
        )
    return chosen


def _scaled(header: Header, name: str, scalars: Mapping[str, float]) -> Header:
    scalar = scalars.get(header.path.name, scalars.get(name))
    if scalar is None or not scalar > 0.0:
        raise InputError(
            f"the scalar of {header.path.name} is {scalar}; stored numbers are the values times a "
            "scalar that the product's index lists: give the index, or "
            f"scalars={{{name!r}: …}}"
        )
    if (header.scale, header.offset) != (1.0, 0.0) or header.dtype.startswith("float"):
        raise InputError(
            f"{header.path.name} has cells of {header.dtype} with a scale of {header.scale} and an "
            f"offset of {header.offset}; {PRODUCT} has whole numbers and neither: was it converted "
            "already?"
        )
    return replace(header, scale=1.0 / scalar)


def _index(path: Path) -> dict[str, float]:
    """Read file names and scalars of the product's index."""
    rows = csv.DictReader(io.StringIO(text(path, expected=f"the index of {PRODUCT}")))
    if not {"filename", "scalar"} <= set(rows.fieldnames or ()):
        raise InputError(
            f"{path} has the columns {', '.join(rows.fieldnames or ()) or 'none'}; the index of "
            f"{PRODUCT} has filename and scalar"
        )
    found = {}
    for row in rows:
        try:
            found[str(row["filename"])] = float(row["scalar"])
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{path} line {rows.line_num}: the scalar of {row['filename']} is "
                f"{row['scalar']!r}; expected a number"
            ) from error
    return found
