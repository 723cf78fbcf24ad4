"""From hours to days, with a rule for how many hours make a day.

Fluxes are rates, so the mean of a day is its total. A day is kept when it has at least `least` of
its records; what is kept is the mean of those that are there.
"""

import numpy as np

DAY = np.timedelta64(1, "D")
LEAST = 0.75  # share of a day's records that makes a day


def daily(
    times: np.ndarray,
    values: np.ndarray,
    *,
    per_day: int = 24,
    least: float = LEAST,
    stamp: str = "start",
) -> tuple[np.ndarray, np.ndarray]:
    """Average over the days of one series.

    >>> hours = np.datetime64("2020-01-01T00") + np.arange(36).astype("timedelta64[h]")
    >>> days, means = daily(hours, np.arange(36.0))
    >>> means.tolist()
    [11.5, nan]

    Args:
        times: Increasing.
        per_day: Records that a whole day has.
        least: Share of them that a day needs.
        stamp: What a time means: the `"start"` or the `"end"` of its interval, or an `"instant"`.
            The end at midnight belongs to the day before.

    Returns:
        All days from the first to the last, and their means; NaN where too little is there.
    """
    instants = times.astype("datetime64[ns]")
    if stamp == "end":
        instants = instants - np.timedelta64(1, "ns")
    stamps = instants.astype("datetime64[D]")
    if len(stamps) == 0:
        return stamps, np.zeros(0)
    at = (stamps - stamps[0]).astype(np.int64)
    length = int(at[-1]) + 1
    there = np.isfinite(values)
    count = np.bincount(at, there, length)
    total = np.bincount(at, np.where(there, values, 0.0), length)
    enough = count >= max(least * per_day, 1.0)
    means = np.where(enough, total / np.maximum(count, 1.0), np.nan)
    return stamps[0] + np.arange(length).astype("timedelta64[D]"), means
