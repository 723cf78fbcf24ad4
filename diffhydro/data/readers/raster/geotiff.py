"""One GeoTIFF: what its header says, and windows of its cells.

Files are read by GDAL's GeoTIFF driver and no other, from a plain file on the disk and nothing
beside it: no virtual file system, no network, no sidecar, no overview. Every window opens the file
anew, so that windows can be read in any thread or process. What a header asks for is held against
a limit before anything is allocated.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.readers.files import reading
from diffhydro.data.readers.raster.grid import Grid
from diffhydro.errors import InputError

MEMORY = 4e9  # bytes; a tenth of the contiguous United States at 30 m, in single precision
_ALONE: dict[str, Any] = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}
_MOST_BANDS = 10_000
_WARNINGS = threading.Lock()  # Python's filters are shared by all threads


@dataclass(frozen=True)
class Header:
    """What a GeoTIFF says of itself.

    Args:
        grid: None when the file does not say where it lies.
        warns: Whether rasterio warns of the file, which has no transform.
        block: Rows and columns that are read at once.
        upside_down: Whether its first row is the southernmost.
        nodata: The value of cells that have none.
        unit: Of the cells; empty when it is not said.
        labels: What the bands are called.
        band: Which of them is read.
    """

    path: Path
    shape: tuple[int, int]
    bands: int
    dtype: str
    block: tuple[int, int]
    grid: Grid | None
    warns: bool
    upside_down: bool
    nodata: float | None
    scale: float
    offset: float
    unit: str
    labels: tuple[str, ...]
    band: int = 1

    def there(self, raw: NDArray) -> NDArray:
        """Tell which of the cells hold a value."""
        there = np.isfinite(raw) if raw.dtype.kind == "f" else np.ones(raw.shape, bool)
        if self.nodata is None or not _fits(self.nodata, raw.dtype):
            return there
        with np.errstate(over="ignore"):  # a double's mark in a single's file
            return there & (raw != np.array(self.nodata).astype(raw.dtype))

    def read(self, rows: slice, columns: slice) -> NDArray:
        """Read cells as they are stored; rows count from the north."""
        from rasterio.windows import Window

        first, last = rows.start, rows.stop
        if self.upside_down:
            first, last = self.shape[0] - rows.stop, self.shape[0] - rows.start
        part = Window.from_slices((first, last), (columns.start, columns.stop))
        with _opened(self.path, "GeoTIFF", quiet=self.warns) as source:
            if source.shape != self.shape or self.band > source.count:
                raise InputError(f"{self.path} has changed since it was opened; open it again")
            raw = source.read(self.band, window=part)
        return raw[::-1] if self.upside_down else raw


def describe(path: Path, *, expected: str, memory: float = MEMORY) -> Header:
    """Read the header.

    Args:
        expected: What the file should be, for the error that says that it is not.
        memory: Bytes that a block of the file may take.
    """
    with _opened(path, expected, quiet=True) as source:
        kind = np.dtype(source.dtypes[0])
        if kind.kind not in "iuf" or len(set(source.dtypes)) > 1 or source.count > _MOST_BANDS:
            raise InputError(
                f"{path} has {source.count} bands of {', '.join(sorted(set(source.dtypes)))}; "
                f"{expected} has numbers of one kind"
            )
        _check_block(path, source, kind, memory)
        return Header(
            path=path,
            shape=source.shape,
            bands=source.count,
            dtype=kind.name,
            block=source.block_shapes[0],
            grid=_grid(path, source),
            warns=source.transform.is_identity,
            upside_down=source.transform.e > 0.0 and not source.transform.is_identity,
            nodata=source.nodata,
            scale=source.scales[0],
            offset=source.offsets[0],
            unit=source.units[0] or "",
            labels=tuple(label or "" for label in source.descriptions),
        )


@contextmanager
def _opened(path: Path, expected: str, *, quiet: bool) -> Iterator[Any]:
    """Open a file; `quiet` where it may not say where it lies, of which rasterio would warn."""
    with reading(path, expected, "raster"):
        import rasterio
        from rasterio._err import CPLE_BaseError
        from rasterio.errors import RasterioError
        from rasterio.session import DummySession

        if not path.is_file() or str(path).startswith("/vsi"):
            raise InputError(f"no file at {path}; GeoTIFFs are read from the disk")
        try:
            with rasterio.Env(session=DummySession(), **_ALONE):
                name = str(path.absolute())
                source = _open_quietly(name) if quiet else rasterio.open(name, driver="GTiff")
                with source:
                    yield source
        except (RasterioError, CPLE_BaseError) as error:
            raise OSError(str(error)) from error


def _open_quietly(name: str) -> Any:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(name, driver="GTiff")


def _check_block(path: Path, source: Any, kind: np.dtype, memory: float) -> None:
    together = source.count if str(source.profile.get("interleave", "")) == "pixel" else 1
    for rows, columns in source.block_shapes[:1]:
        if float(rows) * columns * kind.itemsize * together > memory:
            raise InputError(
                f"{path} is stored in blocks of {rows} × {columns} cells of {kind.name}; one takes "
                f"more than memory = {memory:.3g} bytes: tile the file, or raise the limit"
            )


def _grid(path: Path, source: Any) -> Grid | None:
    place = source.transform
    if place.is_identity or source.crs is None:
        return None
    if place.b or place.d:
        raise InputError(f"{path} is turned against north; warp it to a north-up grid first")
    geographic = bool(source.crs.is_geographic)
    if not geographic and source.crs.linear_units_factor[1] != 1.0:
        raise InputError(
            f"{path} lies on a map in {source.crs.linear_units}; warp it to one in metres first"
        )
    rows, columns = source.shape
    top = place.f if place.e < 0.0 else place.f + rows * place.e
    number = source.crs.to_epsg(confidence_threshold=90)
    crs = f"EPSG:{number}" if number else source.crs.to_wkt()
    return Grid(crs, geographic, place.c, top, place.a, abs(place.e), rows, columns).checked(path)


def _fits(value: float, kind: np.dtype) -> bool:
    """Tell whether a type can hold a value; a mark that it cannot hold marks nothing."""
    if kind.kind == "f":
        return True
    least, most = np.iinfo(kind).min, np.iinfo(kind).max
    return bool(np.isfinite(value)) and value == int(value) and least <= value <= most
