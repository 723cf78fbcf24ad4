"""The shape of the ground: slope, aspect and curvature of a map of heights.

A quadratic is fitted to every cell and its eight neighbours by least squares (Evans 1972; Young
1978), whose derivatives at the cell are, x to the east and y to the north,

    p = ∂z/∂x,  q = ∂z/∂y,  r = ∂²z/∂x²,  s = ∂²z/∂x∂y,  t = ∂²z/∂y²,  g² = p² + q²
    slope = arctan g,        aspect = direction of (−p, −q), clockwise from north
    profile curvature = −(p²r + 2pqs + q²t) / (g² (1 + g²)^{3/2})
    plan curvature    = −(q²r − 2pqs + p²t) / g³

Both curvatures are positive where the ground is convex: where slopes steepen downhill, and where
contours bulge downhill and flow spreads. Errors are of the second order in the spacing. Where the
ground is level there is no direction, and both are missing, as everything is along the edge.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffhydro.data import ease
from diffhydro.data.conform import attributes
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_LEAST = 3  # rows and columns of a map that has slopes


class Spacing(NamedTuple):
    """Metres between centres: along a row, for every row, and from row to row."""

    dx: NDArray
    dy: NDArray


class Shape(NamedTuple):
    """What the ground is like in every cell.

    Args:
        slope: Degrees.
        aspect: Degrees from north, of the way down.
        plan: Curvature of contours, 1/m.
        profile: Curvature along the way down, 1/m.
    """

    slope: NDArray
    aspect: NDArray
    plan: NDArray
    profile: NDArray


def shape(height: ArrayLike, spacing: Spacing) -> Shape:
    """Work out slopes and curvatures; where a neighbour is missing they are missing.

    >>> plane = 100.0 - 0.1 * 30.0 * np.arange(5.0) + np.zeros((5, 1))  # falls to the east
    >>> ground = shape(plane, Spacing(np.full(5, 30.0), np.full(5, 30.0)))
    >>> round(float(ground.slope[2, 2]), 3), float(ground.aspect[2, 2])
    (5.711, 90.0)

    Args:
        height: m, rows from north to south.
    """
    z = np.asarray(height, np.float64)
    p, q, r, s, t = _derivatives(z, spacing)
    g2 = np.where(np.isnan(z), np.nan, p**2 + q**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        aspect = np.where(g2 > 0.0, np.degrees(np.arctan2(-p, -q)) % 360.0, np.nan)
        profile = -(p**2 * r + 2.0 * p * q * s + q**2 * t) / (g2 * (1.0 + g2) ** 1.5)
        plan = -(q**2 * r - 2.0 * p * q * s + p**2 * t) / g2**1.5
    return Shape(
        np.degrees(np.arctan(np.sqrt(g2))),
        aspect,
        np.where(g2 > 0.0, plan, np.nan),
        np.where(g2 > 0.0, profile, np.nan),
    )


def _derivatives(z: NDArray, spacing: Spacing) -> tuple[NDArray, ...]:
    """Give the derivatives of the fitted quadratics, NaN along the edge."""
    if z.ndim != 2 or min(z.shape) < _LEAST:
        raise InputError(f"a map of {z.shape} cells has no slopes; expected 3 × 3 or more")
    north, here, south = z[:-2], z[1:-1], z[2:]
    west, middle, east = (
        (row[:, :-2], row[:, 1:-1], row[:, 2:]) for row in (north, here, south)
    )  # fmt: skip
    (nw, n, ne), (w, c, e), (sw, s_, se) = west, middle, east
    dx, dy = spacing.dx[1:-1, None], spacing.dy[1:-1, None]
    parts = (
        (ne + e + se - nw - w - sw) / (6.0 * dx),
        (nw + n + ne - sw - s_ - se) / (6.0 * dy),
        (nw + w + sw + ne + e + se - 2.0 * (n + c + s_)) / (3.0 * dx**2),
        (ne + sw - nw - se) / (4.0 * dx * dy),
        (nw + n + ne + sw + s_ + se - 2.0 * (w + c + e)) / (3.0 * dy**2),
    )
    return tuple(np.pad(part, 1, constant_values=np.nan) for part in parts)


def spacing_of(maps: "xr.Dataset") -> Spacing:
    """Give the spacing of a map: of its metres, or of its degrees on the ellipsoid WGS84.

    A degree of longitude shrinks with the cosine of latitude; one of latitude grows a little.
    """
    if "latitude" in maps.coords and maps["latitude"].dims == ("y",):
        latitude, longitude = maps["latitude"].values, maps["longitude"].values
        north, east = metres_per_degree(latitude)
        across, down = abs(_step(longitude, "longitude")), abs(_step(latitude, "latitude"))
        return Spacing(across * east, down * north)
    if {"y", "x"} <= set(maps.coords):
        across, down = (abs(_step(maps[name].values, name)) for name in ("x", "y"))
        rows = maps.sizes["y"]
        return Spacing(np.full(rows, across), np.full(rows, down))
    raise InputError("a map of heights needs latitude and longitude, or y and x in metres")


def metres_per_degree(latitude: ArrayLike) -> tuple[NDArray, NDArray]:
    """Give the length of a degree northward and eastward on WGS84, m.

    M π/180 and N cos φ π/180, with the radii of curvature M = a(1 − e²)/(1 − e² sin² φ)^{3/2} and
    N = a/(1 − e² sin² φ)^{1/2} (Snyder 1987, eqs 4-18, 4-20).
    """
    phi = np.radians(np.asarray(latitude, np.float64))
    e2 = ease.FLATTENING * (2.0 - ease.FLATTENING)
    w2 = 1.0 - e2 * np.sin(phi) ** 2
    north = ease.RADIUS * (1.0 - e2) / w2**1.5
    return np.radians(north), np.radians(ease.RADIUS / np.sqrt(w2) * np.cos(phi))


def terrain(maps: "xr.Dataset") -> "xr.Dataset":
    """Give slope, aspect and curvatures of a data set with `elevation`."""
    import xarray as xr

    if "elevation" not in maps:
        raise InputError(f"no elevation among {', '.join(map(str, maps.data_vars))}")
    height = maps["elevation"].transpose("y", "x").values
    ground = shape(height, spacing_of(maps))
    names = ("slope", "aspect", "plan_curvature", "profile_curvature")
    made: dict[str, Any] = {
        name: (("y", "x"), values.astype(np.float32), attributes(VARIABLES[name]))
        for name, values in zip(names, ground, strict=True)
    }
    kept = {k: v for k, v in maps.attrs.items() if k in ("crs", "Conventions", "product", "files")}
    return xr.Dataset(made, maps.coords, kept)


def _step(centres: NDArray, name: str) -> float:
    if centres.size < _LEAST:
        raise InputError(f"{name} has {centres.size} cells; slopes need 3 or more")
    step = float(centres[-1] - centres[0]) / (centres.size - 1)
    if step == 0.0 or np.abs(np.diff(centres) / step - 1.0).max() > 0.01:
        raise InputError(f"{name} is not evenly spaced; bring the heights to an even grid first")
    return step
