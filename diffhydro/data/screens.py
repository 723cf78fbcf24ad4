"""Values that an instrument made up: outside what is possible, spikes, breaks, plateaus.

The shapes are those of Dorigo et al. 2013 (Vadose Zone J. 12(3), doi:10.2136/vzj2012.0097), whose
conditions look at derivatives. They were made for hourly series; here they count records. Two
departures, both because daily series rise within one record when it rains: a rise is good where
`wetted` says that rain explains it (on the daily series of 30 USCRN sites nearly all rises that the
conditions find are such), and a spike has to exceed `least`, as a break has to.

All functions take series with time along the last axis, NaN for missing, and judge no value whose
neighbours in time are missing.
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.gaps.runs import gap_lengths, neighbours_in_time
from diffhydro.data.reasons import Found, Reason, mark
from diffhydro.data.schema import VARIABLES
from diffhydro.data.shapes import first_derivative, ratio, second_derivative, shifted, window
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

Mask = np.ndarray | bool


def outside(values: np.ndarray, least: float, most: float) -> Found:
    """Find what is below `least` or above `most`; the ISMN takes 0 and 0.6 for soil moisture."""
    return Found.where((values < least) | (values > most), Reason.OUTSIDE_RANGE)


def above_porosity(values: np.ndarray, porosity: np.ndarray, tolerance: float = 0.0) -> Found:
    """Find more water than the soil has pores for.

    Args:
        porosity: As `values`, without time; NaN where it is not known.
        tolerance: By which a value may exceed it, m³/m³.
    """
    return Found.where(values > np.asarray(porosity)[..., None] + tolerance, Reason.ABOVE_POROSITY)


def wet_records(precipitation: np.ndarray, least: float = 0.2) -> np.ndarray:
    """Tell when rain can explain a rise: on a record with rain, the one after, or where unknown.

    Args:
        precipitation: mm/day.
        least: Rain that counts, mm/day: what a usual gauge resolves.
    """
    rain = np.isnan(precipitation) | (precipitation >= least)
    return rain | shifted(rain, 1, empty=True)


def spikes(
    values: np.ndarray,
    wetted: Mask = False,
    *,
    change: float = 0.15,
    evenness: float = 0.2,
    variation: float = 1.0,
    around: int = 12,
    least: float = 0.01,
) -> Found:
    """Find single values that leave a series and come back (D06).

    |x(t)/x(t−1) − 1| > change;  ||x″(t−1)/x″(t+1)| − 1| < evenness;  the values around, without
    x(t) itself, have a coefficient of variation below `variation`.

    Args:
        wetted: Records on which a rise is good, see `wet_records`.
        around: Records on each side whose variation is taken.
        least: Change that counts at all, m³/m³.
    """
    before, curve = shifted(values, 1), second_derivative(values)
    step = values - before
    bad = (np.abs(step) > change * np.abs(before)) & (np.abs(step) > least)
    bad &= np.abs(np.abs(ratio(shifted(curve, 1), shifted(curve, -1))) - 1.0) < evenness
    near = window(values, around, around, itself=False)
    bad &= np.sqrt(near.variance) < variation * np.abs(near.mean)
    return Found.where(bad & ~((step > 0.0) & wetted), Reason.SPIKE)


def breaks(
    values: np.ndarray,
    wetted: Mask = False,
    *,
    change: float = 0.1,
    least: float = 0.01,
    factor: float = 10.0,
    around: int = 12,
    evenness: float = 0.05,
    calm: float = 10.0,
) -> Found:
    """Find the first value after a series has dropped (D07) or jumped (D08) to another level.

    |x(t) − x(t−1)| > change·|x(t)| and > least;  |x′(t)| > factor times the mean of x′ from
    t − around to t + around;  ||x″(t−1)/x″(t)| − 1| < evenness;  |x″(t)/x″(t+1)| > calm.

    Args:
        wetted: Records on which a rise is good, see `wet_records`.
    """
    slope, curve = first_derivative(values), second_derivative(values)
    step = values - shifted(values, 1)
    bad = (np.abs(step) > change * np.abs(values)) & (np.abs(step) > least)
    bad &= np.abs(slope) > factor * np.abs(window(slope, around, around).mean)
    bad &= np.abs(np.abs(ratio(shifted(curve, 1), curve)) - 1.0) < evenness
    bad &= np.abs(curve) > calm * np.abs(shifted(curve, -1))
    down = Found.where(bad & (step < 0.0), Reason.DROP)
    return down | Found.where(bad & (step > 0.0) & ~np.asarray(wetted), Reason.JUMP)


def plateaus(
    values: np.ndarray,
    dropped: np.ndarray,
    *,
    length: int = 12,
    flat: float = 5e-4,
    steep: float = 0.0025,
    full: float = 0.95,
    around: int = 12,
) -> Found:
    """Find plateaus that follow a drop (D09), or on which a series is saturated (D10).

    A plateau is `length` records or more of which any `length` in a row have a standard deviation
    of at most `flat`. It is low where a drop was found at its start, or one record from it. It is
    saturated where x′ reaches `steep` within `around` of its start, is not positive somewhere
    within `around` of its end, and its mean exceeds `full` times the highest value of the series.

    Args:
        dropped: Where `breaks` found a drop.
        flat: m³/m³.
        steep: m³/m³ a record.
    """
    level = _level(values, length, flat)
    before, after = neighbours_in_time(~level)
    slope = first_derivative(values)
    end = values.shape[-1] - 1
    starts, ends = np.minimum(before + 1, end), np.maximum(after - 1, 0)

    def at(x: np.ndarray, index: np.ndarray) -> np.ndarray:
        return np.take_along_axis(np.broadcast_to(x, values.shape), index, -1)

    falls = np.asarray(dropped) | shifted(dropped, 1, False) | shifted(dropped, -1, False)
    low = level & at(falls, starts)
    rises = _spread(slope >= steep, around)
    eases = _spread(slope <= 0.0, around)
    means = _mean_between(values, starts, ends)
    highest = np.where(np.isnan(values), -np.inf, values).max(axis=-1, keepdims=True)
    saturated = level & at(rises, starts) & at(eases, ends) & (means > full * highest)
    return Found.where(low, Reason.LOW_PLATEAU) | Found.where(saturated, Reason.SATURATED_PLATEAU)


def stuck(values: np.ndarray, length: int, change: float = 0.0) -> Found:
    """Find `length` records or more, none of which differs from the last by more than `change`.

    Dry soil can stay as it is to the last digit for weeks; so there is no length to recommend.
    """
    same = np.abs(values - shifted(values, 1)) <= change
    run = gap_lengths(same) + 1
    return Found.where(np.maximum(run * same, shifted(run * same, -1, 0)) >= length, Reason.STUCK)


def _level(values: np.ndarray, length: int, flat: float) -> np.ndarray:
    """Tell which records lie in a run of `length` whose standard deviation is at most `flat`."""
    behind = window(values, length - 1, 0)
    ends = (behind.number > length - 0.5) & (np.sqrt(behind.variance) <= flat)
    return window(np.where(ends, 1.0, np.nan), 0, length - 1).number > 0.5


def _spread(there: np.ndarray, around: int) -> np.ndarray:
    return window(np.where(there, 1.0, np.nan), around, around).number > 0.5


def _mean_between(values: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    there = ~np.isnan(values)
    zero = np.zeros((*values.shape[:-1], 1))
    sums = np.concatenate([zero, np.cumsum(np.where(there, values, 0.0), -1)], -1)
    counts = np.concatenate([zero, np.cumsum(there, -1)], -1)
    total = np.take_along_axis(sums, ends + 1, -1) - np.take_along_axis(sums, starts, -1)
    count = np.take_along_axis(counts, ends + 1, -1) - np.take_along_axis(counts, starts, -1)
    return total / np.maximum(count, 1.0)


def screen_soil_moisture(dataset: "xr.Dataset", name: str = "soil_moisture") -> "xr.Dataset":
    """Take out what any of the screens finds; `<name>_screened` says why.

    Rises are excused by `precipitation` and values are held against `theta_s` where the data set
    has them.
    """
    dims = ("depth", "site", "time") if "depth" in dataset[name].dims else ("site", "time")
    values = np.asarray(dataset[name].transpose(*dims).values, np.float64)
    variable = VARIABLES["soil_moisture"]
    wetted: Mask = False
    if "precipitation" in dataset:
        wetted = wet_records(dataset["precipitation"].transpose("site", "time").values)
    broken = breaks(values, wetted)
    found = outside(values, variable.least, variable.most) | spikes(values, wetted) | broken
    found |= plateaus(values, (broken.reasons & Reason.DROP) > 0)
    if "theta_s" in dataset:
        found |= above_porosity(values, _porosity(dataset, dims[:-1]))
    return mark(dataset, name, found, dims)


def _porosity(dataset: "xr.Dataset", dims: tuple[str, ...]) -> np.ndarray:
    pores = dataset["theta_s"]
    if not set(pores.dims) <= set(dims):
        raise InputError(
            f"theta_s varies over {', '.join(map(str, pores.dims))}, the water over "
            f"{', '.join(dims)}; select the depth of the probes"
        )
    return pores.transpose(*(d for d in dims if d in pores.dims)).values
