"""The climate of a place: normals from latitude, height, the nearness of the sea, and chance.

Zonal means follow the Earth's (Hartmann 2016, ch. 1 and 6): rain at the equator, dry belts at 15
to 32°, storm tracks, dry poles; summer rain in the monsoon belt, winter rain on western coasts at
30 to 42°. What is not zonal is a smooth random field, so every seed has deserts elsewhere.
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.virtual.outlines import land_around
from diffhydro.data.virtual.waves import still

LAPSE = 6.5  # °C/km
YEAR = 365.25
WARMEST_NORTH, WARMEST_SOUTH = 200.0, 17.0  # day of the year
_ALL_ROUND = (0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0)
_WEST, _EAST = (250.0, 270.0, 290.0), (70.0, 90.0, 110.0)


@dataclass(frozen=True)
class Climate:
    """Normals, one number a place.

    Args:
        warmth: Mean temperature of the year, °C.
        swing: Half the difference between summer and winter, °C.
        rain: Of a year, mm.
        summer: Summer's rain above the year's mean, −1 … 1; negative where winter is wet.
        inland: Share of land around.
    """

    latitude: np.ndarray
    warmth: np.ndarray
    swing: np.ndarray
    rain: np.ndarray
    summer: np.ndarray
    inland: np.ndarray

    def season(self, day: np.ndarray) -> np.ndarray:
        """Give −1 (midwinter) to 1 (midsummer) `[place, day]`."""
        warmest = np.where(self.latitude >= 0, WARMEST_NORTH, WARMEST_SOUTH)[:, None]
        return np.cos(2.0 * np.pi * (day - warmest) / YEAR)

    def wetness(self, season: np.ndarray) -> np.ndarray:
        """Give the rain to be expected, in means of the year `[place, day]`."""
        return np.maximum(1.0 + self.summer[:, None] * season, 0.02)

    @property
    def demand(self) -> np.ndarray:
        """Potential evaporation of a year, mm: Holdridge 1967, 58.93 mm for a degree above 0."""
        return 58.93 * np.maximum(self._biotemperature, 0.5)

    @property
    def aridity(self) -> np.ndarray:
        """Rain over potential evaporation."""
        return self.rain / self.demand

    @property
    def _biotemperature(self) -> np.ndarray:
        days = np.linspace(0.0, YEAR, 24, endpoint=False)
        monthly = self.warmth[:, None] + self.swing[:, None] * self.season(days)
        return np.mean(np.clip(monthly, 0.0, 30.0), axis=1)


def climate(seed: int, latitude: np.ndarray, longitude: np.ndarray, elevation: np.ndarray):
    """Work out the normals of places."""
    height = elevation / 1000.0
    inland = land_around(latitude, longitude, _ALL_ROUND)
    west, east = (land_around(latitude, longitude, b) for b in (_WEST, _EAST))
    sine, far = np.abs(np.sin(np.radians(latitude))), np.abs(latitude)
    chance = [still([seed, 100 + i], 1400.0, latitude, longitude) for i in range(3)]

    mild = np.clip(1.0 - west, 0.0, 1.0) * _bell(far, 52.0, 12.0)  # air from the sea
    warmth = 28.0 - 42.0 * sine**2.8 + 4.0 * mild - LAPSE * height + 1.2 * chance[0]
    shelter = 0.35 * inland + 0.65 * west
    swing = (1.5 + 24.0 * sine**1.3 * (0.2 + 0.7 * shelter)) * (1.0 + 0.05 * chance[0])
    zonal = (
        2100.0 * _bell(far, 0.0, 11.0)
        + 780.0 * _bell(far, 50.0, 14.0)
        + 1250.0 * _bell(far, 27.0, 9.0) * (1.0 - east) ** 1.5
        + 230.0
    )
    # Storms come from the west in middle latitudes, from the east in the tropics.
    upwind = np.where(far > 30.0, west, east)
    rain = zonal * np.exp(0.45 * chance[1] - 0.5 * upwind + 0.25 * np.minimum(height, 2.0))
    monsoon = _bell(far, 14.0, 8.0)
    winter_rain = _bell(far, 36.0, 5.5) * np.clip(1.0 - 1.4 * west, 0.0, 1.0)
    summer = 0.85 * monsoon + 0.35 * inland * _bell(far, 55.0, 14.0) - 0.9 * winter_rain
    summer = np.clip(summer + 0.12 * chance[2], -0.95, 0.95)
    return Climate(latitude, warmth, swing, np.clip(rain, 30.0, 3500.0), summer, inland)


def _bell(x: np.ndarray, middle: float, width: float) -> np.ndarray:
    return np.exp(-(((x - middle) / width) ** 2))
