"""What a series does beside its season: departures from a running mean.

    a(t) = x(t) − mean of x over the days within `window`/2 of t          (Albergel et al. 2009)

35 days, five weeks, is the window that soil moisture products are compared with. A day of which
too few neighbours are known has no anomaly.
"""

import numpy as np

from diffhydro.errors import InputError

WINDOW = 35  # days
LEAST = 10  # known days in it


def anomalies(
    values: np.ndarray, at: np.ndarray, window: int = WINDOW, least: int = LEAST
) -> np.ndarray:
    """Give the anomalies of series `[row, step]`; NaN where there are none.

    >>> anomalies(np.array([[1.0, 2.0, 6.0]]), np.arange(3), window=3, least=3).round(2)
    array([[nan, -1., nan]])

    Args:
        at: Dates, or numbers of days, that grow.
        least: Known days that the mean of a window needs.
    """
    days = _days(at)
    half = window // 2
    first = np.searchsorted(days, days - half, side="left")
    last = np.searchsorted(days, days + half, side="right")
    known = np.isfinite(values)
    # Sums of departures from a middle value keep the digits that sums of values would lose.
    middle = np.where(known.any(axis=1), np.nansum(values, axis=1) / np.maximum(known.sum(1), 1), 0)
    off = np.where(known, values - middle[:, None], 0.0)
    count = _within(known.astype(np.float64), first, last)
    total = _within(off, first, last)
    mean = np.where(count >= least, total / np.maximum(count, 1.0), np.nan)
    return np.where(known, off - mean, np.nan)


def _within(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    return sums[:, last] - sums[:, first]


def _days(at: np.ndarray) -> np.ndarray:
    at = np.asarray(at)
    if at.dtype.kind == "M":
        days = (at - at[0]) / np.timedelta64(1, "D") if len(at) else np.zeros(0)
    else:
        days = at.astype(np.float64)
    if (np.diff(days) <= 0).any():
        raise InputError("anomalies need steps that grow; sort the series by time")
    return days
