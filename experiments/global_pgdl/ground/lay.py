"""Steps 1 to 3: stations that are good enough, their regions, and who learns from whom."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.global_pgdl.ground.deciding import Deciding, who_decides
from experiments.global_pgdl.ground.earth import Earth
from experiments.global_pgdl.ground.folds import Member, members
from experiments.global_pgdl.ground.mixing import climates_of
from experiments.global_pgdl.ground.places import Stations
from experiments.global_pgdl.ground.regions import Found, find_regions
from experiments.global_pgdl.ground.screening import at_depth, prepared, screened
from experiments.global_pgdl.outcome import Clock
from experiments.global_pgdl.preset import Preset

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Ground:
    """What a run stands on.

    Args:
        earth: As it was opened.
        asked: How many stations were screened.
        kept: Those that passed, with their spin-up.
        counted: The same on the days that count.
        cells: The Earth on these days; the stations, where there is none.
        stations: Those that are used.
        labels: Their regions.
        who: Sites that decide settings, where settings are searched.
    """

    earth: Earth
    asked: int
    kept: "xr.Dataset"
    counted: "xr.Dataset"
    cells: "xr.Dataset"
    found: Found
    stations: Stations
    labels: np.ndarray
    who: Deciding
    folds: tuple[Member, ...]


def lay(preset: Preset, earth: Earth, clock: Clock) -> Ground:
    """Screen, cluster, and divide into folds."""
    clock("screening stations")
    there = at_depth(earth.stations, preset.depth)
    kept, verdicts = screened(there, preset.screening, preset.first)
    counted = kept.sel(time=slice(preset.first, None))
    clock(f"regions, from {kept.sizes['site']} of {len(verdicts)} stations")
    cells = counted if earth.cells is None else earth.cells.sel(time=slice(preset.first, None))
    found = find_regions(cells, counted, preset.clustering, 0)
    stations = prepared(kept.isel(site=found.kept), preset.first, preset.cell, seed=0)
    labels = found.regions.site_labels[found.kept]
    who = who_decides(kept, found, preset)
    folds = members(
        stations, labels, seeds=preset.seeds, mixed=preset.mixed,
        climates=climates_of(kept)[found.kept],
        untested=np.flatnonzero(np.isin(found.kept, who.apart)),
    )  # fmt: skip
    return Ground(earth, len(verdicts), kept, counted, cells, found, stations, labels, who, folds)
