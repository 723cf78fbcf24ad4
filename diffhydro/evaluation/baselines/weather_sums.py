"""What the weather of the past year has been: sums and means over windows that end on a day.

Rain of the last w days, mm; means of the last w days of what else is there: temperature, shortwave,
vapour pressure and its deficit, leaf area. Beside them the season, and what is known of a place.
Soil moisture is not among them. A sum of which less than half is known has no value; of any other
the missing days are taken to be like the rest.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.gaps.climatology import DAYS, day_of_year
from diffhydro.errors import InputError
from diffhydro.evaluation.baselines.baseline import TARGET
from diffhydro.land.air import saturation

if TYPE_CHECKING:
    import xarray as xr

WINDOWS = (1, 3, 7, 14, 30, 60, 90, 180, 365)  # days
RAIN = "precipitation"
SERIES = ("temperature", "shortwave", "vapour_pressure", "vapour_pressure_deficit", "leaf_area")
_DEFICIT = "vapour_pressure_deficit"


@dataclass(frozen=True)
class WeatherSums:
    """Features `[site, time, feature]` of a data set.

    Args:
        attributes: Names of what is fixed at a site.
        rain: Windows of rain, days.
        others: Windows of everything else.
    """

    attributes: tuple[str, ...] = ()
    rain: tuple[int, ...] = WINDOWS
    others: tuple[int, ...] = WINDOWS

    def names(self, dataset: "xr.Dataset") -> tuple[str, ...]:
        """Name the features that a data set gives, in their order."""
        found = [f"{RAIN} {w}" for w in self.rain]
        found += [f"{name} {w}" for name in self._series(dataset) for w in self.others]
        monthly = ["leaf_area of the month"] if "leaf_area_monthly" in dataset else []
        return (*found, *monthly, "season sin", "season cos", *self.attributes)

    def of(self, dataset: "xr.Dataset") -> np.ndarray:
        """Make the features, float32."""
        self._check(dataset)
        shape = (dataset.sizes["site"], dataset.sizes["time"])
        columns = []
        series = {RAIN: self.rain} | dict.fromkeys(self._series(dataset), self.others)
        for name, windows in series.items():
            values = _series(dataset, name)
            means = (past_mean(values, window) for window in windows)
            columns += [m * w if name == RAIN else m for m, w in zip(means, windows, strict=True)]
        times = dataset["time"].values
        if "leaf_area_monthly" in dataset:
            month = times.astype("datetime64[M]").astype(int) % 12
            columns.append(dataset["leaf_area_monthly"].transpose("site", "month").values[:, month])
        phase = 2.0 * np.pi * day_of_year(times) / DAYS
        columns += [np.broadcast_to(f(phase), shape) for f in (np.sin, np.cos)]
        fixed = (dataset[name].values.astype(np.float64) for name in self.attributes)
        columns += [np.broadcast_to(x[:, None], shape) for x in fixed]
        return np.stack([np.asarray(c, np.float32) for c in columns], axis=-1)

    def _series(self, dataset: "xr.Dataset") -> list[str]:
        has_deficit = {"temperature", "vapour_pressure"} <= set(dataset.data_vars)
        return [n for n in SERIES if n in dataset or (n == _DEFICIT and has_deficit)]

    def _check(self, dataset: "xr.Dataset") -> None:
        lacking = [n for n in (RAIN, *self.attributes) if n not in dataset.variables]
        if lacking:
            listed = ", ".join(sorted(map(str, dataset.variables)))
            raise InputError(f"weather sums need {', '.join(lacking)}; the data set has {listed}")
        if TARGET in self.attributes:
            raise InputError(f"{TARGET} is what is predicted; it is no attribute")
        loose = [n for n in self.attributes if dataset[n].dims != ("site",)]
        if loose:
            raise InputError(
                f"{loose[0]} is over {dataset[loose[0]].dims}; an attribute is of sites"
            )
        steps = np.diff(dataset["time"].values)
        if len(steps) and not (steps == np.timedelta64(1, "D")).all():
            raise InputError(
                "sums of the last days need every day; fill the times that are left out"
            )


def past_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Give means over the last `window` steps, the present one included, `[site, time]`.

    >>> past_mean(np.array([[1.0, 3.0, np.nan, 5.0]]), 2).tolist()
    [[1.0, 2.0, 3.0, 5.0]]
    """
    known = np.isfinite(values)
    total, count = (_past_sum(x, window) for x in (np.where(known, values, 0.0), known))
    return np.where(2 * count >= window, total / np.maximum(count, 1), np.nan)


def _past_sum(values: np.ndarray, window: int) -> np.ndarray:
    sums = np.cumsum(values, axis=1, dtype=np.float64)
    before = np.zeros_like(sums)
    before[:, window:] = sums[:, :-window]
    return sums - before


def _series(dataset: "xr.Dataset", name: str) -> np.ndarray:
    if name == _DEFICIT and name not in dataset:
        warmth, vapour = (_series(dataset, n) for n in ("temperature", "vapour_pressure"))
        return np.maximum(saturation(warmth) - vapour, 0.0)
    return dataset[name].transpose("site", "time").values.astype(np.float64)
