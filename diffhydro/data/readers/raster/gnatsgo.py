"""gNATSGO: keys of soil map units at 30 m (10 m by state), and maps of what they stand for.

GeoTIFF in EPSG:5070 (USDA-NRCS, Soil Survey Staff). Cells are keys, six to seven digits and more
than single precision holds: they stay whole numbers here, 0 where there is none, and are never
averaged. `read_map_units` turns the tables that come with them into soil by key, `soil_of` puts
that soil where the keys are.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.box import Box
from diffhydro.data.conform import Origin, attributes
from diffhydro.data.readers.raster.geotiff import MEMORY
from diffhydro.data.readers.raster.mosaic import canvas, headers_of, paint
from diffhydro.data.readers.raster.tiles import maps, tiffs
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "gNATSGO"
_LARGEST = np.iinfo(np.uint32).max


def read_gnatsgo(
    paths: Path | Iterable[Path],
    *,
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read `map_unit`, whole numbers with 0 for none, lazily.

    Args:
        paths: Files, or folders of them.
        box: West, south, east, north in degrees; None for all there is.
        step: Every how many cells one is kept.
        memory: Bytes that the map may take when it is loaded.
    """
    files = tiffs(paths, PRODUCT)
    headers = headers_of(files, expected=PRODUCT, memory=memory)
    for header in headers:
        if np.dtype(header.dtype).kind not in "iu":
            raise InputError(
                f"{header.path} has cells of {header.dtype}; keys of map units are whole numbers "
                "of 32 bits, and lose digits in anything else: convert from the original"
            )
    on = canvas(headers, box=box, step=step, memory=memory)
    keys = paint(headers, on, keys=True).map_blocks(_keys, dtype=np.uint32)
    found = maps({"map_unit": keys}, on.grid)
    found["map_unit"].attrs = attributes(VARIABLES["map_unit"]) | {
        "source_name": "mukey",
        "none": np.uint32(0),
    }
    origin = Origin(PRODUCT, tuple(files), {"crs": on.grid.crs})
    return found.assign_attrs(origin.attributes())


def soil_of(keys: "xr.DataArray", units: "xr.Dataset") -> "xr.Dataset":
    """Put the soil of map units where their keys are, `[depth, y, x]`; lazy where the keys are.

    Args:
        keys: Of `read_gnatsgo`, in any shape.
        units: Of `read_map_units`, over `map_unit`.
    """
    import xarray as xr

    if keys.dtype.kind not in "iu":
        raise InputError(f"keys are {keys.dtype}; expected whole numbers, as read_gnatsgo gives")
    known = units["map_unit"].values
    at = xr.apply_ufunc(
        _places, keys, kwargs={"known": known}, dask="parallelized", output_dtypes=[np.int64]
    )
    made = {}
    for name, values in units.data_vars.items():
        table = np.append(values.values, np.full((1, *values.shape[1:]), np.nan, values.dtype), 0)
        taken = xr.apply_ufunc(
            _rows,
            at,
            kwargs={"table": table},
            output_core_dims=[values.dims[1:]],
            dask="parallelized",
            output_dtypes=[table.dtype],
            dask_gufunc_kwargs={"output_sizes": {d: units.sizes[d] for d in values.dims[1:]}},
        )
        made[name] = taken.transpose(*values.dims[1:], *keys.dims).assign_attrs(values.attrs)
    depths = {n: units.coords[n] for n in ("depth", "top", "bottom") if n in units.coords}
    return xr.Dataset(made, attrs=units.attrs).assign_coords(depths)


def _keys(raw: NDArray) -> NDArray:
    """Give keys as 32-bit numbers; what is none becomes 0."""
    return np.where((raw > 0) & (raw <= _LARGEST), raw, 0).astype(np.uint32)


def _places(keys: NDArray, known: NDArray) -> NDArray:
    """Give the row of every key; −1, the last, of one that is not known."""
    at = np.minimum(np.searchsorted(known, keys), known.size - 1)
    return np.where(known[at] == keys, at, -1).astype(np.int64)


def _rows(at: NDArray, table: NDArray) -> NDArray:
    return table[at]
