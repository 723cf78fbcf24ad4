"""MODIS leaf area from the subset service, as a table: a row for a pixel, a date and a field.

Pixels of a window of `nrows` × `ncols` count from 1 in the upper left corner, row by row; values
are MODIS' bytes, not scaled. Pixels that the table lacks are missing.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.conform import Origin, conform
from diffhydro.data.readers.files import text
from diffhydro.data.readers.modis.codes import QUALITY, SCALES, SOURCES, Keep, decoded, said
from diffhydro.data.readers.modis.names import date_in
from diffhydro.data.readers.raster.grid import Grid
from diffhydro.data.readers.raster.tiles import maps
from diffhydro.data.sinusoidal import CRS
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "MODIS subset table"
_PLACE = ("xllcorner", "yllcorner", "cellsize", "nrows", "ncols")
_NEEDED = (*_PLACE, "band", "product", "site", "modis_date", "pixel", "value")
_LARGEST = 2**31
_MOST_PIXELS = 1_000_000  # the service gives 401 × 401 at most


class _Row(NamedTuple):
    band: str
    date: np.datetime64
    pixel: int
    value: int


@dataclass(frozen=True)
class _Window:
    """What all rows of a table share."""

    site: str
    product: str
    grid: Grid


def read_modis_table(paths: Path | Iterable[Path], *, keep: Keep | None = None) -> "xr.Dataset":
    """Read `leaf_area` and `fpar` over time, in a window around one site.

    Args:
        paths: Tables of one window; the fields may be in one or in several.
        keep: Methods and clouds whose values are kept; None for the default of `Keep`. The quality
            counts where the tables have the field `FparLai_QC`.
    """
    keep, files = keep or Keep(), [paths] if isinstance(paths, Path) else list(paths)
    window, rows = None, []
    for path in files:
        for found, row in _rows(path):
            if window is not None and found != window:
                raise InputError(
                    f"{path} has a window of {found.product} at {found.site}, others one of "
                    f"{window.product} at {window.site}; read one window at a time"
                )
            window = found
            rows.append(row)
    if window is None:
        raise InputError(f"no rows in {', '.join(map(str, files)) or 'no table'}")
    times, layers = _layers(rows, window.grid)
    found = maps({}, window.grid).assign(decoded(layers, keep))
    found = found.assign_coords(time=times.astype("datetime64[ns]"))
    notes = {"crs": CRS, "time_zone": "UTC", "site": window.site, **said(keep, QUALITY in layers)}
    return conform(found, SOURCES, Origin(window.product, tuple(files), notes))


def _rows(path: Path) -> Iterator[tuple[_Window, _Row]]:
    table = csv.DictReader(io.StringIO(text(path, expected=PRODUCT)))
    missing = [name for name in _NEEDED if name not in (table.fieldnames or ())]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; is it a {PRODUCT}?")
    windows: dict[tuple[str, ...], _Window] = {}
    while True:
        try:
            row = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{path} line {table.line_num}: {error}") from error
        where = f"{path} line {table.line_num}"
        if any(row[name] is None for name in _NEEDED):
            raise InputError(f"{where} is cut short")
        key = tuple(row[name] for name in (*_PLACE, "site", "product"))
        if key not in windows:
            windows[key] = _window(row, where)
        pixel, value = (_whole(row[name], name, where) for name in ("pixel", "value"))
        if not 1 <= pixel <= windows[key].grid.rows * windows[key].grid.columns:
            raise InputError(f"{where}: pixel {pixel} is outside of its window")
        date = date_in(row["modis_date"], path)
        yield windows[key], _Row(row["band"], date, pixel, value)


def _window(row: dict[str, str], where: str) -> _Window:
    try:
        left, bottom, size = (float(row[name]) for name in _PLACE[:3])
    except ValueError as error:
        raise InputError(f"{where}: {error} among {', '.join(_PLACE[:3])}") from error
    rows, columns = (_whole(row[name], name, where) for name in _PLACE[3:])
    if not np.isfinite([left, bottom]).all() or not 1.0 <= size <= 1e5:
        raise InputError(f"{where}: a window at {left}, {bottom} of pixels of {size} m")
    if min(rows, columns) < 1 or rows * columns > _MOST_PIXELS:
        raise InputError(f"{where}: a window of {rows} × {columns} pixels")
    grid = Grid(CRS, False, left, bottom + rows * size, size, size, rows, columns)
    return _Window(row["site"], row["product"], grid)


def _whole(word: str, name: str, where: str) -> int:
    try:
        number = int(word)
        if abs(number) > _LARGEST:
            raise ValueError
    except ValueError as error:
        raise InputError(f"{where}, {name}: {word[:20]!r} is no whole number") from error
    return number


def _layers(rows: list[_Row], grid: Grid) -> tuple[NDArray, dict[str, NDArray]]:
    """Put bytes where they belong, `[time, y, x]`; each may be given once."""
    times = np.unique(np.array([row.date for row in rows]))
    shape = (times.size, grid.rows, grid.columns)
    if times.size * grid.rows * grid.columns > _MOST_PIXELS * 100:
        raise InputError(f"{times.size} dates of {grid.rows} × {grid.columns} pixels are too many")
    layers: dict[str, NDArray] = {}
    for band in sorted({row.band for row in rows} & {*SCALES, QUALITY}):
        mine = [row for row in rows if row.band == band]
        date = np.searchsorted(times, np.array([row.date for row in mine]))
        at = date * grid.rows * grid.columns + np.array([row.pixel for row in mine]) - 1
        if np.unique(at).size < at.size:
            raise InputError(f"a pixel of {band} is given twice for a date; give every table once")
        values = np.full(np.prod(shape), np.nan, np.float32)
        values[at] = [row.value for row in mine]
        layers[band] = values.reshape(shape)
    return times, layers
