"""From hours to days for maps, lazily, by the rule of `daily`.

Fluxes are rates, so the mean of a day is its total; what is a maximum or a minimum stays one. A day
of a cell is kept when it has at least `least` of its records; what is kept is the mean of those
that are there. A time at midnight that ends its interval belongs to the day before.
"""

import math
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.conform import attributes
from diffhydro.data.daily import DAY, LEAST
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_MOMENT = np.timedelta64(1, "ns")
_MOST = 2**24  # values that are reduced at once
_ENDINGS = {"_max": np.fmax, "_min": np.fmin}
_METHODS = {np.add: "mean", np.fmax: "maximum", np.fmin: "minimum"}


def daily_map(
    found: "xr.Dataset",
    *,
    per_day: int | None = None,
    least: float = LEAST,
    extremes: Iterable[str] = (),
) -> "xr.Dataset":
    """Average over days, of which every one from the first to the last is there.

    Days at either end that no variable has enough times for are left out.

    Args:
        found: Over `time`, in order, and any other dimensions; variables say their `stamp`.
        per_day: Records that a whole day has; what the commonest step of time makes if None.
        least: Share of them that a day needs.
        extremes: Variables of which the day's `_max` and `_min` are wanted as well.
    """
    import xarray as xr

    times = _times(found)
    need = max(least * (per_day or _per_day(times)), 1.0)
    series = {str(n): v for n, v in found.data_vars.items() if "time" in v.dims}
    picks = {name: (name, _pick(name)) for name in series}
    for name in extremes:
        if name not in series:
            raise InputError(f"there is no {name} to take extremes of; there is {_list(series)}")
        for ending, pick in _ENDINGS.items():
            picks.setdefault(f"{name}{ending}", (name, pick))
    days = {name: _days(times, v) for name, v in series.items()}
    every = _every(list(days.values()), need)
    made = {
        name: _reduced(name, series[source], days[source], need, pick).reindex(time=every)
        for name, (source, pick) in picks.items()
    }
    fixed = {n: v for n, v in found.data_vars.items() if n not in series}
    kept = {n: c for n, c in found.coords.items() if "time" not in c.dims}
    return xr.Dataset(made | fixed, kept | {"time": every}, found.attrs)


def _times(found: "xr.Dataset") -> np.ndarray:
    if "time" not in found.dims or found.sizes["time"] == 0:
        raise InputError(f"there are no times to make days of; there is {_list(found.data_vars)}")
    times = found["time"].values.astype("datetime64[ns]")
    if not (np.diff(times) > np.timedelta64(0)).all():
        raise InputError("times are not in order; days need each once, ascending")
    return times


def _per_day(times: np.ndarray) -> int:
    if len(times) < 2:
        raise InputError("one time tells no step; say how many records a day has (per_day)")
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return max(round(DAY / steps[np.argmax(counts)]), 1)


def _pick(name: str) -> np.ufunc:
    if name in VARIABLES and VARIABLES[name].kind == "code":
        raise InputError(f"{name} is a class, of which there is no mean; leave it out")
    return next((pick for ending, pick in _ENDINGS.items() if name.endswith(ending)), np.add)


def _days(times: np.ndarray, values: "xr.DataArray") -> np.ndarray:
    """Give the day of every record."""
    is_end = values.attrs.get("stamp") == "end"
    return (times - _MOMENT if is_end else times).astype("datetime64[D]")


def _every(days: list[np.ndarray], need: float) -> np.ndarray:
    enough = []
    for one in days:
        unique, counts = np.unique(one, return_counts=True)
        enough.append(unique[counts >= need])
    some = np.concatenate(enough)
    if not len(some):
        raise InputError(
            f"no day has {need:g} records, of {len(days[0])} from {days[0][0]} to {days[0][-1]}; "
            "say how many records a day has (per_day), or lower least"
        )
    return np.arange(some.min(), some.max() + DAY).astype("datetime64[ns]")


def _reduced(
    name: str, values: "xr.DataArray", days: np.ndarray, need: float, pick: np.ufunc
) -> "xr.DataArray":
    """Reduce one variable to the days that it has times in."""
    import xarray as xr

    values = values.transpose("time", ...)
    variable = VARIABLES.get(name)
    limits = (variable.least, variable.most) if variable else (-np.inf, np.inf)
    of_days = partial(_of_days, need=need, pick=pick, limits=limits)
    starts = np.flatnonzero(np.concatenate([[True], days[1:] != days[:-1]]))
    numbers = days.astype(np.int64).reshape(-1, *(1 for _ in values.dims[1:]))
    if values.chunks is None:
        data: Any = of_days(values.values, numbers)
    else:
        data = _lazily(of_days, values.data, numbers, starts)
    kept = {n: c for n, c in values.coords.items() if "time" not in c.dims}
    about = values.attrs | (attributes(variable) if variable else {})
    about |= {"stamp": "start", "cell_methods": f"time: {_METHODS[pick]}"}
    times = days[starts].astype("datetime64[ns]")
    return xr.DataArray(data, kept | {"time": times}, values.dims, attrs=about)


def _lazily(of_days: Any, data: Any, numbers: np.ndarray, starts: np.ndarray) -> Any:
    """Do the same piece by piece; pieces of time are made to end with a day."""
    import dask.array

    wanted = max(data.chunks[0])
    edges, of_piece, last = [0], [], 0
    for i, end in enumerate([*starts[1:], len(numbers)], 1):
        if end - edges[-1] >= wanted or end == len(numbers):
            edges.append(int(end))
            of_piece.append(i - last)
            last = i
    lengths = tuple(np.diff(edges).tolist())
    data = data.rechunk(_split(data, max(lengths)) | {0: lengths})
    ones: Any = (lengths, *((1,) for _ in numbers.shape[1:]))
    at = dask.array.from_array(numbers, chunks=ones)
    return dask.array.map_blocks(
        of_days,
        data,
        at,
        chunks=(tuple(of_piece), *data.chunks[1:]),
        dtype=np.float32,
        meta=np.empty((0,) * data.ndim, np.float32),
    )


def _split(data: Any, records: int) -> dict[int, int]:
    """Give shorter rows of pieces where whole days of them would be too much at once."""
    if data.ndim < 2:
        return {}
    row = max(1, data.ndim - 2)
    others = math.prod(max(c) for i, c in enumerate(data.chunks) if i not in (0, row))
    return {row: min(max(data.chunks[row]), max(1, _MOST // (records * others)))}


def _of_days(
    values: np.ndarray,
    days: np.ndarray,
    *,
    need: float,
    pick: np.ufunc,
    limits: tuple[float, float],
) -> np.ndarray:
    """Reduce whole days, along the first axis.

    Args:
        days: Of every record, ascending.
    """
    days = days.reshape(-1)
    starts = np.flatnonzero(np.concatenate([[True], days[1:] != days[:-1]]))
    there = np.isfinite(values)
    count = np.add.reduceat(there, starts, axis=0, dtype=np.int32)
    if pick is np.add:
        total = np.add.reduceat(np.where(there, values, 0.0), starts, axis=0, dtype=np.float64)
        found = total / np.maximum(count, 1)
    else:
        found = pick.reduceat(np.where(there, values, np.nan), starts, axis=0)
    good = (count >= need) & (found >= limits[0]) & (found <= limits[1])
    return np.where(good, found, np.nan).astype(np.float32)


def _list(names: Iterable[Any]) -> str:
    return ", ".join(map(str, names)) or "nothing"
