"""The course of the year: what is usual on a day, and gaps filled with it.

The mean of day d over the years is a kernel mean over the days around it, on a circle on which the
last of December touches the first of January (Epanechnikov 1969, with `reach` days to each side):

    c(d) = Σ k(d − e) Σ_years x(e) / Σ k(d − e) n(e),    k(u) = 1 − (u / (reach + 1))²
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.gaps.filled import Filled, Method, learnable, put, short_gaps

DAYS = 366  # every year has a place for the 29th of February, so that seasons do not slip


def day_of_year(times: np.ndarray) -> np.ndarray:
    """Count days from 0 on the first of January, with the 29th of February in all years.

    >>> day_of_year(np.array(["2019-03-01", "2020-03-01", "2020-12-31"], "datetime64[D]")).tolist()
    [60, 60, 365]
    """
    dates = np.asarray(times).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month = months.astype(int) % 12
    lengths = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return starts[month] + (dates - months.astype("datetime64[D]")).astype(int)


@dataclass(frozen=True)
class Climatology:
    """Fill gaps with the course of the year.

    Args:
        reach: Days on each side that a day's mean draws on.
        least: Observations that there have to be among them.
        limit: Longest gap that is filled, days.
        period: First and last date to learn from, such as those of the training; all if not given.
    """

    reach: int = 15
    least: int = 30
    limit: float = np.inf
    period: tuple[str, str] | None = None

    def fill(self, values: np.ndarray, times: np.ndarray) -> Filled:
        """Fill series `[site, time]`."""
        usual = self.course(values, times)[:, day_of_year(times)]
        return put(values, usual, Method.CLIMATOLOGY, short_gaps(values, times, self.limit))

    def course(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Give the mean of each of the 366 days, `[site, day]`; NaN where too little is there."""
        known = np.isfinite(values) & learnable(times, self.period)
        total = _by_day(np.where(known, values, 0.0).astype(np.float64), times)
        count = _by_day(known.astype(np.float64), times)
        kernel = self._kernel()
        weight = count @ kernel
        enough = np.rint(count @ (kernel > 0.0)) >= max(self.least, 1)
        return np.where(enough, (total @ kernel) / np.where(weight > 0.0, weight, 1.0), np.nan)

    def _kernel(self) -> np.ndarray:
        days = np.arange(DAYS)
        apart = np.abs(days[:, None] - days)
        apart = np.minimum(apart, DAYS - apart)
        return np.maximum(1.0 - (apart / (self.reach + 1.0)) ** 2, 0.0)


def _by_day(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Sum over the years, `[site, day]`."""
    day = day_of_year(times)
    order = np.argsort(day, kind="stable")
    days, first = np.unique(day[order], return_index=True)
    sums = np.zeros((values.shape[0], DAYS))
    sums[:, days] = np.add.reduceat(values[:, order], first, axis=1)
    return sums
