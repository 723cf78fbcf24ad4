"""Records of hours and minutes: amounts become rates, what peaks within a day is let through.

The schema's ranges are those of a day. Sunshine and rain exceed them for an hour: what is read as
it is has the ranges of `PEAKS` for them, and a day's mean is held against the schema's again.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.daily import LEAST, daily
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

DAY = np.timedelta64(1, "D")
SUNSHINE = 1500.0  # W/m², the sun's constant and a tenth more from the edges of clouds
NIGHT = -20.0  # W/m², what pyranometers show when they cool against a clear sky
CLOUDBURST = 45_000.0  # mm/day: 31.2 mm in a minute, the record of the WMO
PEAKS = {
    "shortwave": (NIGHT, SUNSHINE),
    "precipitation": (0.0, CLOUDBURST),
    "potential_evaporation": (-100.0, 200.0),  # mm/day, at noon in a desert
}
# Units of amounts. Of a record they are what came in its step, and `units.py` takes that for a day.
AMOUNTS = frozenset({"mm", "kg m-2", "in", "MJ/m2", "MJ/m^2"})
RATES = frozenset({"mm day-1", "W m-2"})
_STEPS, _STEPS_PER_RECORD = 100_000, 100  # beyond them a series would be all gaps


def per_day(step: np.timedelta64) -> float:
    """Give how many steps a day has."""
    return float(DAY / step)


def limits(name: str) -> tuple[float, float]:
    """Give what a variable can be over an hour or less."""
    return PEAKS.get(name, (VARIABLES[name].least, VARIABLES[name].most))


def rate(name: str, unit: str | None, step: np.timedelta64, where: str) -> float:
    """Give the factor that makes a day's amount of what came in one step.

    One where the unit is a rate already. A flux without a unit is refused when steps are not days.
    """
    if VARIABLES[name].unit not in RATES or step == DAY:
        return 1.0
    if unit is None:
        raise InputError(
            f"{where} has no unit, and its records are not daily: an amount or a rate? "
            f"say mm or {VARIABLES[name].unit}"
        )
    return per_day(step) if unit in AMOUNTS else 1.0


def usual_gap(times: np.ndarray) -> np.timedelta64:
    """Give the median distance between times; a day where there is only one."""
    gaps = np.sort(np.diff(np.unique(times)))
    return gaps[(len(gaps) - 1) // 2] if len(gaps) else DAY


def step_of(times: np.ndarray, where: str) -> np.timedelta64:
    """Give the step of the times, the smallest between two; it must divide all the others."""
    unique = np.unique(times.astype("datetime64[s]"))
    if len(unique) < 2:
        return DAY
    gaps = np.diff(unique)
    step = min(gaps.min(), DAY.astype("timedelta64[s]"))
    if (unique[-1] - unique[0]) / step > max(_STEPS, _STEPS_PER_RECORD * len(unique)):
        raise InputError(
            f"{where} has {len(unique)} times from {unique[0]} to {unique[-1]}, two of them only "
            f"{step} apart; expected equal steps"
        )
    if step < DAY and usual_gap(unique) != step:
        at = unique[int(np.argmin(gaps)) + 1]
        raise InputError(
            f"{where} has records mostly {usual_gap(unique)} apart, and one at {at}, {step} after "
            "the last; expected equal steps"
        )
    odd = np.flatnonzero((unique - unique[0]) % step != np.timedelta64(0, "s"))
    if len(odd):
        raise InputError(
            f"{where} has records {step} apart and one at {unique[odd[0]]}, which is no whole "
            f"number of such steps after {unique[0]}; expected equal steps of a day or less"
        )
    return step


def conform_steps(
    found: "xr.Dataset", sources: Mapping[str, Source], origin: Origin
) -> "xr.Dataset":
    """Do what `conform` does, with the ranges of an hour for sunshine and rain."""
    made = conform(found, sources, origin)
    for label, source in sources.items():
        if source.name in PEAKS and label in found.variables:
            made[source.name] = _let_peak(found[label], made[source.name], source)
    return made


def _let_peak(found: "xr.DataArray", made: "xr.DataArray", source: Source) -> "xr.DataArray":
    import xarray as xr

    least, most = PEAKS[source.name]
    unit = source.unit if source.unit is not None else found.attrs.get("units")
    factor, offset = VARIABLES[source.name].conversion(unit, str(found.name))
    is_there = found.notnull()
    for value in source.missing:
        is_there &= found != value
    values = found.astype(np.float64) * factor + offset
    good = is_there & (values >= least) & (values <= most)
    with xr.set_options(keep_attrs=False):
        values = values.where(good).astype(np.float32)  # masked first: what is absurd overflows
    values.attrs = made.attrs | {"valid_range": [least, most]}
    values.attrs.pop("masked_outside_range", None)
    masked = 0 if found.chunks is not None else int((is_there & ~good).sum())
    if masked:
        values.attrs["masked_outside_range"] = masked
    return values


def possible(values: np.ndarray, source: Source) -> np.ndarray:
    """Mask, in the file's unit, what no step can have: before days are averaged over it."""
    factor, offset = VARIABLES[source.name].conversion(source.unit, source.name)
    least, most = limits(source.name)
    converted = values * factor + offset
    return np.where((converted >= least) & (converted <= most), values, np.nan)


def daily_extreme(
    pick: np.ufunc, times: np.ndarray, values: np.ndarray, **rule: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Give the extreme of each day that `daily` keeps; the arguments of `rule` are its own.

    Args:
        pick: `numpy.fmax` or `numpy.fmin`.
    """
    days, means = daily(times, values, **rule)
    instants = times.astype("datetime64[ns]")
    if rule.get("stamp") == "end":
        instants = instants - np.timedelta64(1, "ns")
    at = (instants.astype("datetime64[D]") - days[:1]).astype(np.int64)
    found = np.full(len(days), np.nan)
    pick.at(found, at, values)
    return days, np.where(np.isfinite(means), found, np.nan)


def to_days(
    name: str,
    times: np.ndarray,
    values: np.ndarray,
    step: np.timedelta64,
    stamp: str,
    least: float = LEAST,
) -> tuple[np.ndarray, np.ndarray]:
    """Give the days of a series: the highest of a maximum, the lowest of a minimum, else means."""
    rule: dict[str, Any] = {"per_day": round(per_day(step)), "least": least, "stamp": stamp}
    if name.endswith("_max"):
        return daily_extreme(np.fmax, times, values, **rule)
    if name.endswith("_min"):
        return daily_extreme(np.fmin, times, values, **rule)
    return daily(times, values, **rule)
