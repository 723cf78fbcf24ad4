"""Step 10: every cell of the globe, from a start window of the satellite.

Predictions are put on the satellite's scale by a line for each region, fitted where the satellite
sees often, and compared with it everywhere, and where its retrievals are sure.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import numpy as np

from diffhydro.evaluation import IN_CELLS, score
from experiments.global_pgdl.ground.places import Places, series
from experiments.global_pgdl.judged.representative import HONEST
from experiments.global_pgdl.judged.sites import SCORES, wet_days
from experiments.global_pgdl.learned.freely import Start, score_after
from experiments.global_pgdl.learned.models import KINDS, Models, Said, predict

if TYPE_CHECKING:
    import xarray as xr

SEEN_OFTEN = 0.25  # share of the days; the radiometer passes on two of five
LEAST_SPREAD = 0.02  # m³/m³, of series whose correlation means something
DENSE = 5.0  # kg/m² of vegetation water
_AT_ONCE = 256  # cells


@dataclass(frozen=True, eq=False)
class Globe:
    """Predictions of cells `[cell, time]` by rule and kind, on the satellite's scale.

    Args:
        sure: The satellite where its retrievals are.
    """

    cells: Places
    labels: np.ndarray
    satellite: "xr.DataArray"
    sure: "xr.DataArray"
    moisture: dict[str, dict[str, "xr.DataArray"]]
    fluxes: dict[str, "xr.DataArray"]

    def scores(self, *, is_masked: bool) -> dict[str, dict[str, dict[str, np.ndarray]]]:
        """Score all rules and kinds, `[cell]`; r where the satellite is seen often and varies."""
        seen = self.sure if is_masked else self.satellite
        share = np.isfinite(seen.values).mean(axis=1)
        varies = np.nan_to_num(np.nanstd(_some(seen.values), axis=1)) >= LEAST_SPREAD
        tells = (share >= SEEN_OFTEN) & varies
        found: dict[str, dict[str, dict[str, np.ndarray]]] = {}
        for rule, kinds in self.moisture.items():
            found[rule] = {}
            for kind, x in kinds.items():
                scored = score(x, seen, least=30)
                mine = {name: scored[name].values for name in SCORES}
                mine["r"] = np.where(tells, mine["r"], np.nan)
                found[rule][kind] = mine
        return found

    def wet_days(self, trace: float) -> dict[str, np.ndarray]:
        """Count violations in cells of the honest rule."""
        return wet_days(self.moisture[HONEST], self.satellite, self.fluxes, trace, IN_CELLS)


def predicted(
    models: Models,
    rules: dict[str, dict[str, dict[int, int]]],
    cells: Places,
    labels: np.ndarray,
    satellite: np.ndarray,
    sure: np.ndarray,
    start: Start,
) -> Globe:
    """Run the representative models of all regions in their cells."""
    days = satellite.shape[1]
    moisture = {
        rule: {kind: np.full((len(cells), days), np.nan, np.float32) for kind in KINDS}
        for rule in rules
    }
    fluxes: dict[str, np.ndarray] = {}
    for rule, kinds in rules.items():
        for region in next(iter(kinds.values())):
            rows = np.flatnonzero(labels == region)
            who = {kind: kinds[kind][region] for kind in KINDS}
            for number in sorted({*who.values()}):
                mine = [kind for kind in KINDS if who[kind] == number]
                for some in np.array_split(rows, max(1, -(-len(rows) // _AT_ONCE))):
                    said = _one(models, number, cells, some, start, mine)
                    for kind in mine:
                        moisture[rule][kind][some] = said.moisture[kind]
                    if rule == HONEST:
                        _put(fluxes, said, some, moisture[rule][kind].shape)
    first = cells.first
    named = {
        rule: {
            kind: _named(on_scale(score_after(x, start), satellite, labels, first), cells)
            for kind, x in kinds.items()
        }
        for rule, kinds in moisture.items()
    }
    water = {name: _named(x, cells) for name, x in fluxes.items()}
    return Globe(cells, labels, _named(satellite, cells), _named(sure, cells), named, water)


def satellite_of(
    dataset: "xr.Dataset", times: np.ndarray, is_water: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Read the satellite `[cell, time]`, and of it what is sure.

    Left out are dense vegetation, frozen soil, and cells of open water or wetland.
    """
    found = dataset.sel(time=times).isel(depth=0).transpose("site", "time").load()
    seen = found["soil_moisture"].values.astype(np.float32)
    sure = (found["vegetation_water"].values <= DENSE) & (found["frozen_share"].values <= 0.0)
    sure &= ~is_water[:, None]
    return seen, np.where(sure, seen, np.nan).astype(np.float32)


def start_of_cells(satellite: np.ndarray, first: int, length: int) -> Start:
    """Take start windows of cells; a cell that is not seen gets that of the nearest row that is.

    Cells come from north to south and from west to east, so that the nearest row is a neighbour.
    """
    known = np.isfinite(satellite[:, first:])
    enough = np.flatnonzero(known.sum(axis=1) >= length)
    days = np.argsort(~known, axis=1, kind="stable")[:, :length] + first
    values = np.take_along_axis(satellite, days, axis=1)
    nearest = enough[np.abs(np.arange(len(known))[:, None] - enough[None]).argmin(axis=1)]
    return Start(values[nearest].astype(np.float32), days[nearest])


def _one(
    models: Models,
    number: int,
    cells: Places,
    rows: np.ndarray,
    start: Start,
    kinds: Collection[str],
) -> Said:
    # One shape for all: cells are repeated, and cut off.
    padded = np.resize(rows, min(_AT_ONCE, len(cells)))[None]
    inputs = jax.tree.map(lambda x: x[padded], cells.inputs)
    said = predict(models.take(np.array([number])), inputs, start.take(padded), cells.first, kinds)
    count = len(rows)
    return Said(
        {name: x[0, :count] for name, x in said.moisture.items()},
        {name: x[0, :count] for name, x in said.fluxes.items()},
    )


def _put(
    fluxes: dict[str, np.ndarray], said: Said, rows: np.ndarray, shape: tuple[int, ...]
) -> None:
    for name, x in said.fluxes.items():
        fluxes.setdefault(name, np.full(shape, np.nan, np.float32))[rows] = x


def on_scale(
    predicted: np.ndarray, satellite: np.ndarray, labels: np.ndarray, first: int
) -> np.ndarray:
    """Fit a line from predictions to the satellite in each region, and apply it."""
    share = np.isfinite(satellite[:, first:]).mean(axis=1)
    made = predicted.copy()
    for region in np.unique(labels):
        rows = np.flatnonzero(labels == region)
        often = rows[share[rows] >= SEEN_OFTEN]
        x, y = predicted[often].ravel(), satellite[often].ravel()
        there = np.isfinite(x) & np.isfinite(y)
        if there.sum() > 1 and np.ptp(x[there]) > 0:
            slope, level = np.polyfit(x[there].astype(np.float64), y[there].astype(np.float64), 1)
            made[rows] = slope * predicted[rows] + level
    return made


def _named(values: np.ndarray, cells: Places) -> "xr.DataArray":
    made = series(values[:, cells.first :], cells.names, cells.times[cells.first :])
    return made.assign_coords(
        latitude=("site", cells.latitude), longitude=("site", cells.longitude)
    )


def _some(values: np.ndarray) -> np.ndarray:
    """Put a zero where a whole series is missing, so that its spread is none."""
    return np.where(np.isfinite(values).any(axis=1, keepdims=True), values, 0.0)
