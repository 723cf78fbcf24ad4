"""Where the data of a run come from: a virtual Earth, which is made where there is none."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.app.cache import cache_folder, is_cache_wanted
from diffhydro.data.readers.cf.reader import read_cf
from diffhydro.data.sites import open_sites
from diffhydro.data.virtual import PRESETS, virtual_earth
from diffhydro.data.virtual.build import RECIPE
from diffhydro.errors import InputError
from experiments.global_pgdl.preset import Preset

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Earth:
    """What a run reads.

    Args:
        cells: None where there are stations only; regions are then those of the stations.
        satellite: Of the cells.
    """

    stations: "xr.Dataset"
    cells: "xr.Dataset | None"
    satellite: "xr.Dataset | None"


def open_earth(
    preset: Preset,
    out: Path,
    data: Path | None,
    attributes: Path | None,
    report: Callable[[str], None],
) -> Earth:
    """Open what a run reads, up to its last day; make a virtual Earth where nothing is given.

    Args:
        data: A folder as `diffhydro data virtual` makes them, or a file of stations.
        attributes: A table of stations.
    """
    if data is None or (data.suffix == "" and not data.exists()):
        if preset.world not in PRESETS:
            raise InputError(
                f"there is no virtual Earth {preset.world}: expected {', '.join(PRESETS)}"
            )
        report(f"a virtual Earth, preset {preset.world}")
        folder = data or _kept(preset, out)
        data = virtual_earth(PRESETS[preset.world], preset.world_seed, folder)
    days = slice(None, preset.last)
    if data.is_dir() and data.suffix != ".zarr":
        for name in ("stations.nc", "cells.zarr", "satellite.zarr"):
            if not (data / name).exists():
                raise InputError(
                    f"{data} has no {name}; give a folder that `diffhydro data virtual` made, or a "
                    "file of stations"
                )
        stations = open_sites(data / "stations.nc", attributes).source
        cells, seen = (read_cf(data / name) for name in ("cells.zarr", "satellite.zarr"))
        return Earth(
            _whole(stations.sel(time=days), data), cells.sel(time=days).load(), seen.sel(time=days)
        )
    return Earth(_whole(open_sites(data, attributes).source.sel(time=days), data), None, None)


def _kept(preset: Preset, out: Path) -> Path:
    """Give where worlds are kept from run to run, which the demonstration shares."""
    name = f"{preset.world}-{preset.world_seed}-recipe{RECIPE}"
    return (cache_folder().parent / "virtual" if is_cache_wanted() else out / "virtual") / name


def _whole(stations: "xr.Dataset", data: Path) -> "xr.Dataset":
    if "soil_moisture" not in stations:
        raise InputError(f"the stations of {data} have no soil_moisture to learn from")
    if "is_wetland" not in stations:
        none = np.zeros(stations.sizes["site"], np.float32)
        stations = stations.assign(is_wetland=("site", none))
    return stations
