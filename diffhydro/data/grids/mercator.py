"""Web-mercator's northing of latitudes, on the sphere: ψ(φ) = artanh(sin φ), radians.

It is π at 85.0511°, where the map is a square.
"""

import numpy as np

LIMIT = float(np.degrees(np.arcsin(np.tanh(np.pi))))  # degrees; 85.0511287798066


def northing(latitude: np.ndarray | float) -> np.ndarray:
    """Give ψ of latitudes, degrees; infinite at the poles."""
    return np.arctanh(np.sin(np.radians(latitude)))


def latitude_of_northing(northing: np.ndarray | float) -> np.ndarray:
    """Give the latitudes, degrees, of ψ."""
    return np.degrees(np.arcsin(np.tanh(northing)))
