"""A set of places with everything that is so about them, and a life of weather and water there."""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.koppen import classify
from diffhydro.data.virtual.climate import YEAR, Climate, climate
from diffhydro.data.virtual.ground import Hidden, Mapped, Relief, hidden, mapped, relief
from diffhydro.data.virtual.truth import Truth, truth
from diffhydro.data.virtual.weather import Calendar, Series, leaf_area, reported, weather


@dataclass(frozen=True)
class Described:
    """Places and what is so about them."""

    latitude: np.ndarray
    longitude: np.ndarray
    relief: Relief
    climate: Climate
    mapped: Mapped
    hidden: Hidden


@dataclass(frozen=True)
class Lived:
    """What happened at places, `[place, day]`."""

    true: Series
    reported: Series
    truth: Truth


def describe(
    seed: int, latitude: np.ndarray, longitude: np.ndarray, *, scattered: bool = False
) -> Described:
    """Describe places.

    Args:
        scattered: Whether hidden soil varies from place to place within a cell, as at stations.
    """
    height = relief(seed, latitude, longitude)
    normals = climate(seed, latitude, longitude, height.elevation)
    classes = classify(*monthly(normals), latitude)
    maps = mapped(seed, normals, longitude, height, classes)
    secret = hidden(seed, normals, longitude, maps, scattered=scattered)
    return Described(latitude, longitude, height, normals, maps, secret)


def live(seed: int, calendar: Calendar, places: Described) -> Lived:
    """Let weather and water pass over places."""
    true = true_weather(seed, calendar, places)
    said = reported(seed, places.climate, places.longitude, true)
    course = truth(calendar, places.climate, places.mapped, places.hidden, true)
    return Lived(true, said, course)


def report_only(seed: int, calendar: Calendar, places: Described) -> Series:
    """Give what a weather product says of places, without the water."""
    true = true_weather(seed, calendar, places)
    return reported(seed, places.climate, places.longitude, true)


def true_weather(seed: int, calendar: Calendar, places: Described) -> Series:
    """Give the weather of places, and the leaves that it grows."""
    true = weather(seed, calendar, places.climate, places.longitude)
    return {**true, "leaf_area": leaf_area(places.climate, places.mapped.evergreen, true)}


def monthly(normals: Climate) -> tuple[np.ndarray, np.ndarray]:
    """Give normals of temperature, °C, and rain, mm, of every month."""
    season = normals.season((np.arange(12) + 0.5) * YEAR / 12.0)
    wetness = normals.wetness(season)
    rain = normals.rain[:, None] / 12.0 * wetness / wetness.mean(axis=1, keepdims=True)
    return normals.warmth[:, None] + normals.swing[:, None] * season, rain
