"""Figures 2 to 6 of the sheet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.regions import Features, climate_shares, plot_regions
from diffhydro.evaluation import strata
from diffhydro.evaluation.figures import draw_boxes, draw_map, draw_series
from diffhydro.picture import COLOURS, blank_figure, save
from experiments.global_pgdl.ground.folds import LEFT_OUT, Member
from experiments.global_pgdl.ground.regions import Found
from experiments.global_pgdl.judged.globe import Globe
from experiments.global_pgdl.judged.representative import HONEST, PUBLISHED
from experiments.global_pgdl.judged.sites import Tested
from experiments.global_pgdl.learned.models import CONSERVING, DL, FED, PB

if TYPE_CHECKING:
    import xarray as xr

DRAWN = (PB, DL, FED, CONSERVING)
_RMSE, _R = "RMSE, m³ m⁻³", "Pearson's r"


def draw_regions(
    found: Found, cells: "xr.Dataset", at_cells: Features, at_sites: Features, target: Path
) -> Path:
    """Figures 2 and 3: clusters and sites on a map, and the main climates of each."""
    shares = None
    if "climate" in cells and at_cells.latitude is not None:
        weight = np.cos(np.radians(at_cells.latitude))
        codes = cells["climate"].values
        shares = climate_shares(found.regions.labels, codes, len(found.regions), weight)
    return plot_regions(found.regions, at_cells, target, sites=at_sites, climate=shares)


def draw_representative(
    found: Tested, rules: dict[str, dict[str, dict[int, int]]], rain: "xr.DataArray", target: Path
) -> Path:
    """Figure 4: series at the representative site of each region."""
    place = {int(fold): i for i, fold in enumerate(found.folds)}
    folds = list(dict.fromkeys(rules[PUBLISHED][FED].values()))
    at = [place[fold] for fold in folds][:4]
    names = tuple(str(found.observed["site"].values[i]) for i in at)
    models = {kind: found.moisture[kind] for kind in DRAWN}
    draw_series(
        found.observed, models, target, rain=rain, sites=names, label="soil moisture, m³ m⁻³"
    )
    return target


def draw_globe(globe: Globe, out: Path) -> list[Path]:
    """Figure 5: maps of scores with means over latitude, for PGDL and for DL."""
    made = []
    scores = globe.scores(is_masked=False)[HONEST]
    for kind in (DL, CONSERVING):
        for name, words in (("rmse", _RMSE), ("r", _R)):
            values = globe.satellite.isel(time=0, drop=True).copy(data=scores[kind][name])
            if not np.isfinite(values.values).any():
                continue
            limits = (0.0, 0.15) if name == "rmse" else (-0.2, 1.0)
            target = out / f"figure_5_{name}_{kind.replace(' ', '_')}.png"
            draw_map(values, target, label=f"{kind}: {words}", limits=limits)
            made.append(target)
    return made


def draw_climates(globe: Globe, codes: "xr.DataArray", target: Path) -> Path:
    """Figure 6: scores of cells by main climate."""
    scores = globe.scores(is_masked=False)[HONEST]
    like = globe.satellite.isel(time=0, drop=True)
    by = strata.climate(codes)
    values = {kind: like.copy(data=scores[kind]["rmse"]) for kind in DRAWN}
    draw_boxes(values, target, by=by.assign_coords(site=like["site"]), label=_RMSE)
    return target


def draw_scores(found: Tested, members: Sequence[Member], target: Path) -> Path:
    """Draw scores at the sites left out, by region."""
    import xarray as xr

    left = [i for i, fold in enumerate(found.folds) if members[fold].kind == LEFT_OUT]
    site = found.observed["site"].values[left]

    def named(values: np.ndarray | list[str]) -> xr.DataArray:
        return xr.DataArray(values, {"site": site}, ("site",))

    rmse = {kind: named(scores["rmse"][left]) for kind, scores in found.scores().items()}
    by = named([f"region {members[found.folds[i]].region}" for i in left])
    draw_boxes(rmse, target, by=by, label=_RMSE)
    return target


def draw_fewest(found: Found, target: Path) -> Path | None:
    """Draw skill against the number of sites."""
    if found.fewest is None:
        return None
    figure, context = blank_figure((5.0, 3.4))
    with context:
        axes = figure.subplots()
        error = -found.fewest.skill
        axes.errorbar(found.fewest.sizes, error, found.fewest.error, color=COLOURS[0], marker="o")
        axes.axvline(found.fewest.chosen, color=COLOURS[1], linestyle="--")
        axes.set_xlabel("sites")
        axes.set_ylabel("RMSE of the mean of the others, m³ m⁻³")
        save(figure, target)
    return target
