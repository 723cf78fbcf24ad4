"""EASE-Grid 2.0 global (EPSG:6933): where the cells of SMAP lie, in closed form.

Lambert's cylindrical equal-area projection of WGS84, true at 30° (Brodzik et al. 2012, 2014;
Snyder 1987, eqs 3-12, 10-13 to 10-17):

    x = a k₀ λ,    y = a q(φ) / (2 k₀),    k₀ = cos 30° / √(1 − e² sin² 30°)
    q(φ) = (1 − e²) [ sin φ / (1 − e² sin² φ) + artanh(e sin φ) / e ]

Back from y the authalic latitude is ξ = arcsin(q / q(90°)), and φ = ξ + Σ cₖ(n) sin 2kξ in the
third flattening n (Karney 2024). Rows count from the north, columns from 180° W; all
angles are in degrees, lengths in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffhydro.data.box import Box, checked, touched
from diffhydro.errors import InputError

CRS = "EPSG:6933"
RADIUS = 6_378_137.0  # m, equator of WGS84
FLATTENING = 1.0 / 298.257223563  # WGS84

_E2 = FLATTENING * (2.0 - FLATTENING)
_E = _E2**0.5
_K = np.cos(np.pi / 6.0) / np.sqrt(1.0 - 0.25 * _E2)
# Outer corner of row 0, column 0, m: the antimeridian, and 203 rows of 36 km from the equator.
LEFT, TOP = -np.pi * RADIUS * _K, 203 * 36_032.220840584
_N = FLATTENING / (2.0 - FLATTENING)
# Coefficients of n, n², … n⁶ in cₖ: a row for every k.
_SERIES = np.array(
    [
        (4 / 3, 4 / 45, -16 / 35, -2582 / 14175, 60136 / 467775, 28112932 / 212837625),
        (0, 46 / 45, 152 / 945, -11966 / 14175, -21016 / 51975, 251310128 / 638512875),
        (0, 0, 3044 / 2835, 3802 / 14175, -94388 / 66825, -8797648 / 10945935),
        (0, 0, 0, 6059 / 4725, 41072 / 93555, -1472637812 / 638512875),
        (0, 0, 0, 0, 768272 / 467775, -455935736 / 638512875),
        (0, 0, 0, 0, 0, 4210684958 / 1915538625),
    ]
) @ _N ** np.arange(1, 7)  # fmt: skip


def _authalic(sine: NDArray) -> NDArray:
    """Give q of the sine of a latitude."""
    return (1.0 - _E2) * (sine / (1.0 - _E2 * sine**2) + np.arctanh(_E * sine) / _E)


_POLE = float(_authalic(np.array(1.0)))


def project(latitude: ArrayLike, longitude: ArrayLike) -> tuple[NDArray, NDArray]:
    """Give x and y of places; longitudes may run to 360, and come back into −180 … 180."""
    turned = (np.asarray(longitude, np.float64) + 180.0) % 360.0 - 180.0
    q = _authalic(np.sin(np.radians(np.asarray(latitude, np.float64))))
    return RADIUS * _K * np.radians(turned), RADIUS * q / (2.0 * _K)


def unproject(x: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
    """Give latitude and longitude of x and y; NaN beyond the poles."""
    sine = 2.0 * _K * np.asarray(y, np.float64) / (RADIUS * _POLE)
    xi = np.arcsin(np.where(np.abs(sine) <= 1.0, sine, np.nan))
    phi = xi + sum(c * np.sin(2.0 * (k + 1) * xi) for k, c in enumerate(_SERIES))
    return np.degrees(phi), np.degrees(np.asarray(x, np.float64) / (RADIUS * _K))


@dataclass(frozen=True)
class EaseGrid:
    """A global grid of square cells.

    >>> rows, columns = EASE_36.cell(36.118, [-97.091, 277.0])
    >>> rows.tolist(), columns.tolist()
    ([83, 83], [222, 259])

    Args:
        rows: From north to south.
        columns: From 180° W eastward.
        size: Of a cell, m.
    """

    rows: int
    columns: int
    size: float

    @property
    def latitude(self) -> NDArray:
        """Of the centres of the rows."""
        return unproject(0.0, TOP - self.size * (np.arange(self.rows) + 0.5))[0]

    @property
    def longitude(self) -> NDArray:
        """Of the centres of the columns."""
        return unproject(LEFT + self.size * (np.arange(self.columns) + 0.5), 0.0)[1]

    def centre(self, row: ArrayLike, column: ArrayLike) -> tuple[NDArray, NDArray]:
        """Give latitude and longitude of the centres of cells."""
        row, column = np.asarray(row, np.float64), np.asarray(column, np.float64)
        return unproject(LEFT + self.size * (column + 0.5), TOP - self.size * (row + 0.5))

    def cell(self, latitude: ArrayLike, longitude: ArrayLike) -> tuple[NDArray, NDArray]:
        """Give row and column of the cells that hold places; −1 and −1 for what lies in none."""
        x, y = np.broadcast_arrays(*project(latitude, longitude))
        row, column = np.floor((TOP - y) / self.size), np.floor((x - LEFT) / self.size)
        inside = (row >= 0) & (row < self.rows) & np.isfinite(column)
        column = np.where(inside, column, 0.0) % self.columns  # 180° E is 180° W
        row = np.where(inside, row, -1.0).astype(np.int64)
        return row, np.where(inside, column, -1.0).astype(np.int64)

    def within(self, box: Box) -> tuple[slice, slice]:
        """Give the rows and columns that touch a box."""
        west, south, east, north = checked(box)
        top, bottom = ((TOP - project(edge, 0.0)[1]) / self.size for edge in (north, south))
        rows = touched(float(top), float(bottom), self.rows)
        left, right = (self.columns * (edge + 180.0) / 360.0 for edge in (west, east))
        if rows.stop <= rows.start:
            raise InputError(f"the box {box} lies beyond the grid, which ends at 85.04°")
        return rows, touched(left, right, self.columns)


EASE_36 = EaseGrid(406, 964, 36_032.220840584)
EASE_9 = EaseGrid(1624, 3856, 9_008.055210146)


def grid_of(shape: tuple[int, ...], where: str) -> EaseGrid:
    """Tell the grid by its rows and columns."""
    for grid in (EASE_36, EASE_9):
        if tuple(shape[:2]) == (grid.rows, grid.columns):
            return grid
    raise InputError(
        f"{where} has {' × '.join(map(str, shape))} cells; expected 406 × 964 (36 km) or "
        "1624 × 3856 (9 km): take whole granules, not subsets or polar grids"
    )
