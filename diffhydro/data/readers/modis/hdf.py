"""MODIS leaf area in HDF4-EOS, a file for a tile and a composite.

`MOD15A2H.AYYYYDDD.hHHvVV.061.<production>.hdf` holds bytes of 2400 × 2400 pixels on the sinusoidal
grid. Where a tile lies is computed from its name. Composites of 8 days (4 in MCD15A3H) are stamped
with their first day. The HDF4 library is brought down by damaged files, and knows no threads: every
window is read by a process of its own (`hdf_child`).
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, conform
from diffhydro.data.readers.files import reading
from diffhydro.data.readers.modis.codes import QUALITY, SCALES, SOURCES, Keep, decoded, said
from diffhydro.data.readers.modis.hdf_child import UINT8
from diffhydro.data.readers.modis.names import date_in, tile_in
from diffhydro.data.readers.raster.geotiff import MEMORY
from diffhydro.data.readers.raster.grid import Grid
from diffhydro.data.readers.raster.mosaic import canvas, paint
from diffhydro.data.readers.raster.tiles import maps
from diffhydro.data.sinusoidal import CRS, TILE, corner
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PIXELS = 2400  # along a side of a tile
_EXPECTED = "MODIS leaf area"
_NAME = re.compile(
    r"^(MOD15A2H|MYD15A2H|MCD15A2H|MCD15A3H)\.A\d{7}\.h\d{2}v\d{2}\.\d{3}\.\d+\.hdf$"
)
_CHILD = Path(__file__).with_name("hdf_child.py")
_PATIENCE = 120.0  # s, for one window


def looks_like_modis(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    if path.is_dir():
        return any(_NAME.match(found.name) for found in path.rglob("M*15A*.hdf"))
    return _NAME.match(path.name) is not None


def read_modis(
    paths: Path | Iterable[Path],
    *,
    keep: Keep | None = None,
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read `leaf_area` and `fpar` over time, lazily; tiles are joined.

    Args:
        paths: Files of one product, or folders of them.
        keep: Methods and clouds whose values are kept; None for the default of `Keep`.
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many pixels one is kept.
        memory: Bytes that the maps may take when they are loaded.
    """
    import dask.array as da

    keep, files = keep or Keep(), _files(paths)
    product = _product(files)
    by_date: dict[np.datetime64, list[Path]] = {}
    for path in sorted(files, key=lambda path: path.name):
        by_date.setdefault(date_in(path.name, path), []).append(path)
    fields = [name for name in (*SCALES, QUALITY) if name in _fields(files[0])]
    every = [_tile(path, QUALITY) for path in files]
    on = canvas(every, box=box, step=step, memory=memory, layers=len(fields) * len(by_date))
    layers = {
        name: da.stack([paint([_tile(p, name) for p in some], on) for some in by_date.values()])
        for name in fields
    }
    found = maps({}, on.grid).assign(decoded(layers, keep))
    found = found.assign_coords(time=np.array(list(by_date), "datetime64[ns]"))
    notes = {"crs": CRS, "time_zone": "UTC", **said(keep, QUALITY in fields)}
    return conform(found, SOURCES, Origin(product, tuple(sorted(files)), notes))


@dataclass(frozen=True)
class _HdfTile:
    """One field of a file, for a mosaic."""

    path: Path
    field: str
    grid: Grid

    shape, block = (PIXELS, PIXELS), (PIXELS, PIXELS)
    dtype, scale, offset = "uint8", 1.0, 0.0

    def there(self, raw: NDArray) -> NDArray:
        """Keep all; codes are told apart later."""
        return np.ones(raw.shape, bool)

    def read(self, rows: slice, columns: slice) -> NDArray:
        """Read pixels."""
        window = (rows.start, rows.stop, columns.start, columns.stop)
        answer = _asked(self.path, self.field, *map(str, window))
        shape = rows.stop - rows.start, columns.stop - columns.start
        if len(answer) != shape[0] * shape[1]:
            raise InputError(f"{self.path} gave {len(answer)} bytes of {self.field} for {shape}")
        return np.frombuffer(answer, np.uint8).reshape(shape)


def _tile(path: Path, field: str) -> _HdfTile:
    left, top = corner(*tile_in(path))
    size = TILE / PIXELS
    return _HdfTile(path, field, Grid(CRS, False, left, top, size, size, PIXELS, PIXELS))


def _files(paths: Path | Iterable[Path]) -> list[Path]:
    given = [paths] if isinstance(paths, Path) else list(paths)
    files = [f for p in given for f in (sorted(p.rglob("*.hdf")) if p.is_dir() else [p])]
    if not files:
        raise InputError(f"no file M…15A….hdf in {', '.join(map(str, given)) or 'nothing'}")
    seen: dict[str, Path] = {}
    for path in files:
        if not _NAME.match(path.name):
            raise InputError(f"{path.name} is not named like MOD15A2H.AYYYYDDD.hHHvVV.061.<…>.hdf")
        which = ".".join(path.name.split(".")[:3])
        if which in seen:
            raise InputError(f"{seen[which]} and {path} are the same tile and date; give one")
        seen[which] = path
    return files


def _product(files: Iterable[Path]) -> str:
    products = sorted({path.name.split(".")[0] for path in files})
    if len(products) > 1:
        raise InputError(f"files are of {', '.join(products)}; read one product at a time")
    return products[0]


def _fields(path: Path) -> set[str]:
    """List the fields that are read here; they are tiles of bytes."""
    lines = [line.split() for line in _asked(path).decode("utf-8", "replace").splitlines()]
    found = {line[0]: line[1:] for line in lines if line[0] in {*SCALES, QUALITY}}
    for name, (rows, columns, kind) in found.items():
        if (int(rows), int(columns), int(kind)) != (PIXELS, PIXELS, UINT8):
            raise InputError(
                f"{name} of {path} has {rows} × {columns} pixels of type {kind}; expected {PIXELS} "
                f"× {PIXELS} bytes"
            )
    return set(found)


def _asked(path: Path, *question: str) -> bytes:
    """Let a process of its own read a file."""
    with reading(path, _EXPECTED, "hdf4"):
        import pyhdf  # noqa: F401 — said here when it is missing, not by the process

        if not path.is_file():
            raise FileNotFoundError(path)
        command = [sys.executable, "-P", str(_CHILD), str(path.absolute()), *question]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                timeout=_PATIENCE,
                check=False,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each would take memory
            )
        except subprocess.TimeoutExpired as error:
            raise OSError(f"the HDF4 library found no end in {_PATIENCE:.0f} s") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise OSError(said if done.returncode == 2 else "the HDF4 library broke down")
    return done.stdout
