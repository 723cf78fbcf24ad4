"""The nearest cell: every cell of the target takes the value of the cell that holds its centre.

Any map will do as a source, of classes as of numbers, projected rasters too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.grids.grid import Grid
from diffhydro.data.grids.locate import locator_of
from diffhydro.data.grids.maps import Kernel, floating, on_grid

if TYPE_CHECKING:
    import xarray as xr


def nearest_on(found: "xr.Dataset", grid: Grid) -> "xr.Dataset":
    """Bring maps onto a grid by their nearest cells; beyond the source is nothing."""
    take = Take(*locator_of(found)(grid.latitude[:, None], grid.longitude))

    def kernel_of(variable: "xr.DataArray") -> tuple[Kernel, np.dtype]:
        return take, take.kind(variable.dtype)

    return on_grid(found, grid, kernel_of, "point")


@dataclass(frozen=True, eq=False)
class Take:
    """Cells of a map, in any order.

    Args:
        rows: −1 where there is none.
        columns: Of the shape of `rows`.
    """

    rows: np.ndarray
    columns: np.ndarray

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Take the cells of blocks `[..., y, x]`."""
        taken = block[..., self.rows, self.columns].astype(self.kind(block.dtype), copy=False)
        if self._misses:
            taken[..., self.rows < 0] = np.nan
        return taken

    def kind(self, kind: np.dtype) -> np.dtype:
        """Give the type of what is taken: whole numbers stay whole where none is missing."""
        return floating(kind) if self._misses else kind

    @property
    def _misses(self) -> bool:
        return bool((self.rows < 0).any())
