"""Scores of simulated against observed series, of every site, where both are there."""

from typing import NamedTuple

import numpy as np

LEAST = 60  # days that a score needs


class Scores(NamedTuple):
    """Scores `[site]`; NaN where there are too few days, or where a series does not vary."""

    rmse: np.ndarray
    ubrmse: np.ndarray  # of the anomalies: without the bias
    bias: np.ndarray
    r: np.ndarray  # Pearson's
    nse: np.ndarray
    kge: np.ndarray
    days: np.ndarray


def scores(simulated: np.ndarray, observed: np.ndarray, least: int = LEAST) -> Scores:
    """Score series `[site, time]`.

    >>> found = scores(np.array([[0.25, 0.35, 0.3]]), np.array([[0.2, 0.3, np.nan]]), least=2)
    >>> [round(float(x[0]), 3) for x in found[:4]]
    [0.05, 0.0, 0.05, 1.0]

    Args:
        least: Days with both that a site needs.
    """
    there = np.isfinite(simulated) & np.isfinite(observed)
    days = there.sum(axis=1)
    count = np.where(days >= least, days, np.nan)
    s = np.where(there, simulated, 0.0).astype(np.float64)
    o = np.where(there, observed, 0.0).astype(np.float64)
    mean_s, mean_o = s.sum(axis=1) / count, o.sum(axis=1) / count
    off_s = np.where(there, s - mean_s[:, None], 0.0)
    off_o = np.where(there, o - mean_o[:, None], 0.0)
    square = ((s - o) ** 2).sum(axis=1) / count
    varies_s, varies_o = _varies(simulated, there), _varies(observed, there)
    var_s = np.where(varies_s, (off_s**2).sum(axis=1), 0.0) / count
    var_o = np.where(varies_o, (off_o**2).sum(axis=1), np.nan) / count
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.where(varies_s, (off_s * off_o).sum(axis=1), np.nan) / count
        r = both / np.sqrt(var_s * var_o)
        nse = 1.0 - square / var_o
        terms = (r - 1.0) ** 2 + (np.sqrt(var_s / var_o) - 1.0) ** 2 + (mean_s / mean_o - 1.0) ** 2
    bias = mean_s - mean_o
    unbiased = np.sqrt(np.maximum(square - bias**2, 0.0))
    return Scores(np.sqrt(square), unbiased, bias, r, nse, 1.0 - np.sqrt(terms), days)


def _varies(series: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Tell which sites have more than one value; what a mean rounds off is no variance."""
    largest = np.where(there, series, -np.inf).max(axis=1, initial=-np.inf)
    return largest > np.where(there, series, np.inf).min(axis=1, initial=np.inf)
