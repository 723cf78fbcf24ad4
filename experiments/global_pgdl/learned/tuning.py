"""Bayesian optimisation of rate, look-back and widths, for DL and for PGDL as published.

One search for each of the two, for all regions at once; the coupled network takes what was found
for the fed one. A trial trains a network in every region, on the sites that are used without those
set apart, and lets it run freely at the sites that decide (`deciding.py`). Its score is their RMSE,
by region and weighted by the sites that are used, as the study is scored.

What this keeps apart: no site is tested that any trial was judged at. What it does not: a site that
is tested has trained the trials in its region, as it trains the other folds. To rule that out takes
a search for every fold.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from diffhydro.coupling import Inputs, PastDriven, PhysicsGuided
from diffhydro.errors import InputError
from diffhydro.evaluation import score
from diffhydro.training.search import AbstractRange, Between, Found, Whole, tune
from diffhydro.training.search.tuning import TABLE
from experiments.global_pgdl.ground.deciding import Deciding
from experiments.global_pgdl.ground.folds import LEFT_OUT, Member
from experiments.global_pgdl.ground.places import Stations, series
from experiments.global_pgdl.ground.regions import Found as Regional
from experiments.global_pgdl.ground.screening import prepared
from experiments.global_pgdl.learned import physics
from experiments.global_pgdl.learned.freely import Start, rolled, score_after, start_windows
from experiments.global_pgdl.learned.models import DL, FED, PB, Report, at, train_deep, train_fed
from experiments.global_pgdl.learned.once import Once
from experiments.global_pgdl.outcome import Rows
from experiments.global_pgdl.preset import Network, Preset, Tuning

if TYPE_CHECKING:
    import xarray as xr

Values = Mapping[str, Any]
Fluxes = Mapping[str, np.ndarray]
_TYPES = {"trial": int, "score": float, "rate": float}
_TYPES |= dict.fromkeys(("look_back", "hidden", "widths"), int)


class Tuned(NamedTuple):
    """A preset with the settings that were found, all trials, and what to know of them."""

    preset: Preset
    rows: Rows
    words: list[str]


@dataclass(frozen=True, eq=False)
class Bench:
    """Where trials are trained and judged.

    Args:
        stations: Those that are used, and those that only decide.
        members: One for each region, tested at its sites that decide.
        look_back: Days of the start window, the same for all trials.
    """

    stations: Stations
    members: tuple[Member, ...]
    look_back: int

    @property
    def judged(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the sites that decide, `[site]`, and which member is judged at each."""
        which = np.repeat(np.arange(len(self.members)), [len(x.test) for x in self.members])
        return np.concatenate([one.test for one in self.members]), which

    def error(self, models: PastDriven | PhysicsGuided, fluxes: Fluxes | None = None) -> float:
        """Give the RMSE of free runs at the sites that decide, of regions by their sites.

        Args:
            fluxes: Of the PB of each member at its sites that decide, `[site, 1, time]`.
        """
        rows, which = self.judged
        places, observed = self.stations.places, self.stations.observed[rows]
        inputs = at(places, rows[:, None])
        given = Inputs({**inputs.series, **(fluxes or {})}, inputs.attributes)
        start = start_windows(observed, places.first, self.look_back, places.names[rows])
        each = Start(start.values[:, None], start.days[:, None])
        said = rolled(_take(models, which), given, each, places.first)[:, 0]
        named = (
            series(x, places.names[rows], places.times)
            for x in (score_after(said, start), observed)
        )
        rmse = score(*named)["rmse"].values
        weight = np.array([len(one.train) / len(one.test) for one in self.members])
        return float(np.average(rmse, weights=weight[which]))


