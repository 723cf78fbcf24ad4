"""Grids: from sites to cells, from cells to sites, and from cells to other cells.

| from, to   | numbers                    | classes                    |
| ---------- | -------------------------- | -------------------------- |
| map, grid  | mean_on, bilinear_on       | majority_on, shares_on     |
| map, grid  | nearest_on                 | nearest_on                 |
| map, sites | nearest_at, bilinear_at    | nearest_at                 |
| sites, map | cell_means, then spread_on |                            |
"""

from diffhydro.data.grids.area import mean_on
from diffhydro.data.grids.bilinear import bilinear_on
from diffhydro.data.grids.cells import cell_means, spread_on
from diffhydro.data.grids.classes import majority_on, shares_on
from diffhydro.data.grids.equal_area import areas, ease_grid
from diffhydro.data.grids.grid import Grid, Rectilinear, part
from diffhydro.data.grids.nearest import nearest_on
from diffhydro.data.grids.points import bilinear_at, nearest_at
from diffhydro.data.grids.recognise import grid_of
from diffhydro.data.grids.regular import RegularGrid

__all__ = [
    "Grid",
    "RegularGrid",
    "Rectilinear",
    "ease_grid",
    "grid_of",
    "part",
    "areas",
    "mean_on",
    "bilinear_on",
    "nearest_on",
    "majority_on",
    "shares_on",
    "nearest_at",
    "bilinear_at",
    "cell_means",
    "spread_on",
]
