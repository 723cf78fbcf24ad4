"""Step 2: regions of the globe by k-means, and which of their stations are used."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.regions import (
    Bounds,
    Choose,
    Features,
    Fewest,
    Judgement,
    Regions,
    Search,
    cluster,
    features_of,
    fewest_sites,
    judge_regions,
    thin,
)
from diffhydro.data.regions.votes import Scan, scan_counts
from diffhydro.data.scaling import Scaler
from diffhydro.errors import InputError
from experiments.global_pgdl.ground.places import STATIC, WEATHER
from experiments.global_pgdl.preset import Clustering

if TYPE_CHECKING:
    import xarray as xr

FEATURES = (*WEATHER, *STATIC)
_LEAST = 200  # days that the series of two sites share


@dataclass(frozen=True, eq=False)
class Found:
    """Regions and how they came about.

    Args:
        kept: Rows of the stations that are used, after thinning.
        refused: Numbers of clusters with more votes, which left a cluster with too few sites.
        fewest: Skill against the number of sites.
    """

    regions: Regions
    scan: Scan
    kept: np.ndarray
    refused: tuple[int, ...]
    fewest: Fewest | None
    judgement: Judgement | None


def find_regions(cells: "xr.Dataset", stations: "xr.Dataset", how: Clustering, seed: int) -> Found:
    """Cluster the cells: how many, how few sites, which start, and is it good."""
    places, sites = features_of(cells, FEATURES), features_of(stations, FEATURES)
    search = Search(seed=seed, workers=how.workers)
    scan = _scan(places, sites, how, search)
    regions, refused = _most_voted_that_fits(places, sites, how, search, scan)
    series = np.asarray(stations["soil_moisture"].transpose("site", "time").values, np.float64)
    used = _largest(regions, how.tested)
    kept = thin(regions, sites, how.most_sites, seed=seed)
    kept = kept[np.isin(regions.site_labels[kept], used)]
    most = min(15, len(series) - 1)
    fewest = None
    if most >= 6:
        fewest = fewest_sites(series, sizes=range(3, most + 1), least=_LEAST, seed=seed)
    several = len(np.unique(regions.site_labels)) > 1
    judged = judge_regions(series, regions.site_labels, _LEAST) if several else None
    return Found(regions, scan, kept, refused, fewest, judged)


def _scan(places: Features, sites: Features, how: Clustering, search: Search) -> Scan:
    scaler = Scaler.fit(dict(zip(places.names, places.values.T, strict=True)))
    points, counted = (scaler.transform(x.ordered(places.names)) for x in (places, sites))
    fewest, most = how.counts
    return scan_counts(
        points, counted, Choose(counts=range(fewest, most + 1), starts=how.votes), search
    )


def _most_voted_that_fits(
    places: Features, sites: Features, how: Clustering, search: Search, scan: Scan
) -> tuple[Regions, tuple[int, ...]]:
    """Take the number of clusters with most votes that leaves each enough sites."""
    refused: list[int] = []
    order = np.argsort(-scan.votes, kind="stable")
    reason = ""
    for column in order:
        if scan.votes[column] == 0 and len(refused) and not _could_fit(scan, column, how):
            continue
        count = scan.counts[column]
        try:
            bounds = Bounds(least=how.least_sites)
            made = cluster(
                places, into=count, sites=sites, bounds=bounds, starts=how.starts, search=search
            )
        except InputError as error:
            refused.append(count)
            reason = str(error)
            continue
        return made, tuple(refused)
    raise InputError(
        f"{len(sites)} stations cannot give {how.least_sites} to each of {how.counts[0]} to "
        f"{how.counts[1]} clusters ({reason}). Ask for fewer sites (clustering.least_sites) or "
        "fewer clusters (clustering.counts)"
    )


def _could_fit(scan: Scan, column: int, how: Clustering) -> bool:
    return bool((scan.smallest[:, column] >= how.least_sites).any())


def _largest(regions: Regions, number: int | None) -> np.ndarray:
    """Give the clusters with most sites; all that have any, if no number is given."""
    order = np.argsort(-regions.site_sizes, kind="stable")
    some = order[regions.site_sizes[order] > 0]
    return np.sort(some[:number])
