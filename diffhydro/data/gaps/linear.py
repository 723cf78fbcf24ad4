"""Short gaps filled along a straight line between the two values beside them."""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.gaps.filled import Filled, Method, put, short_gaps
from diffhydro.data.gaps.runs import neighbours_in_time


@dataclass(frozen=True)
class Linear:
    """Fill gaps of at most `limit` days; what lies before the first value or after the last stays.

    >>> days = np.datetime64("2020-01-01") + np.arange(4)
    >>> Linear(limit=2).fill(np.array([[1.0, np.nan, np.nan, 4.0]]), days).values.tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """

    limit: float

    def fill(self, values: np.ndarray, times: np.ndarray) -> Filled:
        """Fill series `[site, time]`."""
        there = ~np.isnan(values)
        before, after = neighbours_in_time(there)
        length = values.shape[-1]
        # Before the first value and after the last one of the two ends is missing, and so the line.
        first, last = np.maximum(before, 0), np.minimum(after, length - 1)
        left = np.take_along_axis(values, first, -1).astype(np.float64)
        right = np.take_along_axis(values, last, -1).astype(np.float64)
        share = (np.arange(length) - first) / np.maximum(last - first, 1)
        estimates = left + share * (right - left)
        return put(values, estimates, Method.LINEAR, short_gaps(values, times, self.limit))
