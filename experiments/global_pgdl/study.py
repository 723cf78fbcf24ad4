"""Study A from the first step to the last."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.atomic import whole
from diffhydro.data.regions import features_of
from diffhydro.training.search.store import optuna
from experiments.global_pgdl import figures, tables
from experiments.global_pgdl.balance import Water, balances
from experiments.global_pgdl.checks import claims
from experiments.global_pgdl.earth import Earth
from experiments.global_pgdl.folds import LEFT_OUT, Member, how_mixed, members
from experiments.global_pgdl.globe import Globe, predicted, satellite_of, start_of_cells
from experiments.global_pgdl.gradients import gradient_errors
from experiments.global_pgdl.mixing import climates_of
from experiments.global_pgdl.models import Models, train
from experiments.global_pgdl.places import Places, Stations
from experiments.global_pgdl.preset import Preset
from experiments.global_pgdl.regions import FEATURES, Found, find_regions
from experiments.global_pgdl.representative import HONEST, chosen
from experiments.global_pgdl.screening import at_depth, prepared, screened
from experiments.global_pgdl.sites import Tested, series, tested
from experiments.global_pgdl.tuning import tuned, who_decides
from experiments.global_pgdl.written import write_scores

_NEAR = 300.0  # km within which stations count as neighbours
_EARTH = 6371.0  # km


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Args:
        tables: Rows by name; also `<name>.csv`.
        checks: Claims, and whether they hold.
        words: What to know beside the numbers.
    """

    tables: dict[str, list[dict[str, Any]]]
    figures: list[Path]
    checks: dict[str, bool]
    words: list[str] = field(default_factory=list)


def study(preset: Preset, earth: Earth, out: Path, clock: "Clock") -> Outcome:
    """Go through all steps, with the data there."""
    out.mkdir(parents=True, exist_ok=True)
    if preset.tuning is not None:
        optuna()  # whoever lacks it is told before hours of work
    clock("screening stations")
    there = at_depth(earth.stations, preset.depth)
    kept, verdicts = screened(there, preset.screening, preset.first)
    counted = kept.sel(time=slice(preset.first, None))
    clock(f"regions, from {kept.sizes['site']} of {len(verdicts)} stations")
    cells = None if earth.cells is None else earth.cells.sel(time=slice(preset.first, None))
    found = find_regions(counted if cells is None else cells, counted, preset.clustering, 0)
    stations = prepared(kept.isel(site=found.kept), preset.first, preset.cell, seed=0)
    labels = found.regions.site_labels[found.kept]
    who = who_decides(kept, found, preset)
    folds = members(
        stations, labels, seeds=preset.seeds, mixed=preset.mixed,
        climates=climates_of(kept)[found.kept],
        untested=np.flatnonzero(np.isin(found.kept, who.apart)),
    )  # fmt: skip
    best = tuned(preset, kept, found, who, out, clock)
    preset = best.preset
    models = train(stations, folds, preset, out, clock)
    clock("leaving sites out")
    at_sites = tested(models, stations, folds, preset.look_back)
    water = balances(models, stations, at_sites, preset.look_back)
    clock("gradients")
    slopes = gradient_errors(models, stations, folds[0])
    rules = chosen(folds, at_sites, preset.seeds[0])
    globe = None
    if preset.globe and earth.satellite is not None:
        clock("predicting every cell")
        globe = _globe(preset, earth, found, models, rules)
    clock("tables and figures")
    made = _tables(preset, found, stations, labels, folds, at_sites, water, rules, globe)
    (out / "figures").mkdir(exist_ok=True)
    drawn = _figures(
        out / "figures", earth, found, counted, stations, folds, at_sites, rules, globe
    )
    clock("done")
    made["gradients"] = [{"model": name, "off_by": x} for name, x in slopes.items()]
    made |= {"tuning": best.rows} if best.rows else {}
    made["time"] = clock.rows()
    tables.write(made, out)
    left = [
        folds[i].kind == "left out" and folds[i].seed == preset.seeds[0] for i in at_sites.folds
    ]
    said = {name: x[left] for name, x in at_sites.moisture.items()}
    write_scores(said, at_sites.observed[left], out)
    held = claims(made, HONEST)
    with whole(out / "checks.json") as part:
        part.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    words = [*_words(preset, verdicts, found, stations), *how_mixed(folds), *best.words]
    return Outcome(made, drawn, held, words)


