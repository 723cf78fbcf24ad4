"""All steps in their order: places, folds, PB, networks, free runs, scores."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.core.ensembles import member as member_of
from diffhydro.data.start_windows import StartWindows
from diffhydro.evaluation.baselines import BoostedTrees, WeatherSums
from diffhydro.evaluation.figures import draw_boxes, draw_series
from experiments.global_pgdl.learned.once import Once
from experiments.global_pgdl.outcome import Outcome
from experiments.global_pgdl.preset import Preset
from experiments.global_pgdl.real.bench import Bench
from experiments.global_pgdl.real.checks import Checked, checked
from experiments.global_pgdl.real.kept import keep
from experiments.global_pgdl.real.members import Member, members
from experiments.global_pgdl.real.networks import FED, GUIDED, kinds
from experiments.global_pgdl.real.physics import PB, calibrated, water
from experiments.global_pgdl.real.places import FORCING, OBSERVED, TEXTURE, with_start
from experiments.global_pgdl.real.scores import (
    Found,
    by_station,
    claims,
    found_of,
    medians,
    rmse_by_station,
)
from experiments.global_pgdl.real.settings import Start
from experiments.global_pgdl.told.tables import write
from experiments.global_pgdl.told.written import write_scores

if TYPE_CHECKING:
    import xarray as xr

TREES, LEVELLED = "boosted trees", "PB at the level of the start window"


def study(preset: Preset, given: "xr.Dataset", out: Path, report: Callable[[str], None]) -> Outcome:
    """Go through all steps, with the stations there; models go into `out` too."""
    how = preset.stations
    assert how is not None
    out.mkdir(parents=True, exist_ok=True)
    sites, without = with_start(given, how.start)
    folds = members(sites, how.folds)
    report(f"physics, for {len(folds) - 1} folds of {sites.sizes['site']} stations")
    series = {name: sites[name].values for name in FORCING}
    texture = {name: sites[name].values for name in TEXTURE}
    seen = sites[OBSERVED].values
    learning = [(one.fold, *one.train, -1, *one.test) for one in folds]
    once = Once.of(out, preset, learning, seen, *series.values(), *texture.values())
    pb = once(PB, lambda: calibrated(series, seen, texture, folds, how.physics, preset.depth))
    each = [water(member_of(pb, i), series) for i in range(len(folds))]
    held = {name: np.stack([one[name] for one in each]) for name in each[0]}
    bench = Bench(sites, folds, how.start, pb, held)
    said: dict[str, np.ndarray] = {"PB": _of_tests(folds, held[PB])}
    said[LEVELLED] = at_level(sites, how.start, said["PB"])
    trained: dict[str, list[Any]] = {}
    for kind in kinds(how):
        report(f"{kind.name}, {len(preset.seeds)} of each fold")
        trained[kind.name] = [
            once(f"{kind.name}-{seed}", partial(bench.train, kind, seed)) for seed in preset.seeds
        ]
        runs = [bench.tested(kind, one) for one in trained[kind.name]]
        said[kind.name] = np.mean(runs, axis=0)
    report("gradients and water")
    right = checked(bench, {kind: trained[kind.name][0] for kind in kinds(how)})
    keep(bench, trained, preset, out)
    report(TREES)
    said[TREES] = _trees(sites, folds, how.trees)
    return _outcome(found_of(sites, how, said), sites, without, right, out)


def _of_tests(folds: tuple[Member, ...], each: np.ndarray) -> np.ndarray:
    """Take of `[member, site, time]` what each fold says of its test sites."""
    found = np.empty(each.shape[1:], each.dtype)
    for number, one in enumerate(folds):
        found[one.test] = each[number][one.test]
    return found


def at_level(sites: "xr.Dataset", start: Start, said: np.ndarray) -> np.ndarray:
    """Move series to the mean of their start windows: what a model gains without any learning."""
    windows = StartWindows(OBSERVED, (PB,), start.days, start.least)
    data = sites[[OBSERVED]].assign({PB: (("site", "time"), said)})
    told = windows.describe(data, windows.first(data))
    off = told[f"start_{OBSERVED}_mean"] - told[f"start_{PB}"]
    return said + off[:, None]


def _trees(sites: "xr.Dataset", folds: tuple[Member, ...], trees: int) -> np.ndarray:
    """Grow trees on weather sums and texture, without soil moisture, for each fold."""
    law = BoostedTrees(WeatherSums(TEXTURE), depth=None, trees=trees)
    found = np.empty(sites[OBSERVED].shape, np.float32)
    for one in folds:
        if len(one.test):
            grown = law.fit(sites.isel(site=one.train))
            found[one.test] = grown.predict(sites.isel(site=one.test)).values
    return found


def _outcome(
    found: Found, sites: "xr.Dataset", without: tuple[str, ...], right: Checked, out: Path
) -> Outcome:
    scores = found.scores()
    rows = medians(scores)
    tables = {
        "medians": rows,
        "checks": right.rows(),
        "rmse_by_station": rmse_by_station(scores),
        "stations": by_station(scores),
    }
    write(tables, out)
    found.write(out / "series.nc")
    write_scores(found.predicted, found.observed, out)
    folder = out / "figures"
    folder.mkdir(exist_ok=True)
    figures = [folder / f"{name}.png" for name in ("errors", "correlation", "series")]
    draw_boxes({n: one["rmse"] for n, one in scores.items()}, figures[0], label="RMSE, m³ m⁻³")
    draw_boxes({n: one["r"] for n, one in scores.items()}, figures[1], label="Pearson's r")
    best = GUIDED if GUIDED in scores else FED
    chosen = _spread(scores[best]["rmse"])
    drawn = {name: found.predicted[name] for name in ("PB", best)}
    rain = sites["precipitation"].sel(time=found.observed["time"])
    draw_series(
        found.observed, drawn, figures[2], rain=rain, sites=chosen, label="soil moisture, m³ m⁻³"
    )
    return Outcome(tables, figures, claims(rows) | right.claims(), _words(found, without))


def _spread(error: "xr.DataArray") -> tuple[str, ...]:
    """Name the sites with the least error, at a third, at two thirds, and with the largest."""
    order = error["site"].values[np.argsort(error.values)]
    at = np.unique(np.linspace(0, len(order) - 1, 4).round().astype(int))
    return tuple(str(order[i]) for i in at)


def _words(found: Found, without: tuple[str, ...]) -> list[str]:
    days = int(found.observed.notnull().sum())
    return [
        f"{days} station-days are judged, all after the start window of their station. No value "
        "was screened out.",
        f"Left out, for they have no start window: {', '.join(without) or 'none'}.",
        "A model is told the weather of a station, the texture of a map, and what was observed in "
        "its start window; it then runs freely to the end. It has learned from other stations "
        "only, and not from one a few kilometres off. The trees are told no soil moisture.",
        "Models that learned from all stations are in models/.",
    ]
