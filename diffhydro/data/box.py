"""A box in degrees, and the cells of a row of cells that it touches."""

import numpy as np

from diffhydro.errors import InputError

Box = tuple[float, float, float, float]  # west, south, east, north, degrees
_ROUNDING = 1e-6  # of a cell: edges that differ by less are one


def checked(box: Box) -> Box:
    """Refuse a box that is none."""
    west, south, east, north = (float(edge) for edge in box)
    if not (-180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
        raise InputError(
            f"the box {box} should be west, south, east, north in degrees, −180 to 180 and −90 to "
            "90; take a box across the antimeridian in two"
        )
    return west, south, east, north


def touched(first: float, last: float, count: int) -> slice:
    """Give the cells between two places, both counted in cells from the first edge.

    >>> touched(1.5, 3.0, 10)
    slice(1, 3, None)
    """
    if not np.isfinite([first, last]).all():
        return slice(0, 0)
    start = int(np.floor(np.clip(first + _ROUNDING, 0, count)))
    return slice(start, int(np.ceil(np.clip(last - _ROUNDING, 0, count))))
