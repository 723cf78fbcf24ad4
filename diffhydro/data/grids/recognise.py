"""The grid that a map lies on, recognised from the centres in its coordinates."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.ease import EASE_9, EASE_36
from diffhydro.data.grids.equal_area import ease_grid, equal_area, latitude_of
from diffhydro.data.grids.grid import ROUNDING, Grid, Rectilinear, part
from diffhydro.data.grids.mercator import latitude_of_northing, northing
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_EVEN = 1e-2  # cells; centres that are off by more have no common spacing
_Along = Callable[[np.ndarray], np.ndarray]


def is_projected(found: "xr.Dataset | xr.DataArray") -> bool:
    """Tell whether `y` and `x` are metres of a projection, not latitudes and longitudes."""
    return "latitude" not in found.coords or found["latitude"].dims != ("y",)


def grid_of(found: "xr.Dataset | xr.DataArray") -> Rectilinear:
    """Give the grid that a map lies on.

    Centres of the EASE grids of SMAP are known by their numbers, also a few of them. Of others the
    edges of rows lie halfway between centres in what the rows are even in: degrees, area, or
    web-mercator's northing; halfway in degrees where they are even in none.
    """
    if is_projected(found):
        raise InputError(
            "expected a map with `latitude` over y and `longitude` over x; found the coordinates "
            f"{', '.join(map(str, found.coords)) or 'none'}. A projected raster can be brought "
            "onto a grid with nearest_on, to sites with nearest_at, and into tiles with cut"
        )
    latitude = np.asarray(found["latitude"].values, np.float64)
    longitude = np.asarray(found["longitude"].values, np.float64)
    if len(latitude) < 2 or len(longitude) < 2:
        raise InputError(
            f"a map of {len(latitude)} x {len(longitude)} cells does not tell how large they are; "
            "expected two rows and two columns at least"
        )
    if latitude[0] < latitude[-1] or longitude[0] > longitude[-1]:
        raise InputError(
            f"rows go from {latitude[0]} to {latitude[-1]} and columns from {longitude[0]} to "
            f"{longitude[-1]} degrees; expected north to south and west to east: turn the map with "
            "conform.upright"
        )
    for cells in (EASE_36, EASE_9):
        known = _part_of(ease_grid(cells), latitude, longitude)
        if known is not None:
            return known
    return Rectilinear(_row_edges(latitude), _column_edges(longitude), latitude, longitude)


def _part_of(whole: Grid, latitude: np.ndarray, longitude: np.ndarray) -> Rectilinear | None:
    """Give the part of a known grid that has these centres, if it has them."""
    row = int(np.argmin(np.abs(whole.latitude - latitude[0])))
    column = int(np.argmin(np.abs(whole.longitude - longitude[0])))
    found = part(whole, slice(row, row + len(latitude)), slice(column, column + len(longitude)))
    if len(found.latitude) < len(latitude) or len(found.longitude) < len(longitude):
        return None
    off_rows = np.abs(found.latitude - latitude) / -np.diff(found.row_edges)
    off_columns = np.abs(found.longitude - longitude) / np.diff(found.column_edges)
    return found if max(off_rows.max(), off_columns.max()) < ROUNDING else None


def edges_around(centres: np.ndarray) -> np.ndarray:
    """Put edges around centres: evenly where they are even, else halfway."""
    if _unevenness(centres) < _EVEN:
        step = (centres[-1] - centres[0]) / (len(centres) - 1)
        return centres[0] + step * (np.arange(len(centres) + 1) - 0.5)
    steps = np.diff(centres)
    return np.concatenate(
        [centres[:1] - steps[0] / 2, centres[:-1] + steps / 2, centres[-1:] + steps[-1] / 2]
    )


def _column_edges(longitude: np.ndarray) -> np.ndarray:
    """Put edges around longitudes; round the globe they meet exactly."""
    edges = edges_around(longitude)
    span = edges[-1] - edges[0]
    if abs(span - 360.0) < ROUNDING * (edges[1] - edges[0]):
        edges = edges[0] + (edges - edges[0]) * (360.0 / span)
    return edges


def _row_edges(latitude: np.ndarray) -> np.ndarray:
    spacings: list[tuple[_Along, _Along]] = [(_same, _same), (equal_area, latitude_of)]
    if np.abs(latitude).max() < 89.0:  # the northing of a pole is infinite
        spacings.append((northing, latitude_of_northing))
    into, back = min(spacings, key=lambda spacing: _unevenness(spacing[0](latitude)))
    return np.clip(back(edges_around(into(latitude))), -90.0, 90.0)


def _same(latitude: np.ndarray) -> np.ndarray:
    return latitude


def _unevenness(centres: np.ndarray) -> float:
    """Give the largest departure of a step from the mean one, as a share of it."""
    steps = np.diff(centres)
    mean = (centres[-1] - centres[0]) / len(steps)
    return float(np.abs(steps / mean - 1.0).max()) if mean else np.inf
