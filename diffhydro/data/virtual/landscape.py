"""Landscapes of the virtual Earth: 192 × 192 pixels of some 30 m round a station.

Relief is fractal; water gathers where much ground drains through a pixel and the slope is small
(topographic wetness index, Beven & Kirkby 1979); soil and cover vary in patches. What is true is
run in columns for classes of wetness, texture and cover, and given to pixels: between classes of
wetness by interpolation, so that moisture follows the relief without steps.
"""

from dataclasses import dataclass, replace

import numpy as np

from diffhydro.data.drainage import drainage
from diffhydro.data.terrain import Shape, Spacing, metres_per_degree, shape
from diffhydro.data.tiles import Extent
from diffhydro.data.virtual.climate import Climate
from diffhydro.data.virtual.ground import (
    CROPS,
    GRASS,
    OPEN_WETLAND,
    PASTURE,
    SHRUB,
    WOODY_WETLAND,
    Hidden,
    Mapped,
)
from diffhydro.data.virtual.places import Described

WETNESS = (0.1, 0.4, 0.7, 0.95)  # ranks of the wetness index that columns stand for
TEXTURES = (0.17, 0.5, 0.83)  # ranks of sand
COVERS = 2  # the landscape's own, and the other
CLASSES = len(WETNESS) * len(TEXTURES) * COVERS
_OTHER = {CROPS: GRASS, PASTURE: 41, GRASS: SHRUB, SHRUB: GRASS, 31: SHRUB}
_SAND, _CLAY = 8.0, 5.0  # % that texture varies by within a landscape
_TABLE = 900.0  # mm below the wettest ground, where the climate feeds one


@dataclass(frozen=True)
class Landscape:
    """One square, `[y, x]`.

    Args:
        wetness: Rank of the wetness index, 0 to 1.
        texture: Rank of sand.
        is_other: Whether the cover is not the landscape's own.
    """

    extent: Extent
    elevation: np.ndarray
    shape: Shape
    upstream: np.ndarray
    wetness: np.ndarray
    texture: np.ndarray
    sand: np.ndarray
    clay: np.ndarray
    is_other: np.ndarray
    cover: np.ndarray
    detail: np.ndarray  # m³/m³: what a class does not say of a pixel


def landscape(seed: int, extent: Extent, places: Described, number: int) -> Landscape:
    """Shape a square round one of the places."""
    rng = generator(seed, extent, 800)
    latitude, longitude = extent.grid.latitude, extent.grid.longitude
    size = (len(latitude), len(longitude))
    rough = 6.0 + 45.0 * min(float(places.relief.slope[number]), 2.0)
    elevation = places.relief.elevation[number] + rough * fractal(rng, size, 2.3)
    north, east = metres_per_degree(latitude)
    spacing = Spacing(
        east * abs(longitude[1] - longitude[0]), north * np.abs(np.gradient(latitude))
    )
    form = shape(elevation, spacing)
    form = Shape(*(_filled(field) for field in form))
    upstream = drainage(elevation, spacing).upstream
    index = np.log(upstream) - np.log(np.tan(np.radians(np.maximum(form.slope, 0.1))))
    wetness = _rank(index + 0.5 * fractal(rng, size, 1.8))
    sandy = fractal(rng, size, 2.0) - 0.8 * (wetness - 0.5)
    texture = _rank(sandy)
    sand = np.clip(places.mapped.sand[number] + _SAND * _score(texture), 3.0, 95.0)
    clay = places.mapped.clay[number] + _CLAY * _score(_rank(fractal(rng, size, 2.0) - sandy))
    clay = np.clip(clay, 2.0, np.minimum(70.0, 98.0 - sand))
    own = int(places.mapped.land_cover[number])
    is_other = fractal(rng, size, 2.4) > 0.45
    cover = np.where(is_other, _OTHER.get(own, GRASS), own)
    humid = places.climate.aridity[number] > 0.6
    wet = (wetness > 0.97) & humid
    cover = np.where(wet, np.where(is_other, OPEN_WETLAND, WOODY_WETLAND), cover)
    detail = 0.012 * fractal(rng, size, 1.2)
    return Landscape(
        extent, elevation, form, upstream, wetness, texture, sand, clay, is_other, cover, detail
    )


