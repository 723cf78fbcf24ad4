"""Steps 8 to 10: what the models say where they have not learned, and whether it can be trusted."""

from dataclasses import dataclass

import numpy as np

from experiments.global_pgdl.ground.lay import Ground
from experiments.global_pgdl.ground.places import Places
from experiments.global_pgdl.judged.balance import Water, balances
from experiments.global_pgdl.judged.globe import Globe, predicted, satellite_of, start_of_cells
from experiments.global_pgdl.judged.gradients import gradient_errors
from experiments.global_pgdl.judged.representative import chosen
from experiments.global_pgdl.judged.sites import Tested, tested
from experiments.global_pgdl.learned.models import Models
from experiments.global_pgdl.outcome import Clock
from experiments.global_pgdl.preset import Preset

Rules = dict[str, dict[str, dict[int, int]]]  # by rule, kind and region: the model that stands


@dataclass(frozen=True, eq=False)
class Judged:
    """What came out.

    Args:
        water: Of models that have stores.
        gradients: How far they are off, relatively.
        rules: Which model stands for a region.
        globe: None where there are no cells, or none are asked for.
    """

    at_sites: Tested
    water: dict[str, Water]
    gradients: dict[str, float]
    rules: Rules
    globe: Globe | None


def judge(preset: Preset, ground: Ground, models: Models, clock: Clock) -> Judged:
    """Leave sites out, look at water and gradients, and predict every cell."""
    clock("leaving sites out")
    stations, folds = ground.stations, ground.folds
    at_sites = tested(models, stations, folds, preset.look_back)
    water = balances(models, stations, at_sites, preset.look_back)
    clock("gradients")
    slopes = gradient_errors(models, stations, folds[0])
    rules = chosen(folds, at_sites, preset.seeds[0])
    globe = None
    if preset.globe and ground.earth.satellite is not None:
        clock("predicting every cell")
        globe = _globe(preset, ground, models, rules)
    return Judged(at_sites, water, slopes, rules, globe)


def _globe(preset: Preset, ground: Ground, models: Models, rules: Rules) -> Globe:
    earth, regions = ground.earth, ground.found.regions
    assert earth.cells is not None
    assert earth.satellite is not None
    cells = Places.of(earth.cells, preset.first)
    is_water = np.asarray(cells.inputs.attributes["is_wetland"]) > 0.5
    seen, sure = satellite_of(earth.satellite, cells.times, is_water)
    covered = set(next(iter(rules.values()))["PB"])
    used = np.flatnonzero(np.isin(regions.labels, list(covered)))
    start = start_of_cells(seen[used], cells.first, preset.look_back)
    labels = regions.labels[used]
    return predicted(models, rules, cells.take(used), labels, seen[used], sure[used], start)
