"""Weather that ships as code: a dozen places from tundra to rain forest, three years, no download.

Rain is a two-state Markov chain (a wet day follows a wet one more easily) with exponential amounts;
temperature, light and humidity follow the season and the rain. It is invented, and meant for trying
things out, not for science.
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.land import air, sun

if TYPE_CHECKING:
    import xarray as xr

# name, latitude, elevation, mean and swing of temperature, wet share summer and winter, mm on a wet
# day, leaf area, relative humidity, sand, clay, wetland
_PLACES = (
    ("tundra", 69.0, 80, -9.0, 17.0, 0.35, 0.22, 3.5, 1.0, 0.78, 35, 15, 1),
    ("boreal forest", 62.0, 180, 1.0, 16.0, 0.40, 0.32, 5.0, 3.0, 0.74, 60, 10, 0),
    ("boreal fen", 60.0, 60, 2.0, 14.0, 0.42, 0.34, 5.5, 2.0, 0.80, 30, 20, 1),
    ("oceanic meadow", 52.0, 30, 9.5, 7.0, 0.45, 0.52, 5.0, 2.5, 0.80, 40, 22, 0),
    ("temperate forest", 47.0, 400, 9.0, 11.0, 0.42, 0.38, 7.0, 4.5, 0.74, 25, 20, 0),
    ("prairie", 44.0, 500, 8.0, 16.0, 0.30, 0.14, 8.0, 1.8, 0.62, 30, 27, 0),
    ("mountain meadow", 40.0, 2600, 3.0, 11.0, 0.30, 0.35, 6.0, 1.5, 0.60, 55, 12, 0),
    ("mediterranean scrub", 37.0, 200, 16.0, 9.0, 0.04, 0.32, 9.0, 1.3, 0.58, 45, 25, 0),
    ("desert", 31.0, 700, 20.0, 12.0, 0.06, 0.06, 6.0, 0.2, 0.32, 80, 6, 0),
    ("monsoon cropland", 23.0, 250, 25.0, 7.0, 0.62, 0.04, 15.0, 2.4, 0.62, 38, 30, 0),
    ("rain forest", -3.0, 100, 26.0, 1.0, 0.62, 0.66, 13.0, 5.5, 0.84, 30, 48, 0),
    ("southern pampa", -36.0, 90, 16.5, 7.5, 0.28, 0.20, 11.0, 2.2, 0.70, 15, 30, 0),
)
_LONGITUDES = (-135, 95, 25, -2, 11, -100, -106, -6, 35, 79, -61, -60)
DAYS = 3 * 365
START = "2001-01-01"


def embedded_weather(days: int = DAYS, seed: int = 0) -> "xr.Dataset":
    """Make the weather, the same for the same seed."""
    import xarray as xr

    time = np.datetime64(START, "D") + np.arange(days)
    year = time.astype("datetime64[Y]")
    day = (time - year.astype("datetime64[D]")).astype(int) + 1
    places = [
        _place(place, day, np.random.default_rng([seed, i])) for i, place in enumerate(_PLACES)
    ]
    units = {
        "precipitation": "mm day-1",
        "temperature": "degC",
        "temperature_max": "degC",
        "temperature_min": "degC",
        "shortwave": "W m-2",
        "vapour_pressure": "Pa",
        "leaf_area": "m2 m-2",
    }
    series = {
        name: (("site", "time"), np.stack([p[name] for p in places]), {"units": unit})
        for name, unit in units.items()
    }
    attributes = {
        "latitude": ([p[1] for p in _PLACES], "degrees_north"),
        "longitude": (list(_LONGITUDES), "degrees_east"),
        "elevation": ([float(p[2]) for p in _PLACES], "m"),
        "sand": ([float(p[10]) for p in _PLACES], "%"),
        "clay": ([float(p[11]) for p in _PLACES], "%"),
        "is_wetland": ([float(p[12]) for p in _PLACES], "1"),
    }
    fixed = {name: ("site", values, {"units": unit}) for name, (values, unit) in attributes.items()}
    coordinates = {"site": [p[0] for p in _PLACES], "time": time.astype("datetime64[ns]")}
    return xr.Dataset({**series, **fixed}, coordinates, {"source": "invented by diffhydro"})


def _place(place: tuple, day: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    _, latitude, _, warmth, swing, summer, winter, storm, leaves, humid, *_ = place
    season = np.cos(2.0 * np.pi * (day - 200) / 365.0) * np.sign(latitude)
    share = winter + (summer - winter) * 0.5 * (1.0 + season)
    wet = _spells(share, rng)
    rain = np.where(wet, rng.exponential(storm, len(day)), 0.0)
    weather = _persistent(0.75, 2.5, len(day), rng)
    temperature = warmth + swing * season + weather - 1.0 * wet
    spread = np.where(wet, 3.0, 6.0) + rng.uniform(0.0, 2.0, len(day))
    moist = np.clip(humid - 0.06 * season + 0.12 * wet + rng.normal(0, 0.05, len(day)), 0.08, 0.99)
    clear = np.where(wet, 0.33, 0.62) * rng.uniform(0.85, 1.1, len(day))
    growing = np.clip(0.35 + 0.65 * (0.5 + 0.5 * season), 0.0, 1.0)
    return {
        "precipitation": rain,
        "temperature": temperature,
        "temperature_max": temperature + spread,
        "temperature_min": temperature - spread,
        "shortwave": clear * sun.extraterrestrial(latitude, day),
        "vapour_pressure": moist * air.saturation(temperature),
        "leaf_area": leaves * growing,
    }


def _spells(share: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw wet days of a given share that follow each other more often than by chance."""
    clings = 0.35
    draws = rng.random(len(share))
    wet = np.zeros(len(share), bool)
    for i, chance in enumerate(share):
        before = wet[i - 1] if i else draws[i] < chance
        wet[i] = draws[i] < chance + clings * (float(before) - chance)
    return wet


def _persistent(memory: float, size: float, days: int, rng: np.random.Generator) -> np.ndarray:
    """Draw noise with a memory from day to day."""
    noise = rng.normal(0.0, size * np.sqrt(1.0 - memory**2), days)
    for i in range(1, days):
        noise[i] += memory * noise[i - 1]
    return noise
