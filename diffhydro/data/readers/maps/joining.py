"""Maps of one grid side by side in time: variables and years may lie in different files.

Times stay as they are, in order. A variable that lacks times which another has is missing there.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

Piece = tuple[Path, "xr.Dataset"]
_CLOSE = 2e-5  # degree; coordinates of one grid in single and in double precision agree to this


def joined(pieces: Iterable[Piece]) -> "xr.Dataset":
    """Put pieces together; a time that a variable has twice is refused."""
    import xarray as xr

    pieces = list(pieces)
    if not pieces:
        raise InputError("no file has any of the variables that are asked for")
    _check_grids(pieces)
    names = dict.fromkeys(str(name) for _, piece in pieces for name in piece.data_vars)
    made = {
        name: _in_time(name, [(path, piece[name]) for path, piece in pieces if name in piece])
        for name in names
    }
    first = pieces[0][1]
    if not made:
        return first.isel(time=slice(0))
    # Latitudes of the first file are everybody's: the others differ by rounding only.
    bare = [one.drop_vars(["latitude", "longitude"]) for one in made.values()]
    aligned = xr.align(*bare, join="outer") if _differ(bare) else bare
    together = dict(zip(made, aligned, strict=True))
    return xr.Dataset(together).assign_coords(
        latitude=first["latitude"], longitude=first["longitude"]
    )


def _differ(series: Sequence["xr.DataArray"]) -> bool:
    times = [one["time"].values for one in series]
    return any(not np.array_equal(times[0], other) for other in times[1:])


def _check_grids(pieces: Sequence[Piece]) -> None:
    first_path, first = pieces[0]
    for path, piece in pieces[1:]:
        for name in ("latitude", "longitude"):
            one, other = first[name].values, piece[name].values
            if one.shape != other.shape or not np.allclose(one, other, rtol=0.0, atol=_CLOSE):
                raise InputError(
                    f"{first_path.name} and {path.name} have different grids "
                    f"({_span(one)} and {_span(other)} in {name}); read them apart"
                )


def _span(axis: np.ndarray) -> str:
    return f"{len(axis)} from {axis[0]:g} to {axis[-1]:g}"


def _in_time(name: str, parts: list[tuple[Path, "xr.DataArray"]]) -> "xr.DataArray":
    import xarray as xr

    parts.sort(key=lambda part: part[1]["time"].values[0])
    arrays = [array for _, array in parts]
    if len(arrays) == 1:
        whole = arrays[0]
    else:
        whole = xr.concat(arrays, "time", coords="minimal", compat="override", join="override")
    times = whole["time"].values
    order = np.argsort(times, kind="stable")
    twice = np.flatnonzero(np.diff(times[order]) == np.timedelta64(0))
    if len(twice):
        files = np.repeat(np.arange(len(parts)), [array.sizes["time"] for array in arrays])
        here = sorted({parts[files[i]][0].name for i in order[twice[0] : twice[0] + 2]})
        time = np.datetime_as_string(times[order][twice[0]], unit="m")
        raise InputError(
            f"{name} has {time} twice, in {' and in '.join(here)} ({len(twice)} such times); give "
            "every time once"
        )
    return whole if (order == np.arange(len(order))).all() else whole.isel(time=order)
