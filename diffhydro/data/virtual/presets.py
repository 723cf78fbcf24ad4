"""Sizes of the virtual Earth."""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.virtual.outlines import NORTHERNMOST, SOUTHERNMOST, is_land
from diffhydro.data.virtual.weather import Calendar

WEATHER_CELL = 0.5  # degrees
SPIN_UP = 365  # days before the first, in which the soil forgets how it was filled


@dataclass(frozen=True)
class Preset:
    """How much of it to make.

    Args:
        spacing: Of the cells, degrees.
        start: The first day.
        end: The day after the last.
        stations: How many.
        landscapes: How many squares of 192 × 192 pixels of 30 m, each round a station.
    """

    name: str
    spacing: float
    start: str
    end: str
    stations: int
    landscapes: int

    @property
    def calendar(self) -> Calendar:
        """Give all days, those of the spin-up first."""
        first = np.datetime64(self.start, "D") - np.timedelta64(SPIN_UP, "D")
        return Calendar(first, int((np.datetime64(self.end, "D") - first).astype(int)))

    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Give latitude and longitude of the middles of all cells on land, from the north-west."""
        rows = np.arange(90.0 - self.spacing / 2, -90.0, -self.spacing)
        rows = rows[(rows > SOUTHERNMOST) & (rows < NORTHERNMOST)]
        columns = np.arange(-180.0 + self.spacing / 2, 180.0, self.spacing)
        latitude, longitude = (x.ravel() for x in np.meshgrid(rows, columns, indexing="ij"))
        land = is_land(latitude, longitude)
        return latitude[land], longitude[land]


def weather_cell(latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the middle of the cell whose weather a station is given, whatever the preset."""
    half = WEATHER_CELL / 2
    row = 90.0 - half - WEATHER_CELL * np.floor((90.0 - latitude) / WEATHER_CELL)
    column = -180.0 + half + WEATHER_CELL * np.floor((longitude + 180.0) / WEATHER_CELL)
    return row, column


PRESETS = {
    p.name: p
    for p in (
        Preset("tiny", 8.0, "2018-01-01", "2020-01-01", 48, 1),
        Preset("small", 3.0, "2017-01-01", "2021-01-01", 240, 4),
        Preset("study", 0.5, "2016-01-01", "2021-01-01", 1300, 40),
    )
}
