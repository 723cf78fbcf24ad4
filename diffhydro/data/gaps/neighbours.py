"""Gaps filled from sites nearby that go the same way.

Between a site y and each neighbour x a line is fitted by least squares to the days that both have,
y = ȳ + b (x − x̄) + e. A gap's value is the mean of what the lines of the neighbours say that have
the day, each weighted with 1 / var(e). With `seasons`, y and x are what is left of them after the
course of the year is taken off, and that of the site is put back on: regression of anomalies, which
does not mistake a common season for a common weather.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from diffhydro.data.gaps.climatology import Climatology, day_of_year
from diffhydro.data.gaps.filled import Filled, Method, learnable, put, short_gaps
from diffhydro.data.places import Places, distance
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_SINGLE = float(np.finfo(np.float32).eps)
_EXACT = 1e-6  # share of a series' variance; neighbours that fit closer than this count as equal


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Fill gaps from sites nearby, for stations (the work grows with the square of their number).

    Estimates stay within what the site itself has had: a line is not followed beyond it.

    Args:
        places: Of the sites of the series, in their order.
        within: Farthest neighbour, km.
        least_overlap: Days that both have to have.
        least_correlation: Between both, on those days (of the anomalies where `seasons` is given).
        most: Neighbours that are used, those of the smallest residual variance first.
        limit: Longest gap that is filled, days.
        seasons: Whose course of the year is taken off first; None for plain regression.
        period: First and last date to learn from; all if not given.
        donors: Sites that may give, by name, such as those of the training; all if not given.
    """

    places: Places
    within: float = 100.0
    least_overlap: int = 365
    least_correlation: float = 0.7
    most: int = 5
    limit: float = np.inf
    seasons: Climatology | None = None
    period: tuple[str, str] | None = None
    donors: tuple[str, ...] | None = None

    @classmethod
    def of(cls, sites: Union[Places, "xr.Dataset"], **options: Any) -> "Neighbours":
        """Make one for the sites of a data set."""
        return cls(Places.of(sites), **options)

    def fill(self, values: np.ndarray, times: np.ndarray) -> Filled:
        """Fill series `[site, time]`."""
        if len(values) != len(self.places):
            raise InputError(
                f"{len(values)} series came for {len(self.places)} places; give Neighbours the "
                "places of these very sites"
            )
        usual = self._usual(values, times)
        known = ~np.isnan(values) & np.isfinite(usual)
        learned = known & learnable(times, self.period)
        anomaly = np.where(known, values - usual, 0.0)
        least, most = _extremes(values, learned)
        line = _lines(anomaly, learned, self.least_overlap, _SINGLE * np.maximum(-least, most))
        line = line.only((line.correlation >= self.least_correlation) & self._near())
        estimates = np.full(values.shape, np.nan)
        wanted = short_gaps(values, times, self.limit)
        for i in np.flatnonzero(wanted.any(axis=1) & line.allowed.any(axis=1)):
            estimates[i] = usual[i] + line.say(int(i), anomaly, known, self.most)
        held = np.minimum(np.maximum(estimates, least[:, None]), most[:, None])
        return put(values, held, Method.NEIGHBOURS, wanted)

    def _usual(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
        if self.seasons is not None:
            return self.seasons.course(values, times)[:, day_of_year(times)]
        known = ~np.isnan(values)
        count = np.maximum(known.sum(axis=1, keepdims=True), 1)
        mean = np.where(known, values, 0.0).sum(axis=1, keepdims=True, dtype=np.float64) / count
        return np.broadcast_to(mean, values.shape)

    def _near(self) -> np.ndarray:
        """Tell which site (column) may give to which (row)."""
        lat, lon = self.places.latitude, self.places.longitude
        near = distance(lat[:, None], lon[:, None], lat, lon) <= self.within
        np.fill_diagonal(near, False)
        if self.donors is None:
            return near
        unknown = sorted(set(self.donors) - set(self.places.names))
        if unknown:
            raise InputError(f"the donor {unknown[0]} is none of the {len(self.places)} sites")
        return near & np.isin(self.places.names, self.donors)


@dataclass(frozen=True, eq=False)
class _Lines:
    """From every site (column) to every other (row)."""

    slope: np.ndarray
    intercept: np.ndarray
    correlation: np.ndarray
    weight: np.ndarray
    allowed: np.ndarray

    def only(self, allowed: np.ndarray) -> "_Lines":
        return _Lines(
            self.slope, self.intercept, self.correlation, self.weight, self.allowed & allowed
        )

    def say(self, i: int, anomaly: np.ndarray, known: np.ndarray, most: int) -> np.ndarray:
        """Give the weighted mean of what the best neighbours of site i say; NaN where none does."""
        others = np.flatnonzero(self.allowed[i])
        best = others[np.argsort(-self.weight[i, others], kind="stable")][:most]
        said = self.intercept[i, best, None] + self.slope[i, best, None] * anomaly[best]
        weight = np.where(known[best], self.weight[i, best, None], 0.0)
        total = weight.sum(axis=0)
        return np.where(
            total > 0.0, (weight * said).sum(axis=0) / np.where(total > 0.0, total, 1.0), np.nan
        )


def _lines(anomaly: np.ndarray, known: np.ndarray, least_overlap: int, fine: np.ndarray) -> _Lines:
    """Fit all lines at once: every sum over common days is a product of matrices.

    Args:
        fine: `[site]`, a standard deviation below which a series is constant.
    """
    there = known.astype(np.float64)
    x = np.where(known, anomaly, 0.0)
    days = there @ there.T
    n = np.maximum(days, 1.0)
    mean_own, mean_other = (x @ there.T) / n, (there @ x.T) / n
    square = x**2
    var_own = np.maximum((square @ there.T) / n - mean_own**2, 0.0)
    var_other = np.maximum((there @ square.T) / n - mean_other**2, 0.0)
    covariance = (x @ x.T) / n - mean_own * mean_other
    varies = (var_own > fine[:, None] ** 2) & (var_other > fine**2)
    product = np.where(varies, var_own * var_other, 1.0)
    correlation = np.where(varies, covariance / np.sqrt(product), 0.0)
    slope = np.where(varies, covariance / np.where(varies, var_other, 1.0), 0.0)
    residual = var_own * np.maximum(1.0 - correlation**2, _EXACT)
    return _Lines(
        slope,
        mean_own - slope * mean_other,
        correlation,
        np.where(varies, 1.0 / np.where(varies, residual, 1.0), 0.0),
        varies & (days >= max(least_overlap, 2)),
    )


def _extremes(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    least = np.where(known, values, np.inf).min(axis=1, initial=np.inf)
    return least, np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
