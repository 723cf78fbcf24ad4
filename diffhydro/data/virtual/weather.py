"""Days of weather at places, and what a weather product makes of them.

Whether it rains and how much come from two fields through the normal distribution: a threshold
gives the season's share of wet days, which cling together in time and space because the field does;
amounts are Weibull with shape 0.75, heavier in the tail than exponential (Wilson & Toumi 2005). A
slow field adds wet and dry years. Temperature, clouds, humidity and wind follow the season, the
rain and fields of their own.
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.virtual.climate import Climate
from diffhydro.data.virtual.waves import Moving
from diffhydro.land import air, sun

SHAPE = 0.75
_MEAN_OF_SHAPE = 1.1906  # Γ(1 + 1/0.75)
_LONGEST = 250.0  # mm in a day
Series = dict[str, np.ndarray]

# stream: correlation length (km), memory of a day
_FIELDS = {
    "occurrence": (1, 650.0, 0.45),
    "years": (2, 1800.0, 0.99),
    "amount": (3, 220.0, 0.10),
    "warmth": (4, 1100.0, 0.80),
    "humidity": (5, 800.0, 0.60),
    "clouds": (6, 600.0, 0.35),
    "wind": (7, 900.0, 0.50),
}
_ERRORS = {
    "precipitation": (11, 300.0, 0.15),
    "rain_bias": (12, 900.0, 0.999),
    "temperature": (13, 500.0, 0.85),
    "shortwave": (14, 500.0, 0.60),
    "vapour_pressure": (15, 500.0, 0.75),
    "leaf_area": (16, 400.0, 0.98),
}


@dataclass(frozen=True)
class Calendar:
    """Days from a first one on."""

    start: np.datetime64
    days: int

    @property
    def dates(self) -> np.ndarray:
        """Give the days."""
        return self.start + np.arange(self.days).astype("timedelta64[D]")

    @property
    def of_year(self) -> np.ndarray:
        """Give their numbers in the year, from 1."""
        dates = self.dates
        return (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + 1


def weather(
    seed: int,
    calendar: Calendar,
    climate: Climate,
    longitude: np.ndarray,
) -> Series:
    """Make the true weather of places `[place, day]`, in the schema's names and units."""
    day, places = calendar.of_year, (climate.latitude, longitude)
    field = {
        name: Moving((seed, stream), length, memory).at(*places, calendar.days)
        for name, (stream, length, memory) in _FIELDS.items()
    }
    season = climate.season(day)
    rain = _rain(climate, season, field)
    wet = rain > 0
    variability = 1.5 + 4.0 * np.abs(np.sin(np.radians(climate.latitude)))[:, None]
    warmth = (
        climate.warmth[:, None]
        + climate.swing[:, None] * season
        + variability * field["warmth"] * (1.0 - 0.3 * season)
        - 1.2 * wet
    )
    moist = 0.30 + 0.42 * (1.0 - np.exp(-climate.aridity[:, None]))
    humidity = np.clip(moist + 0.12 * wet - 0.04 * season + 0.07 * field["humidity"], 0.10, 0.99)
    clear = 0.72 - 0.27 * wet * (0.6 + 0.4 * _normal(field["clouds"])) - 0.25 * (humidity - 0.5)
    clear = np.clip(clear + 0.04 * field["clouds"], 0.12, 0.78)
    spread = (3.0 + 9.0 * (1.0 - humidity)) * np.where(wet, 0.6, 1.0)
    top = sun.extraterrestrial(climate.latitude[:, None], day)
    return {
        "precipitation": rain,
        "temperature": warmth,
        "temperature_max": warmth + spread,
        "temperature_min": warmth - spread,
        "shortwave": clear * top,
        "vapour_pressure": humidity * air.saturation(warmth),
        "wind": 2.2 * np.exp(0.35 * field["wind"] - 0.06),
    }


def reported(seed: int, climate: Climate, longitude: np.ndarray, true: Series) -> Series:
    """Make what a weather product says: rain is off by half on a day and by a tenth in a year.

    Every model is given this; nothing but the truth itself sees the true weather.
    """
    days = true["precipitation"].shape[1]
    error = {
        name: Moving((seed, stream), length, memory).at(climate.latitude, longitude, days)
        for name, (stream, length, memory) in _ERRORS.items()
    }
    factor = np.exp(0.5 * error["precipitation"] - 0.125 + 0.10 * error["rain_bias"])
    shift = 0.6 * error["temperature"]
    said = {
        **true,
        "precipitation": true["precipitation"] * factor,
        "shortwave": true["shortwave"] * (1.0 + 0.07 * np.clip(error["shortwave"], -4, 4)),
        "vapour_pressure": true["vapour_pressure"]
        * (1.0 + 0.05 * np.clip(error["vapour_pressure"], -4, 4)),
        "leaf_area": true["leaf_area"] * np.exp(0.15 * error["leaf_area"]),
    }
    for name in ("temperature", "temperature_max", "temperature_min"):
        said[name] = true[name] + shift
    said["vapour_pressure"] = np.minimum(
        said["vapour_pressure"], air.saturation(said["temperature"])
    )
    return said


def leaf_area(climate: Climate, evergreen: np.ndarray, true: Series) -> np.ndarray:
    """Grow leaves where it has been warm for a month and wet for two `[place, day]`.

    Args:
        evergreen: Share of the leaves that stay, by place.
    """
    most = 6.2 * (1.0 - np.exp(-1.1 * climate.aridity)) * np.clip(climate.warmth / 8.0 + 1.0, 0, 1)
    warm = np.clip((trailing(true["temperature"], 30.0) - 2.0) / 12.0, 0.0, 1.0)
    demand = np.maximum(climate.demand / 365.25, 0.3)[:, None]
    wet = 1.0 - np.exp(-1.6 * trailing(true["precipitation"], 60.0) / demand)
    growing = evergreen[:, None] + (1.0 - evergreen[:, None]) * warm * wet
    return np.clip(most[:, None] * growing, 0.05, 7.5)


def _rain(climate: Climate, season: np.ndarray, field: Series) -> np.ndarray:
    expected = climate.rain[:, None] / 365.25 * climate.wetness(season)
    wettest = 0.03 + 0.52 * (1.0 - np.exp(-climate.rain / 900.0))
    share = np.clip(wettest[:, None] * climate.wetness(season) ** 0.6, 0.005, 0.85)
    occurrence = np.sqrt(0.92) * field["occurrence"] + np.sqrt(0.08) * field["years"]
    rank = _normal(occurrence) - (1.0 - share)
    wet = rank > 0
    inside = np.clip(rank / share, 1e-6, 1.0 - 1e-6)
    # Rain is heavier in the middle of a wet area than at its edge.
    heavy = _normal(0.55 * _normal_score(inside) + np.sqrt(1.0 - 0.55**2) * field["amount"])
    heavy = np.minimum(heavy, 1.0 - 1e-6)
    amount = (-np.log1p(-heavy)) ** (1.0 / SHAPE) / _MEAN_OF_SHAPE * expected / share
    return np.where(wet, np.minimum(amount, _LONGEST), 0.0)


def trailing(x: np.ndarray, days: float) -> np.ndarray:
    """Average over the past with weights that fade in `days`."""
    keep = np.exp(-1.0 / days)
    out, state = np.empty_like(x), x[:, : int(days)].mean(axis=1)
    for day in range(x.shape[1]):
        state = keep * state + (1.0 - keep) * x[:, day]
        out[:, day] = state
    return out


def _normal(x: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return ndtr(x)


def _normal_score(share: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(share)
