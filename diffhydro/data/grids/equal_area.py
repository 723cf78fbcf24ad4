"""Areas of cells: the northing of EASE-Grid 2.0, in which equal steps are equal areas.

On the WGS84 ellipsoid the area between two parallels and two meridians is Δx Δy in the metres of
Lambert's cylindrical equal-area projection (`data.ease`). Every overlap of cells is weighted so.
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.ease import LEFT, TOP, project, unproject
from diffhydro.data.grids.grid import Rectilinear

if TYPE_CHECKING:
    from diffhydro.data.ease import EaseGrid
    from diffhydro.data.grids.grid import Grid

_POLE = float(project(90.0, 0.0)[1])
_METRES_PER_DEGREE = -LEFT / 180.0  # of longitude, anywhere: the projection is cylindrical


def equal_area(latitude: np.ndarray) -> np.ndarray:
    """Give the northing of latitudes, m; it grows with the area to the south."""
    return project(latitude, 0.0)[1]


def latitude_of(northing: np.ndarray) -> np.ndarray:
    """Give the latitudes of northings; beyond a pole, the pole."""
    held = np.clip(northing, -_POLE * (1.0 - 1e-15), _POLE * (1.0 - 1e-15))
    latitude = unproject(0.0, held)[0]
    return np.where(np.abs(northing) >= _POLE, np.copysign(90.0, northing), latitude)


def areas(grid: "Grid") -> np.ndarray:
    """Give the area of every cell, m², rows by columns."""
    heights = -np.diff(equal_area(grid.row_edges))
    widths = np.diff(grid.column_edges) * _METRES_PER_DEGREE
    return heights[:, None] * widths


def ease_grid(cells: "EaseGrid") -> Rectilinear:
    """Give the edges and centres of an EASE grid.

    >>> from diffhydro.data.ease import EASE_36
    >>> bool(np.allclose(areas(ease_grid(EASE_36)), EASE_36.size**2, rtol=1e-10))
    True
    """
    rows = latitude_of(TOP - cells.size * np.arange(cells.rows + 1))
    columns = np.linspace(-180.0, 180.0, cells.columns + 1)
    return Rectilinear(rows, columns, cells.latitude, cells.longitude)
