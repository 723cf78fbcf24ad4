"""From degrees to a map's own coordinates; what a projection cannot show is NaN."""

import numpy as np
from numpy.typing import NDArray

from diffhydro.data import sinusoidal
from diffhydro.errors import InputError

DEGREES = "EPSG:4326"
_EDGE = 21  # points along each side of a box: what is straight in degrees is bent on a map


def project(crs: str, latitude: NDArray, longitude: NDArray) -> tuple[NDArray, NDArray]:
    """Give x and y of places."""
    if crs == sinusoidal.CRS:
        return sinusoidal.project(latitude, longitude)
    shape = np.shape(latitude)
    flat = np.stack([np.ravel(longitude), np.ravel(latitude)]).astype(np.float64)
    good = np.isfinite(flat).all(0)
    made = np.full(flat.shape, np.nan)
    made[:, good] = _transformed(crs, flat[:, good])
    return made[0].reshape(shape), made[1].reshape(shape)


def bounds(crs: str, box: tuple[float, ...]) -> tuple[float, float, float, float]:
    """Give west, south, east and north of the map's part that holds a box in degrees."""
    west, south, east, north = box
    along, up = np.linspace(west, east, _EDGE), np.linspace(south, north, _EDGE)
    longitude, latitude = np.meshgrid(along, up)
    x, y = project(crs, latitude, longitude)
    if not (np.isfinite(x) & np.isfinite(y)).any():
        raise InputError(f"the box {box} lies outside of what the map's projection can show")
    return float(np.nanmin(x)), float(np.nanmin(y)), float(np.nanmax(x)), float(np.nanmax(y))


def _transformed(crs: str, places: NDArray) -> NDArray:
    """Transform together; one place that cannot be shown fails all, so then one by one."""
    from rasterio._err import CPLE_BaseError
    from rasterio.warp import transform

    if places.shape[1] == 0:
        return places
    try:
        made = np.array(transform(DEGREES, crs, places[0], places[1])[:2])
    except CPLE_BaseError:
        if places.shape[1] == 1:
            return np.full(places.shape, np.nan)
        half = places.shape[1] // 2
        return np.hstack([_transformed(crs, places[:, :half]), _transformed(crs, places[:, half:])])
    return np.where(np.isfinite(made), made, np.nan)
