"""Step 11: tables, figures, claims and words of a run, in its folder."""

import json
from pathlib import Path

import numpy as np

from diffhydro.atomic import whole
from diffhydro.data.regions import features_of
from experiments.global_pgdl.ground.folds import LEFT_OUT, how_mixed
from experiments.global_pgdl.ground.lay import Ground
from experiments.global_pgdl.ground.places import Places, series
from experiments.global_pgdl.ground.regions import FEATURES
from experiments.global_pgdl.judged.judge import Judged
from experiments.global_pgdl.judged.representative import HONEST
from experiments.global_pgdl.learned.tuning import Tuned
from experiments.global_pgdl.outcome import Clock, Outcome
from experiments.global_pgdl.preset import Preset
from experiments.global_pgdl.told import figures, tables
from experiments.global_pgdl.told.checks import claims
from experiments.global_pgdl.told.written import write_scores

_NEAR = 300.0  # km within which stations count as neighbours
_EARTH = 6371.0  # km


def tell(best: Tuned, ground: Ground, judged: Judged, out: Path, clock: Clock) -> Outcome:
    """Write all that a run leaves beside its models."""
    preset = best.preset
    clock("tables and figures")
    made = _tables(preset, ground, judged)
    folder = out / "figures"
    folder.mkdir(exist_ok=True)
    drawn = _figures(ground, judged, folder)
    clock("done")
    made |= {"tuning": best.rows} if best.rows else {}
    made["time"] = clock.rows()
    tables.write(made, out)
    _write_scores(preset, ground, judged, out)
    held = claims(made, HONEST)
    with whole(out / "checks.json") as part:
        part.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    words = [*_words(preset, ground), *how_mixed(ground.folds), *best.words]
    return Outcome(made, drawn, held, words)


def _tables(preset: Preset, ground: Ground, judged: Judged) -> dict[str, tables.Rows]:
    found, folds, stations = ground.found, ground.folds, ground.stations
    at_sites, rules, globe = judged.at_sites, judged.rules, judged.globe
    trace = preset.coupling.trace
    cells = None if globe is None else globe.wet_days(trace)
    left = np.array([folds[i].kind == LEFT_OUT for i in at_sites.folds])
    days = {name: x[left] for name, x in at_sites.wet_days(trace).items()}
    return {
        "table_1_regions": tables.table_regions(found, ground.labels),
        "table_2_sites": tables.table_sites(at_sites, folds),
        "table_3_representative": tables.table_representative(
            at_sites, rules, stations.places.names
        ),
        "table_4_globe": [] if globe is None else tables.table_globe(globe),
        "table_5_mixing": tables.table_mixing(at_sites, folds),
        "table_6_violations": tables.table_violations(days, cells, judged.water, left),
        "consistency": tables.table_consistency(found),
        "fewest_sites": tables.table_fewest(found),
        "density": tables.table_density(at_sites, folds, _neighbours(stations.places)),
        "gradients": [{"model": name, "off_by": x} for name, x in judged.gradients.items()],
    }


def _figures(ground: Ground, judged: Judged, out: Path) -> list[Path]:
    found, at_sites, cells = ground.found, judged.at_sites, ground.cells
    inside, outside = features_of(ground.counted, FEATURES), features_of(cells, FEATURES)
    places = ground.stations.places
    rain = places.inputs.series["precipitation"][at_sites.rows, places.first :]
    like = at_sites.observed
    fall = series(rain, like["site"].values, like["time"].values)
    drawn = [
        figures.draw_regions(found, cells, outside, inside, out / "figure_2_3_regions.png"),
        figures.draw_representative(at_sites, judged.rules, fall, out / "figure_4_series.png"),
        figures.draw_scores(at_sites, ground.folds, out / "scores_at_sites.png"),
        figures.draw_fewest(found, out / "fewest_sites.png"),
    ]
    if judged.globe is not None:
        drawn += figures.draw_globe(judged.globe, out)
        used = np.isin(cells["site"].values.astype(str), judged.globe.cells.names)
        codes = cells["climate"].isel(site=used)
        drawn.append(figures.draw_climates(judged.globe, codes, out / "figure_6_climates.png"))
    return [path for path in drawn if path is not None]


def _write_scores(preset: Preset, ground: Ground, judged: Judged, out: Path) -> None:
    """Write those of every site left out, of the first seed."""
    at_sites = judged.at_sites
    folds = [ground.folds[i] for i in at_sites.folds]
    left = [one.kind == LEFT_OUT and one.seed == preset.seeds[0] for one in folds]
    said = {name: x[left] for name, x in at_sites.moisture.items()}
    write_scores(said, at_sites.observed[left], out)


def _neighbours(places: Places) -> np.ndarray:
    """Count other stations near each."""
    latitude, longitude = np.radians(places.latitude), np.radians(places.longitude)
    cosine = np.sin(latitude)[:, None] * np.sin(latitude) + np.cos(latitude)[:, None] * np.cos(
        latitude
    ) * np.cos(longitude[:, None] - longitude)
    distance = _EARTH * np.arccos(np.clip(cosine, -1.0, 1.0))
    return (distance < _NEAR).sum(axis=1) - 1


def _words(preset: Preset, ground: Ground) -> list[str]:
    found = ground.found
    return [
        f"{ground.kept.sizes['site']} of {ground.asked} stations pass the screening, "
        f"{len(ground.stations)} are used after thinning to {preset.clustering.most_sites} in a "
        "region.",
        f"{len(found.regions)} regions; seeds {', '.join(map(str, preset.seeds))}; leave one site "
        f"out; scored from the day after the first {preset.look_back} observations.",
        "Numbers of clusters that won votes but left a cluster with too few sites: "
        f"{', '.join(map(str, found.refused)) or 'none'}.",
    ]
