"""The sinusoidal grid of MODIS land products, in closed form.

    x = R λ cos φ,    y = R φ        (Snyder 1987, eqs 30-1, 30-2)

on a sphere of R = 6371007.181 m, with geodetic latitudes taken as they are. Tiles `hHHvVV` are
squares of 10° of latitude, 36 from 180° W and 18 from the north pole, of 2400 × 2400 pixels in
products of 500 m.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

RADIUS = 6_371_007.181  # m, the sphere with the area of the authalic Earth
CRS = f"+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R={RADIUS} +units=m +no_defs"
TILE = np.pi * RADIUS / 18.0  # m, side of a tile
ACROSS, DOWN = 36, 18  # tiles


def project(latitude: ArrayLike, longitude: ArrayLike) -> tuple[NDArray, NDArray]:
    """Give x and y, m; longitudes may run to 360, and come back into −180 … 180."""
    phi = np.radians(np.asarray(latitude, np.float64))
    turned = (np.asarray(longitude, np.float64) + 180.0) % 360.0 - 180.0
    return RADIUS * np.radians(turned) * np.cos(phi), RADIUS * phi + 0.0 * turned


def unproject(x: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
    """Give latitude and longitude; NaN for what lies beyond the Earth's outline."""
    phi = np.asarray(y, np.float64) / RADIUS
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.asarray(x, np.float64) / (RADIUS * np.cos(phi))
    # What lies on the outline may come back a rounding beyond it.
    inside = (np.abs(phi) <= np.pi / 2.0) & (np.abs(turn) <= np.pi + 1e-12)
    return (
        np.where(inside, np.degrees(phi), np.nan),
        np.where(inside, np.degrees(turn), np.nan),
    )


def corner(across: int, down: int) -> tuple[float, float]:
    """Give x and y of the upper left corner of a tile.

    >>> x, y = corner(18, 4)
    >>> float(x), round(float(y), 3)
    (0.0, 5559752.599)
    """
    return (across - ACROSS // 2) * TILE, (DOWN // 2 - down) * TILE
