"""Channels between 0 and 1, with −1 for what is missing: x′ = (x − least) / (most − least).

Least and most are fitted on the training fold, by `data.scaling` or any other means. What lies
beyond them is held at 0 or 1, so that −1 always means missing.
"""

import numpy as np

from diffhydro.errors import InputError

MISSING = -1.0


def into_unit_range(
    values: np.ndarray, mask: np.ndarray, least: np.ndarray, most: np.ndarray
) -> np.ndarray:
    """Scale `[…, channel, y, x]`.

    >>> x = np.array([[[0.1, 0.3, np.nan, 0.9]]])
    >>> into_unit_range(x, ~np.isnan(x), np.array([0.1]), np.array([0.5])).round(6).tolist()
    [[[0.0, 0.5, -1.0, 1.0]]]

    Args:
        mask: True where a value is known.
        least: Of every channel.
        most: Of every channel; of one that is constant everything becomes 0.
    """
    low, span = _span(values, least, most)
    scaled = (np.where(mask, values, low) - low) / np.where(span > 0.0, span, 1.0)
    return np.where(mask, np.clip(scaled, 0.0, 1.0), MISSING).astype(values.dtype)


def from_unit_range(
    values: np.ndarray, mask: np.ndarray, least: np.ndarray, most: np.ndarray
) -> np.ndarray:
    """Undo `into_unit_range`, for values that lay within the range; NaN where nothing is known."""
    low, span = _span(values, least, most)
    return np.where(mask, low + values * span, np.nan).astype(values.dtype)


def _span(values: np.ndarray, least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give least and width of every channel, to broadcast over its pixels; refuse what is none."""
    low, high = np.asarray(least, np.float64), np.asarray(most, np.float64)
    if low.shape != (values.shape[-3],) or high.shape != low.shape:
        raise InputError(
            f"ranges of {low.shape} and {high.shape}; expected one of each for the "
            f"{values.shape[-3]} channels"
        )
    if not (low <= high).all():
        first = int(np.flatnonzero(~(low <= high))[0])
        raise InputError(
            f"channel {first} ranges from {low[first]} to {high[first]}; the least is no more than "
            "the most, and both are known: leave out a channel that was missing in training"
        )
    return low[:, None, None], (high - low)[:, None, None]
