"""What maps say at sites: the cell that holds a site, or the four centres around it.

Sites have coordinates `latitude` and `longitude` over `site`. Maps that are chunked stay so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.grids.bilinear import Between, columns_between, rows_between
from diffhydro.data.grids.locate import locator_of
from diffhydro.data.grids.maps import Kernel, floating, maps_of, refuse_mean, through
from diffhydro.data.grids.nearest import Take
from diffhydro.data.grids.recognise import grid_of
from diffhydro.data.grids.separable import LEAST, SLIVER, check_share
from diffhydro.data.places import Places

if TYPE_CHECKING:
    import xarray as xr


def nearest_at(found: "xr.Dataset", sites: "xr.Dataset") -> "xr.Dataset":
    """Give the values of the cells that hold the sites; beyond the map is nothing.

    Args:
        found: Maps of numbers or classes; projected rasters too.
        sites: With latitude and longitude over `site`.
    """
    places = Places.of(sites)
    take = Take(*locator_of(found)(places.latitude, places.longitude))

    def kernel_of(variable: "xr.DataArray") -> tuple[Kernel, np.dtype]:
        return take, take.kind(variable.dtype)

    return _at_sites(found, sites, kernel_of)


def bilinear_at(found: "xr.Dataset", sites: "xr.Dataset", *, least: float = LEAST) -> "xr.Dataset":
    """Interpolate maps to sites between the centres of four cells; beyond the map is nothing.

    Args:
        sites: With latitude and longitude over `site`.
        least: Share of the four weights that must have a value; 1 for all four.
    """
    grid, places = grid_of(found), Places.of(sites)
    rows = rows_between(grid, places.latitude)
    columns = columns_between(grid, places.longitude)
    kernel = _Corners(rows, columns, least)

    def kernel_of(variable: "xr.DataArray") -> tuple[Kernel, np.dtype]:
        refuse_mean(variable)
        return kernel, floating(variable.dtype)

    return _at_sites(found, sites, kernel_of)


@dataclass(frozen=True, eq=False)
class _Corners:
    """Means of four cells, for blocks `[..., y, x]`."""

    rows: Between
    columns: Between
    least: float

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        check_share(self.least)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Interpolate a block to `[..., site]`."""
        rows, columns = self.rows, self.columns
        total = np.zeros((*block.shape[:-2], len(rows.weight)))
        share = np.zeros_like(total)
        for row, down in ((rows.first, 1.0 - rows.weight), (rows.second, rows.weight)):
            for column, across in (
                (columns.first, 1.0 - columns.weight),
                (columns.second, columns.weight),
            ):
                values = block[..., row, column]
                weight = np.where(np.isnan(values), 0.0, down * across)
                total += np.where(weight > 0.0, values, 0.0) * weight
                share += weight
        enough = rows.inside & columns.inside & (share >= max(self.least - SLIVER, SLIVER))
        mean = np.divide(total, share, out=np.full(total.shape, np.nan), where=enough)
        return mean.astype(floating(block.dtype))


def _at_sites(
    found: "xr.Dataset",
    sites: "xr.Dataset",
    kernel_of: Callable[["xr.DataArray"], tuple[Kernel, np.dtype]],
) -> "xr.Dataset":
    """Apply kernels that give `[..., site]`; the sites keep their coordinates."""
    import xarray as xr

    made = {}
    for name in maps_of(found):
        kernel, kind = kernel_of(found[name])
        at = through(found[name], kernel, {"site": sites.sizes["site"]}, kind)
        made[name] = at.transpose("site", ...)
    of_sites = {n: v for n, v in sites.coords.items() if v.dims == ("site",)}
    told = {name: sites[name] for name in ("latitude", "longitude")}
    attributes = {name: value for name, value in found.attrs.items() if name != "crs"}
    return xr.Dataset(made, attrs=attributes).assign_coords(told | of_sites)
