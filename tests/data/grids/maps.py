"""Grids and maps to draw from, for the laws of resampling."""

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from diffhydro.data.ease import EASE_36
from diffhydro.data.grids import Grid, Rectilinear, RegularGrid, ease_grid, part

EASE = ease_grid(EASE_36)


def dataset(grid: Grid, values: np.ndarray, name: str = "temperature", **extra) -> xr.Dataset:
    dims = (*("time", "depth")[: values.ndim - 2], "y", "x")
    coords = {"latitude": ("y", grid.latitude), "longitude": ("x", grid.longitude)}
    return xr.Dataset({name: (dims, values)}, coords, extra)


@st.composite
def globes(draw) -> Rectilinear:
    """Grids that cover the globe, with uneven rows and columns, from any meridian on."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(2, 12))
    columns = draw(st.integers(2, 14))
    west = draw(st.sampled_from([-180.0, 0.0, -33.3]))
    south = np.cumsum(0.1 + rng.random(rows))
    east = np.cumsum(0.1 + rng.random(columns))
    row_edges = np.concatenate([[90.0], 90.0 - 180.0 * south / south[-1]])
    row_edges[-1] = -90.0
    column_edges = west + 360.0 * np.concatenate([[0.0], east / east[-1]])
    column_edges[-1] = west + 360.0
    return middle(row_edges, column_edges)


@st.composite
def windows(draw) -> Rectilinear:
    """Parts of a regular grid, of the EASE grid, or of one across the date line."""
    grid = draw(
        st.sampled_from(
            [RegularGrid.globe(2.5), EASE, RegularGrid(60.0, 20.0, 150.0, 230.0, 40, 80)]
        )
    )
    row = draw(st.integers(0, len(grid.latitude) - 3))
    column = draw(st.integers(0, len(grid.longitude) - 3))
    down, right = draw(st.integers(2, 12)), draw(st.integers(2, 12))
    return part(grid, slice(row, row + down), slice(column, column + right))


def middle(row_edges: np.ndarray, column_edges: np.ndarray) -> Rectilinear:
    return Rectilinear(
        row_edges,
        column_edges,
        (row_edges[:-1] + row_edges[1:]) / 2,
        (column_edges[:-1] + column_edges[1:]) / 2,
    )