def tuned(
    preset: Preset,
    kept: "xr.Dataset",
    regions: Regional,
    who: Deciding,
    out: Path,
    report: Report,
) -> Tuned:
    """Search settings; a search that was interrupted goes on, and one that is done is read.

    Args:
        kept: All stations that passed the screening.
        out: The folder of the run.
    """
    if (how := preset.tuning) is None:
        return Tuned(preset, [], [])
    rows = np.concatenate([regions.kept, who.spare])
    labels = regions.regions.site_labels[rows]
    stations = prepared(kept.isel(site=rows), preset.first, preset.cell, seed=0)
    bench = _bench(stations, labels, np.isin(rows, [*who.spare, *who.apart]), how)
    known = [(*one.train, -1, *one.test) for one in bench.members]
    begun = {DL: preset.network, FED: preset.guided}
    asked = begun, preset.physics, preset.depth, how, known, stations.observed
    once = Once.of(out, "tuning", *asked)
    found: dict[str, Found] = {}
    made: Rows = []
    for kind, trial in _searches(bench, preset, once).items():
        report(f"tuning {kind}, {how.trials} trials")
        folder = once.folder / kind.lower().replace(" ", "_")
        found[kind] = tune(
            lambda values, _, kind=kind, trial=trial: trial(with_settings(begun[kind], values)),
            space(how, kind), folder, trials=how.trials, seed=how.seed,
        )  # fmt: skip
        made += _trials(folder / TABLE, kind, found[kind].number)
    dl, fed = (with_settings(before, found[kind].values) for kind, before in begun.items())
    chosen = preset.model_copy(update={"network": dl, "network_fed": fed})
    count = {"sites_that_decide": len(who.spare) + len(who.apart), "set_apart": len(who.apart)}
    return Tuned(chosen, [row | count for row in made], _words(who, found, how))


def space(how: Tuning, kind: str) -> dict[str, AbstractRange]:
    """Give what may be chosen; DL has no fully connected branch."""
    made: dict[str, AbstractRange] = {
        "rate": Between(*how.rate, is_log=True),
        "look_back": Whole(*how.look_back),
        "hidden": Whole(*how.hidden, is_log=True),
    }
    return made if kind == DL else {**made, "widths": Whole(*how.widths, is_log=True)}


def with_settings(how: Network, values: Values) -> Network:
    """Put values into the settings of a network; the days that a stretch is judged on stay."""
    length = how.length - how.look_back + values["look_back"]
    made = {**how.model_dump(), **values, "length": length}
    if "widths" in values:
        made["widths"] = (values["widths"],)
    return Network.model_validate(made)


def _bench(stations: Stations, labels: np.ndarray, decides: np.ndarray, how: Tuning) -> Bench:
    made = []
    for region in np.unique(labels):
        here = labels == region
        train, test = np.flatnonzero(here & ~decides), np.flatnonzero(here & decides)
        if len(test):
            made.append(Member(int(region), LEFT_OUT, train, test, how.seed))
    if not made:
        raise InputError(
            "no site can decide on settings: all have twins in other regions; leave out tuning"
        )
    return Bench(stations, tuple(made), how.look_back[1])


def _searches(bench: Bench, preset: Preset, once: Once) -> dict[str, Callable[[Network], float]]:
    """Give a score to settings of each kind; PB is calibrated when the first trial asks for it."""
    stations, members = bench.stations, bench.members

    @cache
    def water() -> tuple[Fluxes, Fluxes]:
        pb = once(PB, lambda: physics.calibrated(stations, members, preset.physics, preset.depth))
        every = np.tile(np.arange(len(stations)), (len(members), 1))
        rows, which = bench.judged
        _, told = physics.water(pb, at(stations.told, every))
        _, there = physics.water(_take(pb, which), at(stations.places, rows[:, None]))
        return told, there

    def guided(how: Network) -> float:
        told, there = water()
        return bench.error(train_fed(stations, members, how, told), there)

    return {DL: lambda how: bench.error(train_deep(stations, members, how)), FED: guided}


def _take(models: Any, which: np.ndarray) -> Any:
    return jax.tree.map(lambda x: x[which], models)


def _trials(table: Path, kind: str, best: int) -> Rows:
    """Give all trials, as the search has written them."""
    with table.open(encoding="utf-8", newline="") as file:
        every = list(csv.DictReader(file))
    typed = ({k: _TYPES.get(k, str)(v) if v else None for k, v in one.items()} for one in every)
    return [
        {"model": kind, "is_best": one["trial"] == best, "rmse": one.pop("score"), **one}
        for one in typed
    ]


def _words(who: Deciding, found: Mapping[str, Found], how: Tuning) -> list[str]:
    best = "; ".join(
        f"{kind} {', '.join(f'{name} {value:.4g}' for name, value in one.values.items())} (RMSE "
        f"{one.score:.4f} there)"
        for kind, one in found.items()
    )
    return [
        f"Settings are the best of {how.trials} trials each, seed {how.seed}, at "
        f"{len(who.spare)} sites that were thinned away and {len(who.apart)} that were set apart: "
        f"{best}. None of these sites is tested; those set apart are in training folds. Sites that "
        "are tested have trained the trials, and judged none."
    ]
