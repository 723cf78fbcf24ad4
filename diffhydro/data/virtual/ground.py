"""The ground of the virtual Earth: relief, soil, what grows on it, and what no map of it says.

Two descriptions of a place are made. The *mapped* one (texture, cover, relief) is what models are
given. The *hidden* one is what water meets: two horizons whose hydraulic parameters scatter round
those that texture suggests, cracks, irrigation, a water table in wet flats.
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.koppen import CLASSES
from diffhydro.data.virtual.climate import Climate
from diffhydro.data.virtual.outlines import land_around
from diffhydro.data.virtual.waves import still

# Classes of the national land cover data base
FOREST_DECIDUOUS, FOREST_EVERGREEN, FOREST_MIXED = 41, 42, 43
BARREN, SHRUB, GRASS, PASTURE, CROPS, WOODY_WETLAND, OPEN_WETLAND = 31, 52, 71, 81, 82, 90, 95
_ROOTS = {41: 0.966, 42: 0.970, 43: 0.968, 31: 0.95, 52: 0.978, 71: 0.943, 81: 0.943, 82: 0.961,
          90: 0.95, 95: 0.92}  # fmt: skip
"""Jackson et al. 1996, table 1: β of root depth by kind of vegetation."""
_EVERGREEN = {42: 0.75, 43: 0.45, 52: 0.35, 90: 0.4}
_STREAMS = 24
_ALL_ROUND = (0.0, 60.0, 120.0, 180.0, 240.0, 300.0)


@dataclass(frozen=True)
class Relief:
    """Height and its slopes."""

    elevation: np.ndarray  # m
    slope: np.ndarray  # degrees
    aspect: np.ndarray  # degrees from north, clockwise, the way down
    curvature: np.ndarray  # 1/km, positive on ridges


@dataclass(frozen=True)
class Mapped:
    """What maps say of a place."""

    sand: np.ndarray  # %
    silt: np.ndarray
    clay: np.ndarray
    organic_matter: np.ndarray  # %
    land_cover: np.ndarray
    climate: np.ndarray  # Köppen class
    is_wetland: np.ndarray
    evergreen: np.ndarray

    @property
    def root_beta(self) -> np.ndarray:
        """Give how roots thin out with depth in centimetres: 1 − β^depth are above it."""
        return np.array([_ROOTS[int(c)] for c in self.land_cover])


@dataclass(frozen=True)
class Hidden:
    """What no map says: horizons `[place, horizon]`, and processes."""

    texture: np.ndarray  # `[place, horizon, 3]`: true sand, silt, clay, %
    log_k: np.ndarray  # added to ln k_sat
    log_alpha: np.ndarray
    log_n: np.ndarray  # added to ln(n − 1)
    porosity: np.ndarray  # added to θ_s
    cracks: np.ndarray  # share of strong rain that passes the soil by
    irrigated: np.ndarray  # 0 or 1
    water_table: np.ndarray  # mm below the surface; NaN where it is out of reach


def relief(seed: int, latitude: np.ndarray, longitude: np.ndarray) -> Relief:
    """Raise mountains along lines, and hills everywhere."""
    step = 0.05  # degrees

    def at(north: float, east: float) -> np.ndarray:
        return _height(seed, latitude + north * step, longitude + east * step)

    middle, up, down, right, left = at(0, 0), at(1, 0), at(-1, 0), at(0, 1), at(0, -1)
    tall = 2.0 * step * 111_195.0  # m
    wide = tall * np.maximum(np.cos(np.radians(latitude)), 0.05)
    north, east = (up - down) / tall, (right - left) / wide
    bend = -(
        (up - 2 * middle + down) / (tall / 2) ** 2 + (right - 2 * middle + left) / (wide / 2) ** 2
    )
    slope = np.degrees(np.arctan(np.hypot(north, east)))
    aspect = np.degrees(np.arctan2(-east, -north)) % 360.0
    return Relief(middle, slope, aspect, 1000.0 * bend)


def mapped(
    seed: int, climate: Climate, longitude: np.ndarray, relief: Relief, koppen: np.ndarray
) -> Mapped:
    """Draw soil and cover."""
    places = (climate.latitude, longitude)
    chance = [still([seed, 300 + i], 550.0, *places) for i in range(4)]
    local = [still([seed, 310 + i], 120.0, *places) for i in range(4)]
    dry, hot = climate.aridity < 0.5, climate.warmth > 20.0
    # Log-ratios to silt (Aitchison); mean 42 % sand, 36 % silt, 22 % clay, sandier where dry,
    # more clay where hot and wet.
    sandy = 0.15 + 0.55 * chance[0] + 0.40 * local[0] + 0.5 * dry
    clayey = -0.50 + 0.45 * chance[1] + 0.35 * local[1] + 0.5 * (hot & ~dry)
    total = np.exp(sandy) + 1.0 + np.exp(clayey)
    sand, clay = 100.0 * np.exp(sandy) / total, 100.0 * np.exp(clayey) / total
    cold_and_wet = np.clip(climate.aridity, 0, 2) * np.clip(1.0 - climate.warmth / 25.0, 0.2, 1.4)
    flat = np.exp(-relief.slope / 0.25) + 0.35 * local[2]
    wetland = (climate.aridity > 0.8) & (flat + 0.25 * np.minimum(climate.aridity, 2.0) > 1.55)
    organic = np.clip(1.2 + 1.8 * cold_and_wet + 0.6 * chance[2] + 4.0 * wetland, 0.3, 20.0)
    cover = _cover(koppen, wetland, chance[3], local[3], relief.slope)
    evergreen = np.array([_EVERGREEN.get(int(c), 0.15) for c in cover])
    evergreen = np.where(climate.swing < 5.0, np.maximum(evergreen, 0.55), evergreen)
    silt = 100.0 - sand - clay
    return Mapped(sand, silt, clay, organic, cover, koppen, wetland.astype(float), evergreen)


def hidden(
    seed: int,
    climate: Climate,
    longitude: np.ndarray,
    said: Mapped,
    *,
    scattered: bool = False,
) -> Hidden:
    """Draw what water meets.

    Args:
        scattered: Whether it also varies from place to place, without regard to distance.
    """
    places = (climate.latitude, longitude)
    own = _scatter(seed, *places) if scattered else None

    def field(stream: int, length: float) -> np.ndarray:
        drawn = still([seed, 400 + stream], length, *places)
        return drawn if own is None else np.sqrt(0.6) * drawn + np.sqrt(0.4) * own[:, stream]

    def both(stream: int, size: float) -> np.ndarray:
        shared, top, below = (field(stream + i, 350.0) for i in range(3))
        return size * (0.8 * shared[:, None] + 0.6 * np.stack([top, below], axis=1))

    # Mapped texture is off by ten points or so, and the subsoil holds more clay.
    wrong_sand, wrong_clay = 9.0 * field(0, 90.0), 5.0 * field(1, 90.0)
    top = _texture(said.sand + wrong_sand, said.clay + wrong_clay)
    below = _texture(said.sand + wrong_sand - 5.0, said.clay + wrong_clay + 6.0)
    organic = np.log1p(said.organic_matter)
    lift = np.stack([0.020 * organic, 0.005 * organic], axis=1)
    cracks = np.clip(0.10 + 0.006 * (top[:, 2] - 15.0) + 0.08 * field(20, 200.0), 0.0, 0.45)
    irrigated = (said.land_cover == CROPS) & (climate.aridity < 0.9) & (field(21, 60.0) > 0.3)
    depth = np.clip(350.0 + 180.0 * field(22, 150.0), 80.0, 900.0)
    low = (field(23, 80.0) > 1.2) & (climate.aridity > 0.7)
    table = np.where(said.is_wetland > 0, depth, np.where(low, 3.0 * depth, np.nan))
    return Hidden(
        texture=np.stack([top, below], axis=1),
        log_k=both(2, 0.7) + np.array([0.4, -0.5]),
        log_alpha=both(6, 0.35),
        log_n=both(10, 0.15),
        porosity=both(14, 0.025) + lift,
        cracks=cracks,
        irrigated=irrigated.astype(float),
        water_table=table,
    )


def _height(seed: int, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    broad = still([seed, 200], 1500.0, latitude, longitude)
    ridge = still([seed, 201], 900.0, latitude, longitude)
    hills = [still([seed, 202 + i], 250.0 / 2.5**i, latitude, longitude) for i in range(3)]
    rough = sum(h / 1.9**i for i, h in enumerate(hills))
    range_ = np.exp(-((ridge / 0.22) ** 2)) * np.clip(0.4 + broad, 0.0, 1.5)
    inland = land_around(latitude, longitude, _ALL_ROUND)
    height = inland * (250.0 + 220.0 * broad + 2600.0 * range_) + (90.0 + 260.0 * range_) * rough
    return np.clip(height + 60.0, 1.0, 5500.0)


def _scatter(seed: int, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Draw numbers for every place from its coordinates alone `[place, stream]`."""
    keys = np.round(np.stack([latitude + 90.0, longitude + 180.0], axis=1) * 1e4).astype(int)
    return np.stack(
        [np.random.default_rng([seed, 500, *key]).normal(size=_STREAMS) for key in keys]
    )


