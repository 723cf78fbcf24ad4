"""What places are clustered by: numbers of a place, as a matrix with named columns.

A name is an address in a data set of the schema:

- `temperature`: what changes with time is averaged over all of it, layers by their thickness;
- `soil_moisture.JJA`: averaged over the June to August of all years (likewise DJF, MAM, SON);
- `land_cover.41`: 1 where the class is 41, else 0; `land_cover` alone stands for all its classes
  that occur, because a mean of class numbers means nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

LEAST = 0.75  # share of the times that a mean needs
_SEASONS = {"DJF": (12, 1, 2), "MAM": (3, 4, 5), "JJA": (6, 7, 8), "SON": (9, 10, 11)}


@dataclass(frozen=True, eq=False)
class Features:
    """Numbers of places.

    Args:
        values: `[place, feature]`, all finite.
        places: Names of sites, or positions in the flattened map; None counts them.
        latitude: Of the places, where it is known.
    """

    values: np.ndarray
    names: tuple[str, ...]
    places: np.ndarray | None = None
    latitude: np.ndarray | None = None
    longitude: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise InputError(
                f"features have shape {self.values.shape}; expected places times the "
                f"{len(self.names)} names {', '.join(self.names)}"
            )
        if len(set(self.names)) < len(self.names):
            raise InputError(f"a feature is there twice: {', '.join(self.names)}")
        for label, given in self._of_places().items():
            if given is not None and len(given) != len(self):
                raise InputError(f"{label} has {len(given)} entries for {len(self)} places")
        bad = np.argwhere(~np.isfinite(self.values))
        if len(bad):
            place, feature = bad[0]
            raise InputError(
                f"{self.names[feature]} is {self.values[place, feature]} at place "
                f"{self.name_of(place)} ({len(np.unique(bad[:, 0]))} of {len(self)} places are "
                "incomplete); fill or leave out such places before clustering"
            )

    def __len__(self) -> int:
        return len(self.values)

    def name_of(self, place: int) -> str:
        """Give a site's name, or a cell's position."""
        return str(place if self.places is None else self.places[place])

    def take(self, rows: np.ndarray) -> "Features":
        """Keep some places, as a fold does."""
        kept = {k: None if v is None else v[rows] for k, v in self._of_places().items()}
        return Features(self.values[rows], self.names, **kept)

    def ordered(self, names: Sequence[str]) -> np.ndarray:
        """Give the columns `names`, in that order."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise InputError(
                f"there is no feature {', '.join(missing)}; the places have {', '.join(self.names)}"
            )
        return np.asarray(self.values, np.float64)[:, [self.names.index(n) for n in names]]

    def _of_places(self) -> dict[str, np.ndarray | None]:
        return {
            "places": self.places,
            "latitude": self.latitude,
            "longitude": self.longitude,
        }


def features_of(found: "xr.Dataset", names: Sequence[str], least: float = LEAST) -> Features:
    """Take features from a data set over `site`, or over `y` and `x`.

    Cells of a map that lack one (the sea) are left out; a site that lacks one is an error.

    Args:
        least: Share of the times that a mean over time needs.
    """
    import xarray as xr

    dims = ("site",) if "site" in found.dims else ("y", "x")
    if not set(dims) <= set(found.dims):
        raise InputError(f"features need the dimension site, or y and x; got {tuple(found.dims)}")
    names = _spelled_out(found, names)
    lazy = {name: _feature(found, name, least) for name in names}
    for name, values in lazy.items():
        if set(values.dims) != set(dims):
            raise InputError(f"{name} lies over {values.dims}; a feature is one number of a place")
    whole = xr.Dataset({str(i): x.drop_vars(list(x.coords)) for i, x in enumerate(lazy.values())})
    whole = whole.compute().transpose(*dims)
    matrix = np.stack([whole[str(i)].values.ravel() for i in range(len(names))], axis=1)
    complete = np.isfinite(matrix).all(axis=1)
    if dims != ("site",) and not complete.any():
        counts = ", ".join(f"{n} {np.isfinite(matrix[:, i]).sum()}" for i, n in enumerate(names))
        raise InputError(f"no cell has all features; of {len(matrix)} cells have {counts}")
    kept = np.ones(len(matrix), bool) if dims == ("site",) else complete
    latitude, longitude = (_spread(found, name, dims) for name in ("latitude", "longitude"))
    return Features(
        matrix[kept],
        names,
        found["site"].values if "site" in found.coords else np.arange(len(matrix))[kept],
        None if latitude is None else latitude[kept],
        None if longitude is None else longitude[kept],
    )


def _spelled_out(found: "xr.Dataset", names: Sequence[str]) -> tuple[str, ...]:
    """Replace variables of classes by the classes that occur."""
    listed: list[str] = []
    for name in names:
        variable, _, part = name.partition(".")
        if variable not in VARIABLES or variable not in found:
            raise InputError(f"{variable} is not there; got {', '.join(map(str, found.data_vars))}")
        if variable == "aspect":
            raise InputError("aspect is an angle, 359° is near 1°; give its sine and cosine")
        if VARIABLES[variable].kind != "code" or part:
            listed.append(name)
            continue
        codes = np.unique(np.asarray(found[variable].values, np.float64))
        listed += [f"{name}.{code:.0f}" for code in codes[np.isfinite(codes)]]
    return tuple(listed)


def _feature(found: "xr.Dataset", name: str, least: float) -> "xr.DataArray":
    """Give one number of each place, missing where too little is known."""
    variable, _, part = name.partition(".")
    values = found[variable]
    if VARIABLES[variable].kind == "code":
        return (values == _code(name, part)).astype(np.float64).where(values.notnull())
    values = values.astype(np.float64)
    if "time" in values.dims:
        values = _mean_over_time(values, name, part, least)
    elif part:
        raise InputError(f"{name}: {variable} does not change with time, it has no {part}")
    if "depth" in values.dims:
        values = _mean_over_depth(values, found, name)
    return values


def _code(name: str, part: str) -> float:
    if not part.isdigit():
        raise InputError(f"{name}: expected a class number after the dot, as in land_cover.41")
    return float(part)


def _mean_over_time(values: "xr.DataArray", name: str, part: str, least: float) -> "xr.DataArray":
    if part:
        if part not in _SEASONS:
            raise InputError(f"{name}: expected one of {', '.join(_SEASONS)} after the dot")
        values = values.isel(time=values["time"].dt.month.isin(_SEASONS[part]).values)
    count = values.notnull().sum("time")
    enough = count >= max(least * values.sizes["time"], 1)
    return (values.sum("time") / count.where(enough)).where(enough)


def _mean_over_depth(values: "xr.DataArray", found: "xr.Dataset", name: str) -> "xr.DataArray":
    if values.sizes["depth"] == 1:
        return values.isel(depth=0)
    if not {"top", "bottom"} <= set(found.coords):
        raise InputError(
            f"{name} has {values.sizes['depth']} depths without top and bottom; choose one, "
            "ds.sel(depth=[50.0])"
        )
    thickness = found["bottom"] - found["top"]
    known = thickness.where(values.notnull(), 0.0).sum("depth")
    return (values * thickness).sum("depth") / known.where(known > 0.0)


def _spread(found: "xr.Dataset", name: str, dims: tuple[str, ...]) -> np.ndarray | None:
    """Give where every place lies, also from a coordinate along one side of the map."""
    if name not in found.variables or not set(found[name].dims) <= set(dims):
        return None
    like = {d: found.sizes[d] for d in dims if d not in found[name].dims}
    return found[name].expand_dims(like).transpose(*dims).values.astype(np.float64).ravel()
