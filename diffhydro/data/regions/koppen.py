"""Shares of the five main Köppen classes in each cluster.

Codes 1 to 30 are those of Beck et al. (2023): 1–3 A tropical, 4–7 B arid, 8–16 C temperate, 17–28
D continental, 29–30 E polar.
"""

import numpy as np

from diffhydro.data.koppen import CLASSES
from diffhydro.errors import InputError

MAIN = ("A", "B", "C", "D", "E")
_MAIN_OF = np.array([-1, *(MAIN.index(name[0]) for name in CLASSES)])  # of code 0, 1, …


def main_classes(codes: np.ndarray) -> np.ndarray:
    """Give the main class of each code as a position in `MAIN`, and −1 where there is none.

    >>> main_classes(np.array([1.0, 7.0, 14.0, 30.0, np.nan]))
    array([ 0,  1,  2,  4, -1])
    """
    codes = np.nan_to_num(np.asarray(codes, np.float64), nan=0.0)
    if ((codes < 0) | (codes > len(CLASSES)) | (codes % 1.0 != 0.0)).any():
        raise InputError("a Köppen code is not one of 1 to 30 (0 or missing where there is none)")
    return _MAIN_OF[codes.astype(np.int64)]


def climate_shares(
    labels: np.ndarray, codes: np.ndarray, clusters: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Give the share of each main class `[cluster, class]`, of the places that have one.

    Args:
        weights: Of places, such as the cosine of latitude for the area of cells; None is equal.
    """
    labels, found = np.asarray(labels, np.int64), main_classes(codes)
    if not labels.shape == found.shape or labels.max(initial=-1) >= clusters:
        raise InputError(
            f"{labels.shape} labels below {clusters} and {found.shape} Köppen codes do not match"
        )
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    known = found >= 0
    at = labels[known] * len(MAIN) + found[known]
    amounts = np.bincount(at, weights[known], clusters * len(MAIN)).reshape(clusters, len(MAIN))
    totals = amounts.sum(axis=1, keepdims=True)
    return amounts / np.where(totals > 0.0, totals, np.nan)
