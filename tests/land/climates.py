"""Weather that a generator makes up, from deserts to monsoons and from poles to tropics."""

from dataclasses import dataclass

import numpy as np

from diffhydro.land import sun
from diffhydro.land.forcing import Forcing


@dataclass(frozen=True)
class Climate:
    """What sets a weather apart; all that it does follows from this and a seed."""

    latitude: float = 45.0
    warmth: float = 10.0  # °C, mean of the year
    swing: float = 12.0  # °C
    wetness: float = 0.3  # share of wet days
    storm: float = 8.0  # mm, mean of a wet day
    leaves: float = 2.0
    humidity: float = 0.65


def weather(climate: Climate, days: int, seed: int = 0, dtype=np.float64) -> Forcing:
    """Make daily weather: wet days at random, the rest by season with noise."""
    rng = np.random.default_rng(seed)
    day = np.arange(days) % 365 + 1
    season = np.cos(2.0 * np.pi * (day - 200.0) / 365.0) * np.sign(climate.latitude + 1e-9)
    wet = rng.random(days) < climate.wetness
    rain = np.where(wet, rng.exponential(climate.storm, days), 0.0)
    temperature = climate.warmth + climate.swing * season + rng.normal(0.0, 3.0, days)
    temperature = np.clip(temperature, -60.0, 38.0)
    saturated = 610.8 * np.exp(17.27 * temperature / (temperature + 237.3))
    humidity = np.clip(climate.humidity + 0.2 * wet + rng.normal(0.0, 0.08, days), 0.05, 1.0)
    top = sun.extraterrestrial(climate.latitude, day)
    light = top * np.where(wet, 0.35, 0.65) * rng.uniform(0.8, 1.1, days)
    leaves = climate.leaves * np.clip(0.6 + 0.4 * season, 0.0, 1.0)
    return Forcing(
        precipitation=rain.astype(dtype),
        potential_evaporation=(0.12 * np.maximum(temperature, 0.0)).astype(dtype),
        temperature=temperature.astype(dtype),
        temperature_max=(temperature + 5.0).astype(dtype),
        temperature_min=(temperature - 5.0).astype(dtype),
        shortwave=light.astype(dtype),
        vapour_pressure=(humidity * saturated).astype(dtype),
        leaf_area=leaves.astype(dtype),
        daylight=sun.daylight(climate.latitude, day).astype(dtype),
        extraterrestrial=top.astype(dtype),
    )