def _globe(
    preset: Preset,
    earth: Earth,
    found: Found,
    models: Models,
    rules: dict[str, dict[str, dict[int, int]]],
) -> Globe:
    assert earth.cells is not None
    assert earth.satellite is not None
    cells = Places.of(earth.cells, preset.first)
    is_water = np.asarray(cells.inputs.attributes["is_wetland"]) > 0.5
    seen, sure = satellite_of(earth.satellite, cells.times, is_water)
    covered = set(next(iter(rules.values()))["PB"])
    used = np.flatnonzero(np.isin(found.regions.labels, list(covered)))
    start = start_of_cells(seen[used], cells.first, preset.look_back)
    labels = found.regions.labels[used]
    return predicted(models, rules, cells.take(used), labels, seen[used], sure[used], start)


def _tables(
    preset: Preset,
    found: Found,
    stations: Stations,
    labels: np.ndarray,
    folds: tuple[Member, ...],
    at_sites: Tested,
    water: dict[str, Water],
    rules: dict[str, dict[str, dict[int, int]]],
    globe: Globe | None,
) -> dict[str, tables.Rows]:
    trace = preset.coupling.trace
    cells = None if globe is None else globe.wet_days(trace)
    left = np.array([folds[i].kind == LEFT_OUT for i in at_sites.folds])
    days = {name: x[left] for name, x in at_sites.wet_days(trace).items()}
    return {
        "table_1_regions": tables.table_regions(found, labels),
        "table_2_sites": tables.table_sites(at_sites, folds),
        "table_3_representative": tables.table_representative(
            at_sites, rules, stations.places.names
        ),
        "table_4_globe": [] if globe is None else tables.table_globe(globe),
        "table_5_mixing": tables.table_mixing(at_sites, folds),
        "table_6_violations": tables.table_violations(days, cells, water, left),
        "consistency": tables.table_consistency(found),
        "fewest_sites": tables.table_fewest(found),
        "density": tables.table_density(at_sites, folds, _neighbours(stations.places)),
    }


def _figures(
    out: Path,
    earth: Earth,
    found: Found,
    counted: Any,
    stations: Stations,
    folds: tuple[Member, ...],
    at_sites: Tested,
    rules: dict[str, dict[str, dict[int, int]]],
    globe: Globe | None,
) -> list[Path]:
    cells = counted if earth.cells is None else earth.cells
    inside, outside = features_of(counted, FEATURES), features_of(cells, FEATURES)
    first = stations.places.first
    rain = stations.places.inputs.series["precipitation"][at_sites.rows, first:]
    like = at_sites.observed
    fall = series(rain, like["site"].values, like["time"].values)
    drawn = [
        figures.draw_regions(found, cells, outside, inside, out / "figure_2_3_regions.png"),
        figures.draw_representative(at_sites, rules, fall, out / "figure_4_series.png"),
        figures.draw_scores(at_sites, folds, out / "scores_at_sites.png"),
        figures.draw_fewest(found, out / "fewest_sites.png"),
    ]
    if globe is not None and earth.cells is not None:
        drawn += figures.draw_globe(globe, out)
        used = np.isin(earth.cells["site"].values.astype(str), globe.cells.names)
        codes = earth.cells["climate"].isel(site=used)
        drawn.append(figures.draw_climates(globe, codes, out / "figure_6_climates.png"))
    return [path for path in drawn if path is not None]


def _neighbours(places: Places) -> np.ndarray:
    """Count other stations near each."""
    latitude, longitude = np.radians(places.latitude), np.radians(places.longitude)
    cosine = np.sin(latitude)[:, None] * np.sin(latitude) + np.cos(latitude)[:, None] * np.cos(
        latitude
    ) * np.cos(longitude[:, None] - longitude)
    distance = _EARTH * np.arccos(np.clip(cosine, -1.0, 1.0))
    return (distance < _NEAR).sum(axis=1) - 1


def _words(preset: Preset, verdicts: Any, found: Found, stations: Stations) -> list[str]:
    kept = sum(one.is_kept for one in verdicts)
    return [
        f"{kept} of {len(verdicts)} stations pass the screening, {len(stations)} are used after "
        f"thinning to {preset.clustering.most_sites} in a region.",
        f"{len(found.regions)} regions; seeds {', '.join(map(str, preset.seeds))}; leave one site "
        f"out; scored from the day after the first {preset.look_back} observations.",
        "Numbers of clusters that won votes but left a cluster with too few sites: "
        f"{', '.join(map(str, found.refused)) or 'none'}.",
    ]


class Clock:
    """Tells what is done, and remembers how long it took."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._marks: list[tuple[str, float]] = []

    def __call__(self, words: str) -> None:
        self._marks.append((words, time.perf_counter()))
        self._report(words)

    def rows(self) -> tables.Rows:
        """Give seconds by step."""
        pairs = zip(self._marks, self._marks[1:], strict=False)
        return [{"step": words, "seconds": round(end - at, 1)} for (words, at), (_, end) in pairs]
