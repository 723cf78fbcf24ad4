"""A radiometer over the virtual Earth: every two to three days, noisy, blind in frost and forest.

It sees the upper 50 mm of a cell's mean. Noise grows with the water in the vegetation, the bias
belongs to the cover, and the dynamic range is a little too small.
"""

from typing import NamedTuple

import numpy as np

from diffhydro.data.virtual.ground import CROPS, Mapped
from diffhydro.data.virtual.stations import soil_temperature
from diffhydro.data.virtual.waves import still
from diffhydro.data.virtual.weather import Series

DENSE = 5.0  # kg/m²: above it a retrieval is uncertain
_OPAQUE = 12.0  # kg/m²: above it there is none
_STEMS = {41: 4.5, 42: 6.0, 43: 5.2, 90: 5.0, 52: 0.8}  # kg/m² of water in wood


class Retrieved(NamedTuple):
    """What is delivered, `[cell, day]`; NaN where there is nothing."""

    soil_moisture: np.ndarray
    vegetation_water: np.ndarray
    frozen_share: np.ndarray
    uncertain: np.ndarray  # 1 where it is not recommended


def retrieve(
    seed: int,
    latitude: np.ndarray,
    longitude: np.ndarray,
    said: Mapped,
    skin: np.ndarray,
    weather: Series,
    snow: np.ndarray,
) -> Retrieved:
    """Look at the truth from above."""
    days = skin.shape[1]
    passes = overpasses(latitude, longitude, days)
    stems = np.array([_STEMS.get(int(code), 0.1) for code in said.land_cover])
    water = (
        0.35 * weather["leaf_area"] + stems[:, None] * np.minimum(said.evergreen + 0.6, 1)[:, None]
    )
    cold = np.clip(0.5 - soil_temperature(weather["temperature"])[..., 0] / 3.0, 0.0, 1.0)
    frozen = np.where(snow > 3.0, 1.0, cold)
    bias = 0.02 * still([seed, 700], 700.0, latitude, longitude) - 0.015
    bias = bias + 0.01 * (said.land_cover == CROPS)
    noise = np.empty(skin.shape)
    for i, (row, column) in enumerate(zip(latitude, longitude, strict=True)):
        key = [seed, 701, round((row + 90.0) * 1e4), round((column + 180.0) * 1e4)]
        noise[i] = np.random.default_rng(key).normal(size=days)
    value = 0.03 + 0.85 * skin + bias[:, None] + (0.022 + 0.005 * water) * noise
    seen = passes & (frozen < 0.5) & (water < _OPAQUE)
    value = np.where(seen, np.clip(value, 0.02, 0.60), np.nan)
    uncertain = (water > DENSE) | (said.is_wetland[:, None] > 0)
    return Retrieved(
        soil_moisture=value.astype(np.float32),
        vegetation_water=np.where(passes, water, np.nan).astype(np.float32),
        frozen_share=np.where(passes, frozen, np.nan).astype(np.float32),
        uncertain=np.where(seen, uncertain, np.nan).astype(np.float32),
    )


def overpasses(latitude: np.ndarray, longitude: np.ndarray, days: int) -> np.ndarray:
    """Tell when the swath covers a place: every 2.6 days at the equator, daily near the poles."""
    swath = np.clip(0.385 / np.maximum(np.cos(np.radians(latitude)), 0.2), 0.0, 1.0)
    phase = (0.385 * np.arange(days) + longitude[:, None] / 24.7) % 1.0
    return phase < swath[:, None]
