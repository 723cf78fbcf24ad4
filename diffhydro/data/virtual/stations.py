"""Stations of the virtual Earth: where they stand, and what their probes report.

Networks are dense in rich countries and absent elsewhere, as on the Earth. A probe has a gain and
a bias of its own, noise, sometimes drift; it falls silent for days or weeks, says nothing in frozen
soil, and now and then jumps.
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.virtual.outlines import is_land
from diffhydro.data.virtual.truth import DEPTHS
from diffhydro.data.virtual.weather import trailing

# Where networks are: middle (latitude, longitude), spread (degrees), share of all stations.
_REGIONS = (
    (39.0, -97.0, 9.0, 0.48),
    (62.0, -148.0, 3.0, 0.03),
    (47.0, 10.0, 7.0, 0.17),
    (34.0, 105.0, 9.0, 0.10),
    (60.0, 60.0, 14.0, 0.05),
    (-33.0, 144.0, 4.0, 0.06),
    (12.0, 0.0, 6.0, 0.04),
    (-20.0, 25.0, 6.0, 0.03),
    (-25.0, -57.0, 7.0, 0.04),
)
_OF_NETWORK = 7  # stations on average, fewer where there are few in all
_REACH = 0.9  # degrees between stations of a network
_GAIN, _BIAS, _NOISE = 0.08, 0.020, 0.006


@dataclass(frozen=True)
class Stations:
    """Stations: names, networks, coordinates, and whether they have deep probes."""

    names: np.ndarray
    networks: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    deep: np.ndarray


def place_stations(seed: int, count: int) -> Stations:
    """Choose places on land, in clusters."""
    rng = np.random.default_rng([seed, 600])
    rows, columns, networks = [], [], []
    shares = np.array([region[3] for region in _REGIONS])
    shares /= shares.sum()
    placed = np.zeros(len(_REGIONS))
    usual = min(_OF_NETWORK, max(2, count // 16))
    number = 0
    while len(rows) < count:
        # The next network stands where most is wanting, so that no continent is left out by chance.
        region = int(np.argmax(shares * count - placed))
        middle, meridian, spread, _ = _REGIONS[region]
        heart = middle + spread * rng.normal() * 0.6, meridian + spread * rng.normal()
        size = 1 + rng.poisson(usual - 1)
        found = 0
        for _ in range(4 * size):
            row, column = (c + _REACH * rng.normal() for c in heart)
            if found < size and len(rows) < count and is_land(np.array(row), np.array(column)):
                rows.append(round(row, 4))
                columns.append(round(column, 4))
                networks.append(f"VN{number:03d}")
                found += 1
        placed[region] += found
        number += found > 0
    names = [f"{network}_S{i:04d}" for i, network in enumerate(networks)]
    deep = rng.random(count) < 0.65
    return Stations(np.array(names), np.array(networks), np.array(rows), np.array(columns), deep)


def measure(
    seed: int, places: Stations, theta: np.ndarray, temperature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Report soil moisture and soil temperature `[site, day, depth]`, NaN where there is nothing.

    Args:
        theta: The truth at `DEPTHS`.
        temperature: Of the air, °C.
    """
    warmth = soil_temperature(temperature)
    moisture = np.full(theta.shape, np.nan, np.float32)
    for i, name in enumerate(places.names):
        # A key from the name: a station is the same whatever others are made beside it.
        rng = np.random.default_rng([seed, 601, *str(name).encode()])
        for j in range(len(DEPTHS)):
            silent = j > 1 and not places.deep[i]
            said = _probe(theta[i, :, j], rng)
            if not silent:
                moisture[i, :, j] = np.where(warmth[i, :, j] > 0.0, said, np.nan)
        off = _outages(theta.shape[1], rng, share=0.03, length=20.0)
        moisture[i, off] = np.nan
        warmth[i, off] = np.nan
        if not places.deep[i]:
            warmth[i, :, 2:] = np.nan
    return moisture, warmth.astype(np.float32)


def soil_temperature(temperature: np.ndarray) -> np.ndarray:
    """Give the soil's temperature at `DEPTHS`: the air's, later and flatter with depth."""
    layers = [trailing(temperature, 2.0 + 0.12 * depth) for depth in DEPTHS]
    return np.stack(layers, axis=-1)


def _probe(theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    days = len(theta)
    gain, bias = 1.0 + _GAIN * rng.normal(), _BIAS * rng.normal()
    drift = rng.normal(0.0, 0.01) * (rng.random() < 0.15)  # m³/m³ a year
    said = gain * theta + bias + drift * np.arange(days) / 365.25
    said = said + _NOISE * rng.normal(size=days)
    spikes = rng.random(days) < 4e-4
    said = np.where(spikes, said + rng.uniform(-0.2, 0.3, days), said)
    said = np.where(_outages(days, rng, share=0.04, length=9.0), np.nan, said)
    return np.round(np.clip(said, 0.0, 0.7), 3)


def _outages(days: int, rng: np.random.Generator, *, share: float, length: float) -> np.ndarray:
    """Tell the days without a record: gaps of geometric length."""
    starts = np.flatnonzero(rng.random(days) < share / length)
    lengths = rng.geometric(1.0 / length, len(starts))
    off = np.zeros(days, bool)
    for start, size in zip(starts, lengths, strict=True):
        off[start : start + size] = True
    return off
