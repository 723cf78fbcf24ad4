"""The course of the year, and the mean: what is usual, whatever the weather.

A site that the training has seen gets its own; any other gets the mean over the sites of the
training, each of which counts once.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.gaps.climatology import Climatology as Course
from diffhydro.data.gaps.climatology import day_of_year
from diffhydro.evaluation.baselines.baseline import names, observed, predicted, some

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Climatology:
    """Predict the mean of the day of the year, smoothed over the days around it.

    Args:
        depth: mm.
        reach: Days on each side that a day's mean draws on.
        least: Observations that there have to be among them, at a site.
    """

    depth: float | None = 50.0
    reach: int = 15
    least: int = 30

    def fit(self, training: "xr.Dataset") -> "Usual":
        """Learn the course of the year of each site, and that of all."""
        values = observed(training, self.depth).values
        some(np.isfinite(values), "a climatology")
        courses = Course(self.reach, self.least).course(values, training["time"].values)
        return Usual(tuple(names(training)), courses)


@dataclass(frozen=True)
class SiteMean:
    """Predict the mean over all times.

    Args:
        depth: mm.
        least: Observations that a site's mean needs.
    """

    depth: float | None = 50.0
    least: int = 60

    def fit(self, training: "xr.Dataset") -> "Usual":
        """Learn the mean of each site, and that of all."""
        values = observed(training, self.depth).values
        known = np.isfinite(values)
        some(known, "a site mean")
        days = known.sum(axis=1, keepdims=True)
        mean = np.where(known, values, 0.0).sum(axis=1, keepdims=True) / np.maximum(days, 1)
        return Usual(tuple(names(training)), np.where(days >= self.least, mean, np.nan))


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual at each site of a training, and over all of them.

    Args:
        courses: `[site, day]`, 366 days or one for all of them; NaN where too little is known.
    """

    sites: tuple[str, ...]
    courses: np.ndarray

    @property
    def everywhere(self) -> np.ndarray:
        """Give the mean over sites `[day]`; where no site has a day, over its whole year."""
        known = np.isfinite(self.courses)
        total = np.where(known, self.courses, 0.0).sum(axis=0)
        mean = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
        rest = np.nan if np.isnan(mean).all() else np.nanmean(mean)
        return np.where(np.isfinite(mean), mean, rest)

    def predict(self, dataset: "xr.Dataset") -> "xr.DataArray":
        """Predict with a site's own course where there is one."""
        place = {name: i for i, name in enumerate(self.sites)}
        everywhere = self.everywhere
        own = np.array(
            [self.courses[place[n]] if n in place else everywhere for n in names(dataset)]
        ).reshape(-1, self.courses.shape[1])
        days = day_of_year(dataset["time"].values)
        found = np.where(np.isfinite(own), own, everywhere)
        return predicted(dataset, found[:, days if found.shape[1] > 1 else np.zeros_like(days)])
