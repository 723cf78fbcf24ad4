"""MODIS leaf area as GeoTIFF: a stack with a band for each date, or a file for each.

Cells are MODIS' bytes, not scaled. Dates are the labels of the bands (`2004-01-01`), or in the
names of the files (`A2004001`, `doy2004001`).
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data import sinusoidal
from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, conform
from diffhydro.data.readers.modis.codes import (
    FPAR,
    LEAF_AREA,
    QUALITY,
    SOURCES,
    Keep,
    decoded,
    said,
)
from diffhydro.data.readers.modis.names import date_in
from diffhydro.data.readers.raster.geotiff import MEMORY, Header
from diffhydro.data.readers.raster.grid import Grid
from diffhydro.data.readers.raster.mosaic import canvas, headers_of, paint
from diffhydro.data.readers.raster.tiles import maps, tiffs
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "MODIS leaf area"
_FIELDS = {"leaf_area": LEAF_AREA, "fpar": FPAR}
_Dated = dict[np.datetime64, list[Header]]


def read_modis_geotiff(
    paths: Path | Iterable[Path],
    *,
    variable: str = "leaf_area",
    quality: Path | Iterable[Path] | None = None,
    keep: Keep | None = None,
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read one variable over time, lazily.

    Args:
        paths: Files, or folders of them.
        variable: What the bytes are, `leaf_area` or `fpar`.
        quality: Files of `FparLai_QC` of the same dates; None keeps all values.
        keep: Methods and clouds whose values are kept; None for the default of `Keep`.
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many pixels one is kept.
        memory: Bytes that the maps may take when they are loaded.
    """
    import dask.array as da

    if variable not in _FIELDS:
        raise InputError(f"variable is {variable!r}; expected {' or '.join(_FIELDS)}")
    keep, files = keep or Keep(), tiffs(paths, PRODUCT)
    given = {_FIELDS[variable]: _dated(files, memory)}
    if quality is not None:
        given[QUALITY] = _dated(tiffs(quality, QUALITY), memory)
    times = sorted(given[_FIELDS[variable]])
    bare = [time for dated in given.values() for time in times if time not in dated]
    if bare:
        raise InputError(f"the quality lacks {len(bare)} of {len(times)} dates (first: {bare[0]})")
    every = [header for some in given[_FIELDS[variable]].values() for header in some]
    on = canvas(every, box=box, step=step, memory=memory, layers=len(times))
    layers = {
        name: da.stack([paint(dated[time], on) for time in times]) for name, dated in given.items()
    }
    found = maps({}, on.grid).assign(decoded(layers, keep))
    found = found.assign_coords(time=np.array(times, "datetime64[ns]"))
    notes = {"crs": on.grid.crs, "time_zone": "UTC", **said(keep, quality is not None)}
    return conform(found, SOURCES, Origin(PRODUCT, tuple(files), notes))


def _dated(files: list[Path], memory: float) -> _Dated:
    """Give the bands of every date."""
    dated: _Dated = {}
    for header in headers_of(files, expected=PRODUCT, memory=memory):
        if header.dtype != "uint8" or (header.scale, header.offset) != (1.0, 0.0):
            raise InputError(
                f"{header.path} has cells of {header.dtype} with scale {header.scale}; expected "
                "MODIS' bytes as they are"
            )
        for band, time in enumerate(_dates(header), 1):
            # 255 is what the decoding knows as nothing; other marks would hide a code.
            own = replace(header, grid=_named(header), nodata=255.0, band=band)
            dated.setdefault(time, []).append(own)
    return dated


def _dates(header: Header) -> list[np.datetime64]:
    """Give the date of every band, each once."""
    if header.bands == 1 and not header.labels[0]:
        return [date_in(header.path.name, header.path)]
    dates = [_date(label, header.path) for label in header.labels]
    if len(set(dates)) < len(dates) or np.isnat(dates).any():
        raise InputError(
            f"{header.path} has bands labelled {', '.join(header.labels[:3])} …; expected a date "
            "for each, once"
        )
    return dates


def _date(label: str, where: Path) -> np.datetime64:
    try:
        return np.datetime64(label, "D")
    except ValueError:
        return date_in(label, where)


def _named(header: Header) -> Grid | None:
    """Give the grid; MODIS' own projection has no number, and one name here."""
    grid = header.grid
    is_modis = grid is not None and "Sinusoidal" in grid.crs and "6371007.181" in grid.crs
    return replace(grid, crs=sinusoidal.CRS) if grid is not None and is_modis else grid
