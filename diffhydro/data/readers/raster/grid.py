"""A regular grid of cells, north up: where they lie, and which of them a box holds.

Of a geographic grid the lengths are degrees, of a projected one the unit of its map, metres.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.box import Box, checked, touched
from diffhydro.data.readers.raster.projection import bounds
from diffhydro.errors import InputError

_SLACK = 0.05  # of a cell: what tiles of one grid may be apart by rounding


@dataclass(frozen=True)
class Grid:
    """Rows from north to south, columns from west to east.

    Args:
        crs: `"EPSG:…"`, or the system's well-known text where it has no number.
        left: West edge.
        top: North edge.
    """

    crs: str
    geographic: bool
    left: float
    top: float
    dx: float
    dy: float
    rows: int
    columns: int

    @property
    def x(self) -> NDArray:
        """Centres of the columns."""
        return self.left + self.dx * (np.arange(self.columns) + 0.5)

    @property
    def y(self) -> NDArray:
        """Centres of the rows."""
        return self.top - self.dy * (np.arange(self.rows) + 0.5)

    @property
    def right(self) -> float:
        """East edge."""
        return self.left + self.dx * self.columns

    @property
    def bottom(self) -> float:
        """South edge."""
        return self.top - self.dy * self.rows

    def checked(self, path: Path) -> "Grid":
        """Refuse what cannot be on Earth."""
        corners = np.array([self.left, self.top, self.right, self.bottom, self.dx, self.dy])
        if not np.isfinite(corners).all() or min(self.dx, self.dy) <= 0.0:
            raise InputError(f"{path} has cells of {self.dx} × {self.dy}; is it damaged?")
        if self.geographic and (
            max(self.left - self.dx, -self.left - self.dx, self.right - self.dx) > 180.0
            or max(self.top - self.dy, -self.bottom - self.dy) > 90.0
        ):
            raise InputError(
                f"{path} runs from {self.left:.6g} to {self.right:.6g}° east and from "
                f"{self.bottom:.6g} to {self.top:.6g}° north; expected −180 to 180 and −90 to 90: "
                "warp it to such a grid first"
            )
        return self

    def cut(self, rows: slice, columns: slice) -> "Grid":
        """Give the grid of a part."""
        return replace(
            self,
            left=self.left + self.dx * columns.start,
            top=self.top - self.dy * rows.start,
            rows=rows.stop - rows.start,
            columns=columns.stop - columns.start,
        )

    def every(self, step: int) -> "Grid":
        """Give the grid whose centres are those of every `step`-th cell, the middle of `step`."""
        middle = step // 2
        rows, columns = -(-(self.rows - middle) // step), -(-(self.columns - middle) // step)
        shift = middle + 0.5 - 0.5 * step
        return replace(
            self,
            left=self.left + self.dx * shift,
            top=self.top - self.dy * shift,
            dx=self.dx * step,
            dy=self.dy * step,
            rows=rows,
            columns=columns,
        )

    def within(self, box: Box, where: str) -> tuple[slice, slice]:
        """Give the rows and columns that touch a box in degrees."""
        box = checked(box)
        west, south, east, north = box if self.geographic else bounds(self.crs, box)
        rows = touched((self.top - north) / self.dy, (self.top - south) / self.dy, self.rows)
        columns = touched((west - self.left) / self.dx, (east - self.left) / self.dx, self.columns)
        if rows.stop <= rows.start or columns.stop <= columns.start:
            raise InputError(
                f"no cell of {where} lies in the box {box} (west, south, east, north); it runs "
                f"from {self.left:.6g} to {self.right:.6g} and from {self.bottom:.6g} to "
                f"{self.top:.6g} in {self.crs[:30]}"
            )
        return rows, columns

    def offset(self, other: "Grid", path: Path) -> tuple[int, int]:
        """Give row and column of another grid's first cell; refuse a grid that does not fit."""
        row, column = (self.top - other.top) / self.dy, (other.left - self.left) / self.dx
        with np.errstate(invalid="ignore"):
            drift = max(
                other.rows * abs(other.dy / self.dy - 1.0),
                other.columns * abs(other.dx / self.dx - 1.0),
                abs(row - np.round(row)),
                abs(column - np.round(column)),
            )
        if other.crs != self.crs or not drift < _SLACK:
            raise InputError(
                f"{path} does not share the grid of the other tiles: its cells are {other.dx:.9g} "
                f"× {other.dy:.9g} in {other.crs[:30]}, theirs {self.dx:.9g} × {self.dy:.9g} in "
                f"{self.crs[:30]}, {drift:.2g} cells apart; warp them to one grid first"
            )
        return round(row), round(column)

    def coordinates(self) -> dict[str, Any]:
        """Give the coordinates of a data set: degrees over `y` and `x`, or metres."""
        if self.geographic:
            return {
                "latitude": ("y", self.y, {"units": "degrees_north", "standard_name": "latitude"}),
                "longitude": ("x", self.x, {"units": "degrees_east", "standard_name": "longitude"}),
            }
        return {
            "y": ("y", self.y, {"units": "m", "standard_name": "projection_y_coordinate"}),
            "x": ("x", self.x, {"units": "m", "standard_name": "projection_x_coordinate"}),
        }
