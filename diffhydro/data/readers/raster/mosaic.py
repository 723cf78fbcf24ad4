"""Tiles as one array, lazily: a canvas that tiles share, and bands painted on it.

Tiles must lie on one grid: their cells are pasted, never resampled. Where tiles overlap the first
that has a value gives it. Blocks are read when they are computed, each opens the files that it
needs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.box import Box
from diffhydro.data.readers.raster.geotiff import Header, describe
from diffhydro.data.readers.raster.grid import Grid
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import dask.array as da

_CELLS = 2**20  # of a chunk
_WIDTH = 1024
_MOST_CHUNKS = 10**6


class Tile(Protocol):
    """A part of a map in a file: a GeoTIFF's header, or what reads like one."""

    @property
    def path(self) -> Path: ...
    @property
    def grid(self) -> Grid | None: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def block(self) -> tuple[int, int]: ...
    @property
    def scale(self) -> float: ...
    @property
    def offset(self) -> float: ...
    def there(self, raw: NDArray) -> NDArray:
        """Tell which of the cells hold a value."""
        ...

    def read(self, rows: slice, columns: slice) -> NDArray:
        """Read cells as they are stored; rows count from the north."""
        ...


@dataclass(frozen=True)
class Canvas:
    """What a data set shows: the cells of `full`, every `step`-th.

    Args:
        full: What the tiles share, cut to the user's box.
    """

    full: Grid
    step: int

    @property
    def grid(self) -> Grid:
        """Of the cells that are kept."""
        return self.full.every(self.step) if self.step > 1 else self.full

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that are kept."""
        return self.grid.rows, self.grid.columns

    def chunks(self, block: tuple[int, int]) -> tuple[int, int]:
        """Give rows and columns of a chunk: whole blocks of the files, about a million cells."""
        columns = min(self.full.columns, max(_WIDTH, block[1]))
        rows = min(self.full.rows, max(1, _CELLS // columns // block[0]) * block[0])
        return max(1, rows // self.step), max(1, columns // self.step)


def headers_of(paths: Iterable[Path], *, expected: str, memory: float) -> list[Header]:
    """Read the headers of files that say where they lie."""
    found = [describe(path, expected=expected, memory=memory) for path in paths]
    for header in found:
        if header.grid is None:
            raise InputError(
                f"{header.path} does not say where it lies (no transform, or no reference system); "
                "give it both, for example with rio edit-info --crs … --transform …"
            )
    return found


def canvas(
    tiles: Sequence[Tile], *, box: Box | None, step: int, memory: float, layers: int = 1
) -> Canvas:
    """Lay out what all tiles cover together, cut to a box.

    Args:
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many cells one is kept.
        memory: Bytes that the layers may take when they are loaded in single precision.
        layers: How many maps the data set has.
    """
    if step < 1 or int(step) != step:
        raise InputError(f"step is {step}; every how many cells one is kept, 1 or more")
    grids = [(tile.grid, tile.path) for tile in tiles if tile.grid is not None]
    full = _union(grids)
    if box is not None:
        full = full.cut(*full.within(box, grids[0][1].name))
    made = Canvas(full, int(step))
    if step > min(full.rows, full.columns):
        raise InputError(f"step is {step}, more than the {full.rows} × {full.columns} cells")
    needed = 4.0 * layers * made.shape[0] * made.shape[1]
    if needed > memory:
        raise InputError(
            f"{grids[0][1].name} and {len(grids) - 1} more have {layers} × {made.shape[0]} × "
            f"{made.shape[1]} cells, {needed:.3g} bytes, with step = {step}; memory = "
            f"{memory:.3g} bytes are allowed: give a smaller box, another step, or raise the limit"
        )
    return made


def paint(tiles: Sequence[Tile], on: Canvas, *, keys: bool = False) -> "da.Array":
    """Give tiles over a canvas, `[y, x]`.

    Args:
        keys: Whether the cells are keys, which keep their type and are 0 where there is none;
            numbers have the file's scale applied, are in single precision, and NaN where there is
            none.
    """
    import dask.array as da

    placed = [(t, on.full.offset(t.grid, t.path)) for t in tiles if t.grid is not None]
    kept = tuple((t, at) for t, at in placed if _overlaps(t.shape, at, on.full))
    if not kept:
        nothing = np.uint32(0) if keys else np.float32(np.nan)
        return da.full(on.shape, nothing, nothing.dtype, chunks=on.chunks((1, 1)))
    kind = np.result_type(*(np.dtype(t.dtype) for t, _ in kept)) if keys else np.dtype(np.float32)
    chunks: Any = on.chunks(kept[0][0].block)
    if np.prod([-(-n // c) for n, c in zip(on.shape, chunks, strict=True)]) > _MOST_CHUNKS:
        raise InputError(f"{kept[0][0].path} is stored in blocks too small for its size; tile it")
    source = _Painting(kept, on, kind.name)
    return da.from_array(
        source, chunks=chunks, name=False, getitem=_part, meta=np.empty((0, 0), kind)
    )


def _part(painting: "_Painting", key: Any, **_: Any) -> NDArray:
    """Read a chunk; a function of its own, into which Dask fuses no other way of indexing."""
    return painting[key]


@dataclass(frozen=True)
class _Painting:
    """An array that reads what is asked of it."""

    tiles: tuple[tuple[Tile, tuple[int, int]], ...]
    on: Canvas
    kind: str

    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        return self.on.shape

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.kind)

    def __getitem__(self, key: Any) -> NDArray:
        rows, columns = (self._full(k, n) for k, n in zip(key, self.shape, strict=True))
        out = np.zeros((rows.stop - rows.start, columns.stop - columns.start), self.dtype)
        bare = np.ones(out.shape, bool)
        for tile, (row, column) in self.tiles:
            y, x = _shared(rows, row, tile.shape[0]), _shared(columns, column, tile.shape[1])
            if y.stop <= y.start or x.stop <= x.start:
                continue
            raw = tile.read(_moved(y, -row), _moved(x, -column))
            here = (_moved(y, -rows.start), _moved(x, -columns.start))
            new = bare[here] & tile.there(raw)
            out[here][new] = self._value(tile, raw[new])
            bare[here] &= ~new
        if self.dtype.kind == "f":
            out[bare] = np.nan
        return out[:: self.on.step, :: self.on.step]

    def _value(self, tile: Tile, raw: NDArray) -> NDArray:
        if self.dtype.kind != "f":
            return raw.astype(self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            if (tile.scale, tile.offset) != (1.0, 0.0):
                raw = raw.astype(np.float64) * tile.scale + tile.offset
            return raw.astype(self.dtype)

    def _full(self, key: Any, count: int) -> slice:
        """Give the cells of the full canvas from the first kept cell to the last."""
        first, last, _ = key.indices(count)
        step, middle = self.on.step, self.on.step // 2
        return slice(first * step + middle, max(last - 1, first) * step + middle + 1)


def _union(grids: Sequence[tuple[Grid, Path]]) -> Grid:
    """Give the grid that holds all, counted from the first."""
    base = grids[0][0]
    at = [(base.offset(grid, path), grid) for grid, path in grids]
    top, left = min(a[0] for a, _ in at), min(a[1] for a, _ in at)
    bottom, right = max(a[0] + g.rows for a, g in at), max(a[1] + g.columns for a, g in at)
    return base.cut(slice(top, bottom), slice(left, right))


def _overlaps(shape: tuple[int, int], at: tuple[int, int], full: Grid) -> bool:
    y, x = (
        _shared(slice(0, n), first, count)
        for n, first, count in zip((full.rows, full.columns), at, shape, strict=True)
    )
    return y.stop > y.start and x.stop > x.start


def _shared(wanted: slice, first: int, count: int) -> slice:
    return slice(max(wanted.start, first), min(wanted.stop, first + count))


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
