"""Maps of classes: codes with what they mean, and the share of each on a coarser grid."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.raster.mosaic import canvas, headers_of, paint
from diffhydro.data.readers.raster.tiles import maps, tiffs
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_CODES = 256
_SIDE = 1024  # cells of a chunk


def read_classes(
    paths: Path | Iterable[Path],
    product: str,
    name: str,
    meanings: Mapping[int, str],
    *,
    box: Box | None,
    step: int,
    memory: float,
    notes: Mapping[str, str] | None = None,
) -> "xr.Dataset":
    """Read codes of one byte, lazily; a code without a meaning is missing.

    Args:
        name: The schema's name of the variable.
        meanings: What the codes stand for, in words without blanks.
    """
    files = tiffs(paths, product)
    headers = headers_of(files, expected=product, memory=memory)
    for header in headers:
        if header.dtype != "uint8":
            raise InputError(f"{header.path} has cells of {header.dtype}; {product} has uint8")
    on = canvas(headers, box=box, step=step, memory=memory)
    known = np.full(_CODES, np.nan, np.float32)
    known[list(meanings)] = list(meanings)
    codes = paint(headers, on, keys=True).map_blocks(_looked_up, known, dtype=np.float32)
    given = {"crs": on.grid.crs, **(notes or {})}
    found = maps({name: codes}, on.grid)
    made = conform(found, {name: Source(name, "1")}, Origin(product, tuple(files), given))
    made[name].attrs |= {
        "flag_values": np.array(list(meanings), np.uint8),
        "flag_meanings": " ".join(meanings.values()),
    }
    return made


def _looked_up(codes: np.ndarray, table: np.ndarray) -> np.ndarray:
    return table[codes]


def class_shares(codes: "xr.DataArray", cells: int, *, least: float = 0.5) -> "xr.DataArray":
    """Give the share of every class in squares of `cells` × `cells`, `[class, y, x]`.

    Shares are of the cells whose class is known, and add up to 1. What is left at the south and
    east edges is dropped. Lazy where the codes are.

    Args:
        codes: With the attributes `flag_values` and `flag_meanings`, from a reader of classes.
        least: Share of a square that must be known; of less nothing is said.
    """
    import xarray as xr

    if "flag_values" not in codes.attrs:
        raise InputError(f"{codes.name} has no attribute flag_values; is it a map of classes?")
    if not 1 <= cells <= min(codes.sizes["y"], codes.sizes["x"]):
        raise InputError(
            f"squares of {cells} cells do not fit a map of {codes.sizes['y']} × {codes.sizes['x']}"
        )
    values = np.atleast_1d(codes.attrs["flag_values"]).astype(np.int64)
    whole = codes.transpose("y", "x").isel(
        {d: slice(codes.sizes[d] // cells * cells) for d in "yx"}
    )
    middles = {
        str(name): (c.dims, c.values.reshape(-1, cells).mean(1), c.attrs)
        for name, c in whole.coords.items()
        if c.dims in (("y",), ("x",))
    }
    return xr.DataArray(
        _counted(whole.data, values, cells, max(least, 1e-9)),
        {
            **middles,
            "class": values,
            "meaning": ("class", str(codes.attrs["flag_meanings"]).split()),
        },
        ("class", "y", "x"),
        f"{codes.name}_share",
        {"units": "1", "long_name": f"share of {codes.name}"},
    )


def _counted(codes: Any, values: NDArray, cells: int, least: float) -> Any:
    """Give the shares of an array, or lazily of one in chunks, which become whole squares."""
    if isinstance(codes, np.ndarray):
        return _shares(codes, values, cells, least)
    side = max(1, _SIDE // cells) * cells
    squares = codes.rechunk((side, side))
    chunks = ((values.size,), *(tuple(n // cells for n in along) for along in squares.chunks))
    return squares.map_blocks(
        _shares, values, cells, least, new_axis=0, chunks=chunks, dtype=np.float32
    )


def _shares(codes: NDArray, values: NDArray, cells: int, least: float) -> NDArray:
    """Count classes in squares; the last count is of what is none of them."""
    rows, columns = (n // cells for n in codes.shape)
    order = np.argsort(values)
    at = order[np.minimum(np.searchsorted(values, codes, sorter=order), values.size - 1)]
    which = np.where(values[at] == codes, at, values.size)
    square = np.add.outer(
        np.arange(codes.shape[0]) // cells * columns, np.arange(codes.shape[1]) // cells
    )
    length = rows * columns * (values.size + 1)
    counts = np.bincount((square * (values.size + 1) + which).ravel(), minlength=length)
    counts = counts.reshape(rows, columns, -1)[..., :-1]
    known = counts.sum(-1)
    enough = np.where(known >= least * cells**2, known, np.nan)
    return np.moveaxis(counts / enough[..., None], -1, 0).astype(np.float32)
