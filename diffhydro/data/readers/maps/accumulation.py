"""Sums that grow, and what came in one step of them.

ERA5-Land accumulates from 00 UTC: the value at 01 … 23 UTC is the sum since midnight, the one at
00 UTC the total of the day before (ECMWF, ERA5-Land data documentation). What came in a step is

    ΔA(t) = A(t) − A(t − Δt),  or A(t) for the first step after 00 UTC.
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_DAY, _HOUR = np.timedelta64(1, "D"), np.timedelta64(1, "h")
_MOMENT = np.timedelta64(1, "ns")


def per_hour(sums: "xr.DataArray") -> "xr.DataArray":
    """Give what came in the step before each time, per hour, of sums since 00 UTC.

    A step is the usual distance between two times. Where the sum at its beginning is not there,
    what came in it is unknown, and missing.
    """
    times = sums["time"].values
    days = (times - _MOMENT).astype("datetime64[D]")  # 00 UTC belongs to the day that ends
    is_first = np.concatenate([[True], days[1:] != days[:-1]])
    since = np.where(is_first, days.astype(times.dtype), np.concatenate([times[:1], times[:-1]]))
    lengths = times - since
    step = _usual(times)
    is_whole = lengths == step
    if not is_whole.any():
        raise InputError(
            f"sums since 00 UTC at {len(times)} times from {times[0]} to {times[-1]}, none of them "
            "a step after another or after 00 UTC; expected every hour, or 00 UTC of every day"
        )
    before = sums.shift(time=1).where(_along(sums, ~is_first), 0.0)
    return (sums - before).where(_along(sums, is_whole)) / float(step / _HOUR)


def day_totals(sums: "xr.DataArray") -> "xr.DataArray":
    """Give the totals of days, stamped at their start: the sums at 00 UTC of the days after."""
    times = sums["time"].values
    days = times.astype("datetime64[D]")
    found = sums.isel(time=np.flatnonzero(days == times))
    if found.sizes["time"] == 0:
        raise InputError("there is no 00 UTC, which has the totals of the days before")
    return found.assign_coords(time=found["time"].values - _DAY)


def not_below(values: "xr.DataArray", noise: float) -> "xr.DataArray":
    """Make zeros of what is negative by no more than `noise`: packing rounds, and sums differ."""
    return values.where((values >= 0.0) | (values < -noise) | values.isnull(), 0.0)


def _usual(times: np.ndarray) -> np.timedelta64:
    """Give the commonest step; a day for a single time."""
    if len(times) < 2:
        return _DAY
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return min(steps[np.argmax(counts)], _DAY)


def _along(values: "xr.DataArray", given: np.ndarray) -> "xr.DataArray":
    import xarray as xr

    return xr.DataArray(given, dims="time", coords={"time": values["time"]})
