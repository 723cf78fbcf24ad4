"""One set of axes for several data sets: times, depths and sites of all, or the cells of one grid.

Sites are one where they share a name; then they must share a place, too. What a data set lacks on
the common axes is missing there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.places import Places, distance
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

APART = 1.0  # km; farther apart, sites of one name are not one site
OF_AXIS = {"time_zone": "time", "crs": "y"}  # attributes that sources with an axis must share
_MOST = 255  # sources that a byte can tell apart, beside none
_DAY = np.timedelta64(1, "D")
_GAPPY = 3  # days between the closest records of what still counts as daily, such as overpasses
_OFF = 0.01  # cells; centres of one grid differ by rounding only
_DIGITS = 3  # of depths in mm; single precision has 50.8 as 50.79999924


def unite(sources: "Mapping[str, xr.Dataset]", *, apart: float = APART) -> "dict[str, xr.Dataset]":
    """Give all data sets the same axes; nothing is filled.

    Args:
        sources: By a word for each.
        apart: How far, in km, two of them may place a site of one name.
    """
    _check_labels(sources)
    shared: dict[str, Any] = {}
    for axis, join in (("time", _times), ("depth", _depths), ("site", _sites), ("y", _cells)):
        having = {label: source for label, source in sources.items() if axis in source.dims}
        shared |= join(having) if having else {}
    if "site" in shared and any("y" in source.dims for source in sources.values()):
        raise InputError("some sources are maps, others sites; take maps to sites with nearest_at")
    if "site" in shared:
        _check_places(sources, apart)
    united = {}
    for label, source in sources.items():
        axes = {a: _names(source, a) for a in ("site", "time", "depth") if a in source.dims}
        bare = source.drop_vars(list(source.coords)).assign_coords(axes)
        united[label] = bare.reindex({a: shared[a][1] for a in axes}).assign_coords(shared)
    return united


def _names(source: "xr.Dataset", axis: str) -> np.ndarray:
    """Give what places along an axis are called, so that equal ones are equal."""
    if axis == "site":
        return np.array(Places.of(source).names)
    values = source[axis].values
    return np.round(values.astype(np.float64), _DIGITS) if axis == "depth" else values


def _check_labels(sources: "Mapping[str, xr.Dataset]") -> None:
    if not 1 <= len(sources) <= _MOST:
        raise InputError(f"expected 1 to {_MOST} sources; got {len(sources)}")
    for label, source in sources.items():
        if not label or len(label.split()) != 1 or label == "none":
            raise InputError(f"a source is called {label!r}; expected one word, and not none")
        merged = [name for name in source.data_vars if str(name).endswith("_source")]
        if merged:
            raise InputError(
                f"{label} has {merged[0]}, so it was merged before; merge all sources in one call, "
                "or drop that variable"
            )
    for what, axis in OF_AXIS.items():
        said = {
            label: source.attrs[what]
            for label, source in sources.items()
            if what in source.attrs and axis in source.dims
        }
        if len(set(said.values())) > 1:
            listed = ", ".join(f"{label} in {value}" for label, value in said.items())
            raise InputError(
                f"sources differ in their {what}: {listed}; bring them to one, or, where you "
                f"accept the difference, set the attribute {what} of both alike"
            )


def _times(sources: "Mapping[str, xr.Dataset]") -> dict[str, Any]:
    """Give all times in order; refuse steps that differ, and stamps of different hours."""
    axes = {label: source["time"].values for label, source in sources.items()}
    for label, times in axes.items():
        if (np.diff(times) <= np.timedelta64(0)).any():
            raise InputError(f"the times of {label} do not increase; sort them, each once")
    united = np.unique(np.concatenate(list(axes.values())))
    steps = {label: np.diff(times).min() for label, times in axes.items() if len(times) > 1}
    unit = min([_DAY, *steps.values()])
    widest = unit if unit < _DAY else _GAPPY * min(steps.values(), default=_DAY)
    phases = np.unique((united - united[:1]) % unit)
    if len(phases) > 1 or max(steps.values(), default=unit) > widest:
        listed = ", ".join(
            f"{label} from {axes[label][0].astype('datetime64[m]')} every {_hours(step)} h"
            for label, step in steps.items()
        )
        raise InputError(
            f"sources have different steps, or stamps of different hours: {listed}; bring them to "
            "the same first, for example to days"
        )
    return {"time": ("time", united)}


def _hours(step: np.timedelta64) -> str:
    return f"{step / np.timedelta64(1, 'h'):g}"


def _depths(sources: "Mapping[str, xr.Dataset]") -> dict[str, Any]:
    """Give all depths in order; edges of layers where every source of a depth tells them.

    A probe has no edges, so where probe and layer are merged the depth has none.
    """
    layers: dict[float, tuple[float, float]] = {}
    for label, source in sources.items():
        edges = [source[n].values if n in source.coords else None for n in ("top", "bottom")]
        for i, depth in enumerate(_names(source, "depth").tolist()):
            top, bottom = (np.nan if edge is None else float(edge[i]) for edge in edges)
            before = layers.setdefault(depth, (top, bottom))
            if np.isnan(top + bottom) or np.isnan(sum(before)):
                layers[depth] = (np.nan, np.nan)
            elif not np.allclose(before, (top, bottom), atol=10.0**-_DIGITS):
                raise InputError(
                    f"{label} has a layer from {top} to {bottom} mm, another source one from "
                    f"{before[0]} to {before[1]} mm, both with their middle at {depth} mm"
                )
    depths = sorted(layers)
    attributes = {"units": "mm", "positive": "down"}
    made: dict[str, Any] = {"depth": ("depth", np.array(depths), attributes)}
    tops, bottoms = np.array([layers[depth] for depth in depths]).T
    if np.isfinite(tops).any():
        made |= {"top": ("depth", tops), "bottom": ("depth", bottoms)}
    return made


def _sites(sources: "Mapping[str, xr.Dataset]") -> dict[str, Any]:
    """Give all names, and what the first source that knows says of each."""
    names = list(dict.fromkeys(n for s in sources.values() for n in Places.of(s).names))
    made: dict[str, Any] = {"site": ("site", np.array(names))}
    for source in sources.values():
        for coordinate, values in source.coords.items():
            if values.dims == ("site",) and coordinate not in made:
                known = _known(sources, str(coordinate))
                column = _column([known.get(name) for name in names])
                made[str(coordinate)] = ("site", column, values.attrs)
    return made


def _known(sources: "Mapping[str, xr.Dataset]", coordinate: str) -> dict[str, Any]:
    """Give what the first source that knows says of each site."""
    known: dict[str, Any] = {}
    for source in sources.values():
        if coordinate in source.coords:
            told = zip(_names(source, "site"), source[coordinate].values, strict=True)
            known = {str(n): v for n, v in told if v not in ("", None) and v == v} | known
    return known


def _column(values: list[Any]) -> np.ndarray:
    """Make an array of numbers, or of words where any is a word."""
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    return np.array([np.nan if value is None else float(value) for value in values])


def _check_places(sources: "Mapping[str, xr.Dataset]", apart: float) -> None:
    """Refuse sites of one name in two places."""
    seen: dict[str, tuple[str, float, float]] = {}
    for label, source in sources.items():
        places = Places.of(source)
        for name, latitude, longitude in zip(
            places.names, places.latitude, places.longitude, strict=True
        ):
            first, *place = seen.setdefault(name, (label, latitude, longitude))
            away = float(distance(*map(np.asarray, (*place, latitude, longitude))))
            if away > apart:
                raise InputError(
                    f"{first} has {name} at {place[0]:.4f}, {place[1]:.4f}, {label} at "
                    f"{latitude:.4f}, {longitude:.4f}, {away:.1f} km away; expected {apart} km at "
                    "most: rename one, or allow more with apart"
                )


def _cells(sources: "Mapping[str, xr.Dataset]") -> dict[str, Any]:
    """Give the coordinates of the one grid that all maps lie on."""
    (label, first), *others = sources.items()
    names = [n for n in ("latitude", "longitude", "y", "x") if n in first.coords]
    for other, source in others:
        for name in names:
            mine, theirs = first[name].values, source[name].values if name in source.coords else ()
            nearly = _OFF * np.abs(np.diff(mine)).min() if len(mine) > 1 else 1e-4
            if np.shape(mine) != np.shape(theirs) or np.abs(mine - theirs).max() > nearly:
                raise InputError(
                    f"{label} and {other} lie on different grids (their {name} differs); bring "
                    "them onto one with grids.mean_on or nearest_on"
                )
    return {name: first[name].variable for name in names}
