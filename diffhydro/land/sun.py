"""The sun over a place and a day (FAO-56 eqs 21–25, 34).

    d_r = 1 + 0.033 cos(2πJ/365),    δ = 0.409 sin(2πJ/365 − 1.39),    ω = arccos(−tan φ tan δ)
    R_a = (24·60/π) 0.0820 d_r [ω sin φ sin δ + cos φ cos δ sin ω] MJ/m²/day,    N = ω/π days

These are data, not parameters: they are worked out in NumPy and float64, outside of any gradient
(the arccos has an infinite slope where the polar night begins).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffhydro.errors import InputError

SOLAR_CONSTANT = 0.0820 * 24.0 * 60.0 / 0.0864  # W/m²; 0.0820 MJ/m²/min


def inverse_distance(day: ArrayLike) -> NDArray:
    """Give the square of the mean distance to the sun over that of a day of the year."""
    return 1.0 + 0.033 * np.cos(_angle(day))


def declination(day: ArrayLike) -> NDArray:
    """Give the declination of the sun, radians."""
    return 0.409 * np.sin(_angle(day) - 1.39)


def sunset(latitude: ArrayLike, day: ArrayLike) -> NDArray:
    """Give the hour angle of sunset, radians: 0 in the polar night, π in the polar day."""
    return np.arccos(np.clip(-np.tan(_radians(latitude)) * np.tan(declination(day)), -1.0, 1.0))


def daylight(latitude: ArrayLike, day: ArrayLike) -> NDArray:
    """Give the share of the day between sunrise and sunset.

    Args:
        latitude: Degrees, north positive; broadcasts against `day`.
        day: Day of the year, 1 to 366.
    """
    return sunset(latitude, day) / np.pi


def extraterrestrial(latitude: ArrayLike, day: ArrayLike) -> NDArray:
    """Give the radiation on a horizontal plane outside the atmosphere, daily mean in W/m²."""
    phi, delta, omega = _radians(latitude), declination(day), sunset(latitude, day)
    share = omega * np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.sin(omega)
    return SOLAR_CONSTANT / np.pi * inverse_distance(day) * share


def _angle(day: ArrayLike) -> NDArray:
    return 2.0 * np.pi * np.asarray(day, np.float64) / 365.0


def _radians(latitude: ArrayLike) -> NDArray:
    degrees = np.asarray(latitude, np.float64)
    if not (np.abs(degrees) <= 90.0).all():
        worst = float(degrees.ravel()[np.argmax(~(np.abs(degrees.ravel()) <= 90.0))])
        raise InputError(f"a latitude is {worst}; give degrees between −90 and 90, north positive")
    return np.radians(degrees)
