"""What is seen and what is true of landscapes: maps, bands, a product, and moisture by date."""

from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.conform import attributes
from diffhydro.data.schema import VARIABLES
from diffhydro.data.tiles import extent_of
from diffhydro.data.virtual.datasets import said_of
from diffhydro.data.virtual.landscape import (
    CLASSES,
    Landscape,
    classes,
    fractal,
    generator,
    landscape,
    on_pixels,
)
from diffhydro.data.virtual.places import Described
from diffhydro.data.virtual.presets import SPIN_UP
from diffhydro.data.virtual.stations import Stations
from diffhydro.data.virtual.truth import DEPTHS, truth
from diffhydro.data.virtual.weather import Calendar, Series
from diffhydro.soil.pedotransfer import rosetta

if TYPE_CHECKING:
    import xarray as xr

EVERY = 16  # days between the dates of a landscape
_SHOWN = (0, 2)  # of `DEPTHS`: 5 and 20 cm
_MAP_ERROR = 4.0  # % of sand and clay
_MOST_GREEN = 6.5  # leaf area at which NDVI ends
# Water contents and reflectances in files: steps of 1e-4 are far below their errors.
_PACKED = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -32768}


def make_landscapes(
    seed: int,
    calendar: Calendar,
    places: Described,
    where: Stations,
    true: Series,
    numbers: np.ndarray,
) -> "dict[str, tuple[xr.Dataset, xr.Dataset]]":
    """Give for some stations what is seen of their landscape, and what is true."""
    climate, said, hidden = classes(places, numbers)
    weather = {name: np.repeat(x[numbers], CLASSES, axis=0) for name, x in true.items()}
    course = truth(calendar, climate, said, hidden, weather)
    days = np.arange(SPIN_UP, calendar.days, EVERY)
    made = {}
    for i, number in enumerate(numbers):
        extent = extent_of(float(where.latitude[number]), float(where.longitude[number]))
        square = landscape(seed, extent, places, int(number))
        theta = course.theta[i * CLASSES : (i + 1) * CLASSES][:, days][..., _SHOWN]
        moisture = on_pixels(theta, square)  # [date, depth, y, x]
        rng = generator(seed, extent, 801)
        leaves = true["leaf_area"][number, days]
        seen = _seen(square, places, int(number), moisture, leaves, rng)
        dates = calendar.dates[days]
        made[str(where.names[number])] = (
            _dataset(seen, square, dates, where, int(number)),
            _dataset({"soil_moisture": moisture}, square, dates, where, int(number)),
        )
    return made


def _seen(
    square: Landscape,
    places: Described,
    number: int,
    moisture: np.ndarray,
    leaves: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Any]:
    size = square.sand.shape
    sand = np.clip(square.sand + _MAP_ERROR * fractal(rng, size, 1.5), 2.0, 96.0)
    clay = np.clip(square.clay + 0.7 * _MAP_ERROR * fractal(rng, size, 1.5), 1.0, 98.0 - sand)
    silt = 100.0 - sand - clay
    soil = rosetta(sand, silt, clay)
    green = _green(square, leaves, moisture[:, 0], rng)
    return {
        "elevation": square.elevation,
        "slope": square.shape.slope,
        "aspect": np.nan_to_num(square.shape.aspect),
        "flow_accumulation": square.upstream,
        "sand": sand,
        "silt": silt,
        "clay": clay,
        "theta_s": np.asarray(soil.theta_s),
        "theta_r": np.asarray(soil.theta_r),
        "organic_matter": np.full(size, places.mapped.organic_matter[number]),
        "land_cover": square.cover,
        "climate": np.full(size, places.mapped.climate[number]),
        **_bands(green, moisture[:, 0], rng),
        "soil_moisture": _product(moisture, rng),
    }


def _green(
    square: Landscape, leaves: np.ndarray, moisture: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Give NDVI: of leaves by cover, a little greener where it is wet."""
    share = np.where(square.is_other, 0.75, 1.0) * (0.9 + 0.2 * square.wetness)
    leaf_area = leaves[:, None, None] * share
    ndvi = 0.12 + 0.78 * (1.0 - np.exp(-0.6 * np.minimum(leaf_area, _MOST_GREEN)))
    ndvi = ndvi + 0.15 * (moisture - moisture.mean())
    return np.clip(ndvi + 0.02 * rng.normal(size=ndvi.shape), -0.1, 0.95)


def _bands(ndvi: np.ndarray, moisture: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Give reflectances that have this NDVI; wet ground is dark, most of all beyond 1.5 µm."""
    bare = 0.42 - 0.5 * moisture
    red = np.clip(0.04 + 0.5 * bare * (1.0 - ndvi) ** 1.3, 0.01, 0.6)
    near = red * (1.0 + ndvi) / np.maximum(1.0 - ndvi, 0.05)
    short = np.clip(0.06 + 0.75 * bare * (1.0 - 0.5 * ndvi), 0.01, 0.7)
    noisy = {
        name: np.clip(band * (1.0 + 0.03 * rng.normal(size=band.shape)), 0.0, 1.0)
        for name, band in (("red", red), ("near_infrared", near), ("shortwave_infrared", short))
    }
    return {"ndvi": ndvi, **noisy}


def _product(moisture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give a 30 m product off by some ten per cent: flat, blurred, and wrong in patches."""
    blurred = (
        sum(
            np.roll(moisture, (down, right), axis=(-2, -1))
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        )
        / 9.0
    )
    patches = 0.02 * fractal(rng, moisture.shape[-2:], 2.0)
    return np.clip(0.05 + 0.8 * blurred + patches, 0.02, 0.6)


def _dataset(
    variables: dict[str, Any], square: Landscape, dates: np.ndarray, where: Stations, number: int
) -> "xr.Dataset":
    import xarray as xr

    dims = {2: ("y", "x"), 3: ("time", "y", "x"), 4: ("time", "depth", "y", "x")}
    made = {}
    for name, values in variables.items():
        told = attributes(VARIABLES[name]) if name in VARIABLES else {"units": "1"}
        numbers = np.asarray(values, np.float32)
        packed = numbers.ndim > 2
        made[name] = (dims[numbers.ndim], numbers, told, _PACKED if packed else {})
    grid = square.extent.grid
    coordinates: dict[str, Any] = {
        "y": np.arange(len(grid.latitude)),
        "x": np.arange(len(grid.longitude)),
        "latitude": ("y", grid.latitude, {"units": "degrees_north"}),
        "longitude": ("x", grid.longitude, {"units": "degrees_east"}),
        "depth": ("depth", np.take(DEPTHS, _SHOWN), {"units": "mm", "positive": "down"}),
        "time": dates.astype("datetime64[ns]"),
    }
    found = xr.Dataset(made, coordinates, said_of())
    found.attrs |= {
        "station": str(where.names[number]),
        "station_row": square.extent.row,
        "station_column": square.extent.column,
        "quadkeys": " ".join(square.extent.keys),
    }
    return found