def _texture(sand: np.ndarray, clay: np.ndarray) -> np.ndarray:
    sand, clay = np.clip(sand, 4.0, 92.0), np.clip(clay, 3.0, 65.0)
    silt = np.maximum(100.0 - sand - clay, 3.0)
    return 100.0 * np.stack([sand, silt, clay], axis=-1) / (sand + silt + clay)[:, None]


def _cover(koppen, wetland, chance, local, slope) -> np.ndarray:
    """Choose a class: by climate, then by chance, with fields on flat ground."""
    main = np.array([CLASSES[int(code) - 1][:2] for code in koppen])
    letter = np.array([two[0] for two in main])
    mixed = 0.7 * chance + 0.7 * local
    forest = np.where(letter == "A", FOREST_EVERGREEN, FOREST_DECIDUOUS)
    boreal = (letter == "D") & (mixed > 0.0)
    forest = np.where(boreal, FOREST_EVERGREEN, forest)
    forest = np.where((letter == "C") & (mixed > 0.6), FOREST_MIXED, forest)
    tilled = (slope < 0.5) & (mixed < -0.15)
    cover = np.where(tilled, np.where(mixed < -0.55, CROPS, PASTURE), forest)
    cover = np.where(main == "BS", np.where(mixed < -0.5, CROPS, GRASS), cover)
    cover = np.where(main == "BW", np.where(mixed > 0.3, BARREN, SHRUB), cover)
    cover = np.where(letter == "E", np.where(mixed > 0.8, BARREN, GRASS), cover)
    cover = np.where((main == "Aw") & (mixed > -0.15) & (mixed < 0.5), SHRUB, cover)
    return np.where(wetland, np.where(mixed > 0, WOODY_WETLAND, OPEN_WETLAND), cover)
