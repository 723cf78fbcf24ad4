"""A regular grid of latitudes and longitudes, as a value."""

from dataclasses import dataclass

import numpy as np

from diffhydro.errors import InputError


@dataclass(frozen=True)
class RegularGrid:
    """Cells of one height and one width, in degrees.

    >>> half = RegularGrid.globe(0.5)
    >>> half.rows, half.columns, float(half.latitude[0]), float(half.longitude[0])
    (360, 720, 89.75, -179.75)

    Args:
        west: Edge of the first column.
        east: Edge of the last; beyond 180 where the grid lies across the date line.
    """

    north: float
    south: float
    west: float
    east: float
    rows: int
    columns: int

    def __post_init__(self) -> None:
        """Refuse edges that enclose nothing."""
        if not -90.0 <= self.south < self.north <= 90.0:
            raise InputError(
                f"a grid from {self.north} to {self.south} degrees: north is above south, both "
                "within ±90"
            )
        if not 0.0 < self.east - self.west <= 360.0:
            raise InputError(
                f"a grid from {self.west} to {self.east} degrees: east is greater than west, by "
                "360 at most; add 360 to east where the grid lies across the date line"
            )
        if self.rows < 1 or self.columns < 1:
            raise InputError(f"a grid has cells; it was given {self.rows} x {self.columns}")

    @classmethod
    def globe(cls, step: float) -> "RegularGrid":
        """Make the whole globe's grid with cells of `step` degrees."""
        rows = round(180.0 / step)
        if rows < 1 or abs(rows * step - 180.0) > 1e-6:
            raise InputError(f"cells of {step} degrees do not fill 180 degrees")
        return cls(90.0, -90.0, -180.0, 180.0, rows, 2 * rows)

    @property
    def row_edges(self) -> np.ndarray:
        """Latitudes, decreasing."""
        return np.linspace(self.north, self.south, self.rows + 1)

    @property
    def column_edges(self) -> np.ndarray:
        """Longitudes, increasing."""
        return np.linspace(self.west, self.east, self.columns + 1)

    @property
    def latitude(self) -> np.ndarray:
        """Centres of rows."""
        edges = self.row_edges
        return (edges[:-1] + edges[1:]) / 2.0

    @property
    def longitude(self) -> np.ndarray:
        """Centres of columns."""
        edges = self.column_edges
        return (edges[:-1] + edges[1:]) / 2.0
