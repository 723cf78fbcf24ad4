"""Step 8: leave-one-site-out. What every model says at the site that it never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.evaluation import AT_SITES, Witness, score, violations
from diffhydro.evaluation.baselines import Climatology
from experiments.global_pgdl.ground.folds import Member
from experiments.global_pgdl.ground.places import Stations, series
from experiments.global_pgdl.learned.freely import Start, offset, score_after, start_windows
from experiments.global_pgdl.learned.models import PB, Models, Said, at, predict

if TYPE_CHECKING:
    import xarray as xr

PERSISTENCE, CLIMATOLOGY = "persistence", "climatology"
MOVED = "PB, moved by its error in the start window"
SCORES = ("rmse", "ubrmse", "bias", "r")


@dataclass(frozen=True, eq=False)
class Tested:
    """Predictions at the first test site of each fold, `[fold, time]`, from the first day on.

    Args:
        folds: Numbers of the members.
        rows: Of the stations.
    """

    folds: np.ndarray
    rows: np.ndarray
    observed: "xr.DataArray"
    moisture: dict[str, "xr.DataArray"]
    fluxes: dict[str, "xr.DataArray"]

    def scores(self) -> dict[str, dict[str, np.ndarray]]:
        """Score every model, `[fold]`."""
        found = {name: score(x, self.observed) for name, x in self.moisture.items()}
        return {name: {s: x[s].values for s in SCORES} for name, x in found.items()}

    def wet_days(self, trace: float, witness: Witness = AT_SITES) -> dict[str, np.ndarray]:
        """Count violations of the water balance in dry spells, `[fold]`."""
        return wet_days(self.moisture, self.observed, self.fluxes, trace, witness)


def wet_days(
    moisture: dict[str, "xr.DataArray"],
    observed: "xr.DataArray",
    fluxes: dict[str, "xr.DataArray"],
    trace: float,
    witness: Witness,
) -> dict[str, np.ndarray]:
    """Count days on which soil moisture rises in dry spells of PB, `[place]`, for each model."""
    water = fluxes["inflow"], fluxes["transpiration"], fluxes["evaporation"]
    return {
        name: violations(x, observed, *water, witness=witness, trace=trace)["days"].values
        for name, x in moisture.items()
    }


def tested(models: Models, stations: Stations, members: Sequence[Member], look_back: int) -> Tested:
    """Ask all models that have a test site."""
    folds = np.array([i for i, one in enumerate(members) if len(one.test)])
    rows = np.array([members[i].test[0] for i in folds])
    first = stations.places.first
    start = start_windows(stations.observed[rows], first, look_back, stations.places.names[rows])
    each = Start(start.values[:, None], start.days[:, None])
    said = predict(models.take(folds), at(stations.places, rows[:, None]), each, first)
    known = {PERSISTENCE: _persistence(start, stations)}
    pb = said.moisture[PB][:, 0]
    known[MOVED] = pb + offset(start, pb)[:, None]
    known[CLIMATOLOGY] = _climatology(stations, [members[i].train for i in folds])
    return _as_arrays(said, known, start, stations, folds, rows)


def _as_arrays(
    said: Said,
    known: dict[str, np.ndarray],
    start: Start,
    stations: Stations,
    folds: np.ndarray,
    rows: np.ndarray,
) -> Tested:
    first, times = stations.places.first, stations.places.times
    # A site that is tested twice, alone and with mixed training sites, is there twice.
    names = np.array(
        [f"{stations.places.names[r]} ({f})" for r, f in zip(rows, folds, strict=True)]
    )

    def named(x: np.ndarray) -> "xr.DataArray":
        return series(x[:, first:], names, times[first:])

    moisture = {name: x[:, 0] for name, x in said.moisture.items()} | known
    return Tested(
        folds,
        rows,
        named(stations.observed[rows]),
        {name: named(score_after(x, start)) for name, x in moisture.items()},
        {name: named(x[:, 0]) for name, x in said.fluxes.items()},
    )


def _persistence(start: Start, stations: Stations) -> np.ndarray:
    days = len(stations.places.times)
    return np.repeat(start.values[:, -1:], days, axis=1)


def _climatology(stations: Stations, trains: Sequence[np.ndarray]) -> np.ndarray:
    """Give the usual course of the year at the training sites of each fold."""
    import xarray as xr

    places = stations.places

    def dataset(rows: np.ndarray) -> "xr.Dataset":
        values = series(stations.observed[rows], places.names[rows], places.times)
        return xr.Dataset({"soil_moisture": values})

    somewhere = dataset(np.arange(1)).assign_coords(site=["elsewhere"])
    fitted = [Climatology(depth=None).fit(dataset(rows)) for rows in trains]
    return np.stack([one.predict(somewhere).values[0] for one in fitted])
