"""Make a virtual Earth in a folder: part by part, so that a killed run goes on where it was.

    OUT/world.json                  preset, seed, version, and what is virtual about it
    OUT/cells.zarr                  weather and maps of every cell, as models see them
    OUT/satellite.zarr, land_model.zarr
    OUT/truth.zarr                  what is true of every cell: for judging only
    OUT/stations.nc, stations_truth.nc
    OUT/landscapes/<station>.nc     30 m: relief, soil, cover, bands, a product; <station>_truth.nc

A part is a chunk of cells, a chunk of stations, or a landscape; it is made from the seed alone and
does not depend on the others. The folder has its name when everything is in it.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np

from diffhydro._version import __version__
from diffhydro.atomic import whole
from diffhydro.data.virtual import datasets
from diffhydro.data.virtual.land_model import model_product
from diffhydro.data.virtual.landscapes import make_landscapes
from diffhydro.data.virtual.places import describe, live, report_only, true_weather
from diffhydro.data.virtual.presets import SPIN_UP, Preset, weather_cell
from diffhydro.data.virtual.satellite import retrieve
from diffhydro.data.virtual.stations import Stations, measure, place_stations
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

CHUNK = 256  # places
AT_ONCE = 10  # landscapes, whose columns make up a chunk
LANDSCAPE = "landscape_"
RECIPE = 1  # raised when the same seed no longer makes the same Earth
Progress = Callable[[int, int, str], None]
Part = tuple[str, Callable[[], "dict[str, xr.Dataset]"]]


def virtual_earth(
    preset: Preset, seed: int, out: Path, progress: Progress = lambda done, of, what: None
) -> Path:
    """Make a virtual Earth, or finish one; the same for the same preset and seed.

    Args:
        progress: Called with parts done, parts in all, and what is made now.

    Returns:
        The folder.
    """
    told = describe_world(preset, seed)
    if out.exists():
        _must_be(out / "world.json", told, f"{out} exists")
        return out
    folder = out.with_name(out.name + ".partial")
    if folder.exists():
        _must_be(folder / "world.json", told, f"{folder} holds an unfinished one")
    with whole(folder / "world.json") as part:
        part.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    parts = list(_parts(preset, seed))
    for number, (name, make) in enumerate(parts):
        progress(number, len(parts), name)
        mark = folder / "parts" / f"{name}.done"
        if mark.is_file():
            continue
        with jax.enable_x64(False):  # one world, whatever precision the caller works in
            products = make()
        for product, made in products.items():
            target = folder / "parts" / f"{name}.{product}.nc"
            for variable in made.data_vars.values():
                if variable.ndim > 1:
                    variable.encoding |= {"zlib": True, "complevel": 3}
            with whole(target) as file:
                made.to_netcdf(file, engine="h5netcdf")
        with whole(mark) as file:
            file.write_text("", encoding="utf-8")
    progress(len(parts), len(parts), "joining")
    _join(folder)
    folder.rename(out)
    return out


def describe_world(preset: Preset, seed: int) -> dict[str, object]:
    """Say what a folder holds; equal for equal worlds."""
    return {
        "notice": datasets.NOTICE,
        "preset": preset.name,
        "seed": seed,
        "recipe": RECIPE,
        "version": __version__,
        "cells": len(preset.cells()[0]),
        "spacing_degrees": preset.spacing,
        "first_day": preset.start,
        "day_after_last": preset.end,
        "stations": preset.stations,
        "landscapes": preset.landscapes,
    }


def _parts(preset: Preset, seed: int) -> Iterator[Part]:
    latitude, longitude = preset.cells()
    for number, start in enumerate(range(0, len(latitude), CHUNK)):
        chosen = slice(start, start + CHUNK)
        places = latitude[chosen], longitude[chosen]
        yield f"cells_{number:04d}", lambda places=places: _cells(preset, seed, *places)
    where = place_stations(seed, preset.stations)
    for number, start in enumerate(range(0, preset.stations, CHUNK)):
        some = _some(where, slice(start, start + CHUNK))
        yield f"stations_{number:04d}", lambda some=some: _stations(preset, seed, some)
    chosen = np.linspace(0, preset.stations - 1, preset.landscapes).round().astype(int)
    for number, start in enumerate(range(0, preset.landscapes, AT_ONCE)):
        some = _some(where, chosen[start : start + AT_ONCE])
        yield f"landscapes_{number:04d}", lambda some=some: _landscapes(preset, seed, some)


def _cells(
    preset: Preset, seed: int, latitude: np.ndarray, longitude: np.ndarray
) -> "dict[str, xr.Dataset]":
    calendar = preset.calendar
    places = describe(seed, latitude, longitude)
    lived = live(seed, calendar, places)
    course = lived.truth
    seen = retrieve(seed, latitude, longitude, places.mapped, course.skin, lived.true, course.snow)
    theta = model_product(calendar, places.climate, places.mapped, lived.reported)
    names, dates = datasets.cell_names(latitude, longitude), calendar.dates
    made = {
        "cells": datasets.cells(names, dates, lived.reported, places),
        "satellite": datasets.satellite(names, dates, seen, places),
        "land_model": datasets.land_model(names, dates, theta, places),
        "truth": datasets.true_course(names, dates, course, places),
    }
    return {name: _without_spin_up(found) for name, found in made.items()}


def _stations(preset: Preset, seed: int, where: Stations) -> "dict[str, xr.Dataset]":
    calendar = preset.calendar
    places = describe(seed, where.latitude, where.longitude, scattered=True)
    lived = live(seed, calendar, places)
    cell = describe(seed, *weather_cell(where.latitude, where.longitude))
    said = report_only(seed, calendar, cell)
    moisture, warmth = measure(seed, where, lived.truth.theta, lived.true["temperature"])
    dates = calendar.dates
    made = {
        "stations": datasets.stations(where, dates, said, places, moisture, warmth),
        "stations_truth": datasets.true_course(where.names, dates, lived.truth, places),
    }
    return {name: _without_spin_up(found) for name, found in made.items()}


def _landscapes(preset: Preset, seed: int, where: Stations) -> "dict[str, xr.Dataset]":
    calendar = preset.calendar
    places = describe(seed, where.latitude, where.longitude, scattered=True)
    true = true_weather(seed, calendar, places)
    numbers = np.arange(len(where.names))
    made = make_landscapes(seed, calendar, places, where, true, numbers)
    squares = {f"{LANDSCAPE}{name}": seen for name, (seen, _) in made.items()}
    return squares | {f"{LANDSCAPE}{name}_truth": true for name, (_, true) in made.items()}


def _without_spin_up(found: "xr.Dataset") -> "xr.Dataset":
    return found.isel(time=slice(SPIN_UP, None))


def _some(where: Stations, chosen: slice | np.ndarray) -> Stations:
    return Stations(*(getattr(where, name)[chosen] for name in Stations.__dataclass_fields__))


def _join(folder: Path) -> None:
    """Put parts of one product after one another; a part at a time is in memory."""
    import xarray as xr

    parts = folder / "parts"
    products: dict[str, list[Path]] = {}
    for path in sorted(parts.glob("*.nc")):
        products.setdefault(path.name.split(".")[1], []).append(path)
    for product, paths in products.items():
        if product.startswith(LANDSCAPE):
            (folder / "landscapes").mkdir(exist_ok=True)
            (path,) = paths
            path.replace(folder / "landscapes" / f"{product.removeprefix(LANDSCAPE)}.nc")
            continue
        if product.startswith("stations"):
            found = xr.concat(
                [xr.load_dataset(path, engine="h5netcdf") for path in paths],
                dim="site",
                data_vars="minimal",
                coords="minimal",
                compat="override",
                join="exact",
            )
            with whole(folder / f"{product}.nc") as file:
                found.to_netcdf(file, engine="h5netcdf")
            continue
        with whole(folder / f"{product}.zarr") as store:
            for number, path in enumerate(paths):
                found = xr.load_dataset(path, engine="h5netcdf")
                found = _with_plain_words(found.drop_encoding())
                if number == 0:
                    sizes = {"site": CHUNK, "time": -1, "depth": -1}
                    found.chunk({d: sizes[str(d)] for d in found.sizes}).to_zarr(
                        store, consolidated=False
                    )
                else:
                    found.to_zarr(store, append_dim="site", consolidated=False)
    shutil.rmtree(parts)


def _with_plain_words(found: "xr.Dataset") -> "xr.Dataset":
    """Make words of any length of fixed ones, for which zarr has no format yet."""
    words = [name for name, x in found.variables.items() if x.dtype.kind == "U"]
    return found.assign_coords({name: found[name].astype(object) for name in words})


def _must_be(path: Path, told: dict[str, object], what: str) -> None:
    if not path.is_file():
        raise InputError(f"{what} and is no virtual Earth; choose another folder or move it away")
    found = json.loads(path.read_text(encoding="utf-8"))
    if found != told:
        other = [f"{k} {found.get(k)!r}" for k in told if found.get(k) != told[k]]
        raise InputError(f"{what} with {', '.join(other)}; choose another folder or move it away")
