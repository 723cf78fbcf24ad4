"""Does a series drift? Mann and Kendall's test month by month, and Sen's slope.

Months are compared with the same month of other years only, so that the course of the year does not
count (seasonal Kendall test, Hirsch, Slack & Smith 1982, Water Resour. Res. 18, 107–121):

    S = Σ_months Σ_{i<j} sgn(x_j − x_i),    slope = median of (x_j − x_i) / (j − i)

Var S includes the covariance between months, for a wet spring makes a wet summer (Hirsch & Slack
1984, Water Resour. Res. 20, 727–732, eqs. 9–14), which they estimate well from ten years on:

    cov(S_g, S_h) = [K_gh + 4 Σ_i R_ig R_ih − n (n_g + 1)(n_h + 1)] / 3

with K_gh = Σ_{i<j} sgn((x_jg − x_ig)(x_jh − x_ih)), and R the ranks among the years of a month, the
middle one for a missing year.
"""

import math
from typing import NamedTuple

import numpy as np

MONTHS = 12
_LEAST_DAYS = 15  # observations that make a month


class Trend(NamedTuple):
    """Of every site: change per year, and how likely as strong a one is without any trend."""

    slope: np.ndarray
    chance: np.ndarray


def trend(values: np.ndarray, times: np.ndarray, least: int = _LEAST_DAYS) -> Trend:
    """Test series `[site, time]`; NaN where no month is there in two years.

    Args:
        least: Observations that a month needs to count.
    """
    years = monthly(values, times, least)
    tested = [_one(site) for site in years]
    return Trend(np.array([t[0] for t in tested]), np.array([t[1] for t in tested]))


def monthly(values: np.ndarray, times: np.ndarray, least: int) -> np.ndarray:
    """Give means of the months, `[site, year, month]`; NaN with fewer than `least` observations."""
    months = np.asarray(times).astype("datetime64[M]").astype(int)
    start = months[0] // MONTHS * MONTHS
    number = (months[-1] - start) // MONTHS + 1
    there = ~np.isnan(values)
    total = np.zeros((number * MONTHS, len(values)))
    count = np.zeros_like(total)
    np.add.at(total, months - start, np.where(there, values, 0.0).T)
    np.add.at(count, months - start, there.T)
    means = np.where(count >= max(least, 1), total / np.maximum(count, 1.0), np.nan)
    return means.T.reshape(len(values), number, MONTHS)


def _one(x: np.ndarray) -> tuple[float, float]:
    """Test one site, `[year, month]`."""
    difference = x[None, :, :] - x[:, None, :]  # [earlier, later, month]
    years = np.arange(len(x))
    later = years[None, :] > years[:, None]
    apart = np.where(later, years[None, :] - years[:, None], 1)[..., None]
    slopes = (difference / apart)[later]
    slopes = slopes[np.isfinite(slopes)]
    if len(slopes) == 0:
        return math.nan, math.nan
    sign = np.where(np.isnan(difference), 0.0, np.sign(difference))
    score = float(sign[later].sum())
    variance = float(_covariance(x, sign, later).sum())
    if variance <= 0.0:
        return float(np.median(slopes)), 1.0
    z = max(abs(score) - 1.0, 0.0) / math.sqrt(variance)
    return float(np.median(slopes)), math.erfc(z / math.sqrt(2.0))


def _covariance(x: np.ndarray, sign: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Give the covariance of the scores of all pairs of months."""
    there = ~np.isnan(x)
    number = there.sum(axis=0)
    above = sign.sum(axis=0)  # for each year, the sum of sgn(x_i − x_j) over the others
    rank = (number + 1 + np.where(there, above, 0.0)) / 2.0
    pairs = sign[later]
    rows = len(x) * np.outer(number + 1, number + 1)
    return (pairs.T @ pairs + 4.0 * rank.T @ rank - rows) / 3.0
