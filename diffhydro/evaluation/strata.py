"""Strata: names of what kind of place, or time, something is; "" where it is not known.

Climate is the main Köppen class (`data/koppen.py` has the codes). Land cover is IGBP's, drawn
together into six kinds. Texture is coarse, medium or fine, as on the FAO's map of soils: clay below
18 % and sand above 65 %; clay above 35 %; and what is between. Seasons are the meteorological ones.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.regions.koppen import MAIN, main_classes
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

UNKNOWN = ""
CLIMATES = ("tropical", "arid", "temperate", "continental", "polar")  # A to E
COVERS = ("forest", "shrubland", "savanna", "grassland", "cropland", "other")
TEXTURES = ("coarse", "medium", "fine")
SEASONS = ("DJF", "MAM", "JJA", "SON")
# Of IGBP's classes 1 to 17; wetland, town, ice and barren land are other, and water is no land.
_COVER_OF = (0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 5, 4, 5, 4, 5, 5, None)


def climate(codes: "xr.DataArray") -> "xr.DataArray":
    """Name the main Köppen class of codes 1 to 30.

    >>> import xarray as xr
    >>> climate(xr.DataArray([14, 7, 0], dims="site")).values.tolist()
    ['temperate', 'arid', '']
    """
    assert len(CLIMATES) == len(MAIN)
    return _chosen(codes, CLIMATES, main_classes(codes.values))


def land_cover(codes: "xr.DataArray") -> "xr.DataArray":
    """Name the kind of cover of IGBP codes 1 to 17; 0 is water too, as in MODIS."""
    values = np.nan_to_num(np.asarray(codes.values, np.float64), nan=0.0)
    if ((values < 0) | (values > 17) | (values % 1.0 != 0)).any():
        raise InputError("a code of land cover is not one of IGBP's, 0 to 17; map it to those")
    places = np.array([-1, *(-1 if kind is None else kind for kind in _COVER_OF)])
    return _chosen(codes, COVERS, places[values.astype(np.int64)])


def texture(sand: "xr.DataArray", clay: "xr.DataArray") -> "xr.DataArray":
    """Name the texture of sand and clay, in percent of mass."""
    s, c = sand.values, clay.values
    if sand.dims != clay.dims or s.shape != c.shape:
        raise InputError(f"sand is over {dict(sand.sizes)}, clay over {dict(clay.sizes)}")
    known = np.isfinite(s) & np.isfinite(c)
    if (known & ((s < 0) | (c < 0) | (s + c > 100.5))).any():
        raise InputError("sand and clay are in percent, and not above 100 together")
    kind = np.select([c > 35, (c < 18) & (s > 65)], [2, 0], 1)
    return _chosen(sand, TEXTURES, np.where(known, kind, -1))


def season(times: "xr.DataArray") -> "xr.DataArray":
    """Name the season of dates by their months, whatever the hemisphere.

    >>> import xarray as xr
    >>> season(xr.DataArray(np.array(["2020-12-01", "2021-03-01"], "M8[ns]"))).values.tolist()
    ['DJF', 'MAM']
    """
    if times.dtype.kind != "M":
        raise InputError(f"seasons are of dates, not of {times.dtype}")
    month = times.values.astype("datetime64[M]").astype(np.int64) % 12
    return _chosen(times, SEASONS, (month + 1) // 3 % 4)


def bins(values: "xr.DataArray", edges: tuple[float, ...], unit: str = "") -> "xr.DataArray":
    """Name the interval that numbers lie in, its lower edge included; of wetness, density, slope.

    >>> import xarray as xr
    >>> bins(xr.DataArray([0.1, 0.2, 0.5]), (0.0, 0.2, 0.4), "m³/m³").values.tolist()
    ['0–0.2 m³/m³', '0.2–0.4 m³/m³', '']
    """
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"edges of bins are two or more numbers that grow, not {edges}")
    unit = f" {unit}" if unit else ""
    names = tuple(f"{a:g}–{b:g}{unit}" for a, b in pairwise(edges))
    place = np.searchsorted(np.asarray(edges), values.values, side="right") - 1
    known = np.isfinite(values.values) & (place < len(names))
    return _chosen(values, names, np.where(known, place, -1))


def wetness(
    observed: "xr.DataArray", edges: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 1.0)
) -> "xr.DataArray":
    """Name how wet places are, by the mean of what was observed over time."""
    if "time" not in observed.dims:
        raise InputError("wetness is a mean over time, which the observations have no axis of")
    return bins(observed.mean("time"), edges, "m³/m³")


def density(cells: "xr.DataArray", edges: tuple[float, ...] = (1, 2, 3, 5)) -> "xr.DataArray":
    """Name how many sites share the cell of each site.

    >>> import xarray as xr
    >>> density(xr.DataArray([7, 7, 8], dims="site")).values.tolist()
    ['2 to a cell', '2 to a cell', '1 to a cell']

    Args:
        cells: Of each site, as a number or a name.
        edges: Smallest number of sites of each stratum.
    """
    if len(edges) < 1 or edges[0] > 1 or not (np.diff(edges) > 0).all():
        raise InputError(f"numbers of sites grow from 1, unlike {edges}")
    _, which, counts = np.unique(cells.values, return_inverse=True, return_counts=True)
    ends = [*(int(e) - 1 for e in edges[1:]), None]
    names = tuple(
        f"{int(a)}{'' if b == a else ' and more' if b is None else f' to {b}'} to a cell"
        for a, b in zip(edges, ends, strict=True)
    )
    place = np.searchsorted(np.asarray(edges), counts[which.reshape(cells.shape)], "right") - 1
    return _chosen(cells, names, place)


def _chosen(like: "xr.DataArray", names: tuple[str, ...], place: np.ndarray) -> "xr.DataArray":
    """Put names in the place of numbers; −1 is not known. The order of the names goes along."""
    text = np.array([*names, UNKNOWN])[place]
    found = like.copy(data=text)
    found.attrs = {"order": list(names)}
    return found.rename(None)
