"""The shape of a series, time along the last axis: shifts, derivatives, what windows hold.

The derivatives are those of a parabola through three values (Savitzky & Golay 1964, window 3):

    x′(t) = (x(t+1) − x(t−1)) / 2        x″(t) = x(t+1) − 2 x(t) + x(t−1)

NaN where one of the three is missing.
"""

from typing import NamedTuple

import numpy as np


def shifted(values: np.ndarray, by: int, empty: float | bool = np.nan) -> np.ndarray:
    """Give at t the value of t − by, and `empty` beyond the ends.

    >>> shifted(np.array([1.0, 2.0, 3.0]), 1).tolist()
    [nan, 1.0, 2.0]
    """
    moved = np.full_like(values, empty)
    if by > 0:
        moved[..., by:] = values[..., :-by]
    elif by < 0:
        moved[..., :by] = values[..., -by:]
    else:
        moved[...] = values
    return moved


def first_derivative(values: np.ndarray) -> np.ndarray:
    """Give x′, per record."""
    return (shifted(values, -1) - shifted(values, 1)) / 2.0


def second_derivative(values: np.ndarray) -> np.ndarray:
    """Give x″, per record squared."""
    return shifted(values, -1) - 2.0 * values + shifted(values, 1)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide; NaN where there is nothing to divide by."""
    with np.errstate(over="ignore"):  # next to nothing below gives infinity, which is right
        return np.where(below == 0.0, np.nan, above / np.where(below == 0.0, 1.0, below))


class Window(NamedTuple):
    """What there is from t − before to t + after: number, mean, variance (of the n, not n − 1)."""

    number: np.ndarray
    mean: np.ndarray
    variance: np.ndarray


def window(values: np.ndarray, before: int, after: int, *, itself: bool = True) -> Window:
    """Look at the values around each record that are not missing.

    Args:
        itself: Whether the record counts among its surroundings.
    """
    there = ~np.isnan(values)
    total = np.maximum(there.sum(axis=-1, keepdims=True), 1)
    centre = np.where(there, values, 0.0).sum(axis=-1, keepdims=True, dtype=np.float64) / total
    x = np.where(there, values - centre, 0.0)
    count, sums, squares = (_sum(y, before, after) for y in (there.astype(float), x, x**2))
    if not itself:
        count, sums, squares = count - there, sums - x, squares - x**2
    n = np.maximum(count, 1.0)
    mean = sums / n
    variance = np.maximum(squares / n - mean**2, 0.0)
    none = count < 0.5
    return Window(count, np.where(none, np.nan, mean + centre), np.where(none, np.nan, variance))


def _sum(x: np.ndarray, before: int, after: int) -> np.ndarray:
    """Sum from t − before to t + after, as far as there are records."""
    length = x.shape[-1]
    sums = np.concatenate([np.zeros((*x.shape[:-1], 1)), np.cumsum(x, axis=-1)], axis=-1)
    at = np.arange(length)
    return sums[..., np.minimum(at + after + 1, length)] - sums[..., np.maximum(at - before, 0)]
