"""Heavier weights for the pixels of a map round a station."""

import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import ArrayLike


def weights_near(stations: ArrayLike, heavy: float = 10.0, side: int = 4) -> np.ndarray:
    """Give a weight for every pixel: `heavy` in a square round each station, 1 elsewhere.

    Multiply them into the weights of a target on the same map. A square of an even side reaches one
    pixel further down and to the right.

    >>> weights_near([[0, 0, 0, 0], [0, 1, 0, 0]], heavy=3.0, side=2)
    array([[1., 1., 1., 1.],
           [1., 3., 3., 1.]], dtype=float32)

    Args:
        stations: `[..., y, x]`, not 0 at the pixels of stations.
        heavy: DeepSoil does not say how much heavier; 10 is a choice.
        side: Of the square, pixels; 4 for the study's 16 pixels.
    """
    is_station = np.asarray(stations) != 0
    if is_station.ndim < 2:
        raise InputError(f"stations are on maps, [..., y, x]; these have shape {is_station.shape}")
    if side < 1 or not 0 < heavy < np.inf:
        raise InputError(f"a square of {side} pixels of weight {heavy}; both are above 0")
    for axis in (-2, -1):
        is_station = _widened(is_station, axis, side)
    return np.where(is_station, heavy, 1.0).astype(np.float32)


def _widened(there: np.ndarray, axis: int, side: int) -> np.ndarray:
    length = there.shape[axis]
    pad = [(0, 0)] * there.ndim
    pad[axis] = (side // 2, (side - 1) // 2)
    padded = np.pad(there, pad)
    parts = (np.take(padded, range(i, i + length), axis) for i in range(side))
    return np.logical_or.reduce(list(parts))