def classes(places: Described, numbers: np.ndarray) -> tuple[Climate, Mapped, Hidden]:
    """Give the columns of some places' landscapes, `CLASSES` for each, one after the other."""
    wetness, texture, other = (x.ravel() for x in np.meshgrid(WETNESS, TEXTURES, range(COVERS)))
    count = len(numbers)
    wetness, texture, other = (np.tile(x, count) for x in (wetness, texture, other))
    climate, said, hidden = (
        _repeated(x, numbers) for x in (places.climate, places.mapped, places.hidden)
    )
    shift = np.stack([_SAND * _score(texture), np.zeros_like(texture)], axis=-1)
    shift = np.concatenate([shift, -shift[:, :1]], axis=-1)  # more sand, less clay
    ground = np.clip(hidden.texture + shift[:, None, :], 2.0, 94.0)
    ground = 100.0 * ground / ground.sum(axis=-1, keepdims=True)
    own = said.land_cover.astype(int)
    another = np.array([_OTHER.get(int(code), GRASS) for code in own])
    cover = np.where(other > 0, another, own)
    fed = (wetness > 0.9) & (climate.aridity > 0.6)
    table = np.where(fed, np.fmin(hidden.water_table, _TABLE), hidden.water_table)
    # Below a hollow more water arrives than falls there: less of it runs through cracks.
    cracks = np.clip(hidden.cracks * (1.4 - 0.8 * wetness), 0.0, 0.6)
    said = replace(said, land_cover=cover)
    return climate, said, replace(hidden, texture=ground, cracks=cracks, water_table=table)


def on_pixels(theta: np.ndarray, square: Landscape) -> np.ndarray:
    """Spread water contents of a landscape's classes `[class, …]` over its pixels `[…, y, x]`."""
    table = theta.reshape(len(TEXTURES), len(WETNESS), COVERS, *theta.shape[1:])
    above = np.clip(np.searchsorted(WETNESS, square.wetness), 1, len(WETNESS) - 1)
    low, high = np.take(WETNESS, above - 1), np.take(WETNESS, above)
    share = np.clip((square.wetness - low) / (high - low), 0.0, 1.0)
    soil = np.clip((square.texture * len(TEXTURES)).astype(int), 0, len(TEXTURES) - 1)
    kind = square.is_other.astype(int)
    one, two = table[soil, above - 1, kind], table[soil, above, kind]
    share = share.reshape(*share.shape, *(1,) * (one.ndim - 2))
    mixed = (1.0 - share) * one + share * two
    mixed = np.moveaxis(mixed, (0, 1), (-2, -1))
    return np.clip(mixed + square.detail, 0.02, 0.65)


def generator(seed: int, extent: Extent, stream: int) -> np.random.Generator:
    """Make the random numbers of a square: its own, whatever other squares are made beside it."""
    return np.random.default_rng([seed, stream, *(int(digit) for digit in extent.keys[4])])


def fractal(rng: np.random.Generator, size: tuple[int, int], steepness: float) -> np.ndarray:
    """Draw a rough surface of variance 1 whose amplitudes fall as k^−steepness.

    Filtered noise on twice the square, so that opposite edges do not meet.
    """
    rows, columns = 2 * size[0], 2 * size[1]
    k = np.hypot(np.fft.fftfreq(rows)[:, None] * rows, np.fft.rfftfreq(columns) * columns)
    weight = np.where(k > 0, np.maximum(k, 1.0) ** -steepness, 0.0)
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(rows, columns))) * weight, (rows, columns))
    surface = noise[: size[0], : size[1]]
    return (surface - surface.mean()) / surface.std()


def _rank(x: np.ndarray) -> np.ndarray:
    """Give the share of pixels that are below."""
    order = np.argsort(x.ravel(), kind="stable")
    rank = np.empty(x.size)
    rank[order] = (np.arange(x.size) + 0.5) / x.size
    return rank.reshape(x.shape)


def _score(rank: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(rank)


def _filled(field: np.ndarray) -> np.ndarray:
    """Continue the inside to the edge, where slopes have no neighbours."""
    return np.pad(field[1:-1, 1:-1], 1, mode="edge")


def _repeated(x, numbers: np.ndarray):
    names = type(x).__dataclass_fields__
    return type(x)(*(np.repeat(getattr(x, name)[numbers], CLASSES, axis=0) for name in names))
