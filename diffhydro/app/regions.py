"""`diffhydro regions`: cluster places that are alike, judge the clusters, draw them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from diffhydro.atomic import whole
from diffhydro.data.readers.cf.reader import read_cf
from diffhydro.data.regions import (
    Bounds,
    Choose,
    Judgement,
    Regions,
    Search,
    climate_shares,
    cluster,
    features_of,
    judge_regions,
    plot_regions,
)
from diffhydro.data.regions.features import Features
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure

if TYPE_CHECKING:
    import xarray as xr

# The ten of Xi & Zhuang 2026.
FEATURES = (
    "precipitation",
    "shortwave",
    "temperature",
    "vapour_pressure",
    "leaf_area",
    "elevation",
    "sand",
    "silt",
    "clay",
    "is_wetland",
)
_LEAST_DAYS = 60


def run(
    cells: Path,
    out: Path,
    *,
    sites: Path | None,
    into: int | None,
    most_clusters: int,
    names: tuple[str, ...],
    least_sites: int,
    starts: int,
    seed: int,
    workers: int,
) -> None:
    """Cluster, and write regions.json, report.json and regions.png into `out`."""
    blank_figure((1.0, 1.0))  # a missing library is said before the work, not after it
    console = Console(stderr=True)
    places = read_cf(cells)
    chosen = names or tuple(name for name in FEATURES if name in places)
    if not chosen:
        raise InputError(f"{cells} has none of {', '.join(FEATURES)}; name others by --features")
    stations = read_cf(sites) if sites is not None else None
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console,
        transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("features", total=None)
        at_places = features_of(places, chosen)
        at_sites = features_of(stations, chosen) if stations is not None else None
        bar.update(task, description="clusters")
        regions = cluster(
            at_places,
            into=into,
            choose=None if into else Choose(counts=range(2, most_clusters + 1), starts=starts),
            sites=at_sites,
            bounds=Bounds(least=least_sites) if at_sites is not None else None,
            starts=starts,
            search=Search(
                seed=seed,
                workers=workers,
                progress=lambda what, done, of: bar.update(
                    task, description=what, completed=done, total=of
                ),
            ),
        )
    shares = _shares(places, at_places, regions)
    judgement = _judged(stations if stations is not None else places, regions)
    out.mkdir(parents=True, exist_ok=True)
    regions.save(out / "regions.json")
    with whole(out / "report.json") as part:
        told = _report(regions, judgement, chosen)
        part.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    plot_regions(regions, at_places, out / "regions.png", sites=at_sites, climate=shares)
    _show(console, regions, judgement, out)


def _shares(places: "xr.Dataset", features: Features, regions: Regions) -> np.ndarray | None:
    if "climate" not in places or "site" not in places["climate"].dims:
        return None
    assert features.latitude is not None
    weight = np.cos(np.radians(features.latitude))
    return climate_shares(regions.labels, places["climate"].values, len(regions), weight)


def _judged(stations: "xr.Dataset", regions: Regions) -> Judgement | None:
    """Ask whether soil moisture of sites is more alike inside a region than overall."""
    if "soil_moisture" not in stations or "site" not in stations.dims:
        return None
    found = stations["soil_moisture"]
    found = found.isel(depth=0) if "depth" in found.dims else found
    series = found.transpose("site", "time").values
    enough = np.isfinite(series).sum(axis=1) >= _LEAST_DAYS
    labels = regions.site_labels[enough]
    if len(np.unique(labels)) < 2 or enough.sum() < len(np.unique(labels)) + 2:
        return None
    return judge_regions(series[enough], labels, _LEAST_DAYS)


def _report(regions: Regions, judgement: Judgement | None, names: tuple[str, ...]) -> dict:
    told = {
        "clusters": len(regions),
        "features": list(names),
        "places": regions.sizes.tolist(),
        "sites": regions.site_sizes.tolist(),
        "silhouette": regions.silhouette,
        "silhouette_standard_error": regions.silhouette_error,
    }
    if judgement is not None:
        of_means, of_deviations = judgement.of_means, judgement.of_deviations
        told |= {
            "correlation_inside": judgement.coherence.inside,
            "correlation_overall": judgement.coherence.overall,
            "anova_of_site_means": {"F": of_means.f, "p": of_means.p},
            "anova_of_site_deviations": {"F": of_deviations.f, "p": of_deviations.p},
        }
    return told


def _show(console: Console, regions: Regions, judgement: Judgement | None, out: Path) -> None:
    table = Table("mean of", *map(str, range(len(regions))), title="regions", box=None)
    table.add_row("places", *map(str, regions.sizes))
    table.add_row("sites", *map(str, regions.site_sizes))
    means = np.round(regions.centres * regions.scale + regions.mean, 9) + 0.0
    for name, row in zip(regions.names, means.T, strict=True):
        unit = f", {VARIABLES[name].unit}" if name in VARIABLES else ""
        table.add_row(f"{name}{unit}", *(f"{x:.3g}" for x in row))
    console.print(table)
    console.print(f"mean silhouette {regions.silhouette:.3f}")
    if judgement is not None:
        coherence = judgement.coherence
        console.print(
            f"correlation of sites inside a region {coherence.inside:.2f}, over all pairs "
            f"{coherence.overall:.2f}; ANOVA of site means F = {judgement.of_means.f:.1f} "
            f"(p = {judgement.of_means.p:.1e}), of deviations F = {judgement.of_deviations.f:.1f} "
            f"(p = {judgement.of_deviations.p:.1e})"
        )
    console.print(f"wrote {out}/regions.json, report.json and regions.png")
