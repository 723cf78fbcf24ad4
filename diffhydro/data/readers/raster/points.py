"""Values of a map at places: the cell that holds each, on geographic, EASE and projected grids.

Cells are square in the grid's own coordinates, so places are brought there: degrees as they are,
EASE-Grid by `ease.project`, other projections by rasterio from the attribute `crs`.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffhydro.data import ease
from diffhydro.data.readers.raster.projection import project
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_UNEVEN = 0.01  # of a cell


def at_points(maps: "xr.Dataset", latitude: ArrayLike, longitude: ArrayLike) -> "xr.Dataset":
    """Give the values of maps at places, along `site`; outside they are NaN, and keys 0.

    Lazy where the maps are.

    Args:
        maps: With `latitude` and `longitude`, or with `y`, `x` and the attribute `crs`.
        latitude: Degrees.
        longitude: Degrees, −180 to 180 or 0 to 360.
    """
    import xarray as xr

    latitude, longitude = np.broadcast_arrays(
        np.atleast_1d(np.asarray(latitude, np.float64)),
        np.atleast_1d(np.asarray(longitude, np.float64)),
    )
    row, column, inside = _cells(maps, latitude, longitude)
    at = {"y": xr.DataArray(row, dims="site"), "x": xr.DataArray(column, dims="site")}
    there = xr.DataArray(inside, dims="site")
    found = maps.drop_vars([n for n in ("latitude", "longitude", "y", "x") if n in maps.coords])
    found = found.isel({dim: index for dim, index in at.items() if dim in found.dims})
    kept = {n: _only(v, there) for n, v in found.data_vars.items() if "site" in v.dims}
    places = {"latitude": ("site", latitude), "longitude": ("site", longitude)}
    found = found.assign(kept).assign_coords(places)
    found.attrs.pop("crs", None)
    return found


def _only(values: "xr.DataArray", there: "xr.DataArray") -> "xr.DataArray":
    if values.dtype.kind == "f":
        return values.where(there)
    return values.where(there, values.dtype.type(0))


def _cells(
    maps: "xr.Dataset", latitude: NDArray, longitude: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Give rows and columns, and which places lie on the map; those that do not get the first."""
    if "latitude" in maps.coords and maps["latitude"].dims == ("y",):
        centres = maps["latitude"].values, maps["longitude"].values
        if maps.attrs.get("crs") == ease.CRS:
            (x, y), rows = ease.project(latitude, longitude), ease.project(centres[0], 0.0)[1]
            columns, around = ease.project(0.0, centres[1])[0], -2.0 * ease.LEFT
        else:
            (x, y), (rows, columns), around = (longitude, latitude), centres, 360.0
    elif "crs" in maps.attrs and {"y", "x"} <= set(maps.coords):
        rows, columns, around = maps["y"].values, maps["x"].values, None
        x, y = project(str(maps.attrs["crs"]), latitude, longitude)
    else:
        raise InputError(
            "a map needs latitude over y and longitude over x, or y and x in metres and the "
            f"attribute crs; this one has {', '.join(map(str, maps.coords))}"
        )
    dy, dx = _spacing(rows, "rows"), _spacing(columns, "columns")
    if not dy and not dx:
        raise InputError("a map of a single cell does not tell how large it is; read a wider box")
    dy, dx = dy or -abs(dx), dx or abs(dy)  # of a single row, cells are taken as square
    if around:
        x = columns[0] - dx / 2 + (x - (columns[0] - dx / 2)) % around
    with np.errstate(invalid="ignore"):
        row, column = np.floor((y - rows[0]) / dy + 0.5), np.floor((x - columns[0]) / dx + 0.5)
        inside = (row >= 0) & (row < rows.size) & (column >= 0) & (column < columns.size)
    return (
        np.where(inside, row, 0.0).astype(np.int64),
        np.where(inside, column, 0.0).astype(np.int64),
        inside,
    )


def _spacing(centres: NDArray, what: str) -> float:
    """Give the step from cell to cell; 0 of a single one."""
    if centres.size == 1:
        return 0.0
    step = (centres[-1] - centres[0]) / (centres.size - 1)
    even = centres[0] + step * np.arange(centres.size)
    if step == 0.0 or np.abs(centres - even).max() > _UNEVEN * abs(step):
        raise InputError(f"the {what} of the map are not evenly spaced; cells cannot be told")
    return float(step)
