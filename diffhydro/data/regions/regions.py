"""Regions: places alike, found by k-means, as a value that can be kept and asked about new places.

Features are standardised by mean and standard deviation of the places given and of no others, so
that regions of a training fold know nothing of its test sites. A feature that is the same at all
places is divided by 1: it then moves a new place equally far from all centres and decides nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffhydro.data.regions.best import Bounds, best_start
from diffhydro.data.regions.features import Features
from diffhydro.data.regions.kmeans import Search, nearest
from diffhydro.data.regions.saved import read_json, write_json
from diffhydro.data.regions.votes import Choose, Scan, scan_counts
from diffhydro.data.scaling import Scaler
from diffhydro.errors import InputError


@dataclass(frozen=True, eq=False)
class Regions:
    """A partition of places into clusters.

    Clusters are numbered along the first feature: with precipitation there, from dry to wet.

    Args:
        names: Of the features, in the order of the columns below.
        mean: Of each feature over the places; `scale` likewise its standard deviation.
        centres: `[cluster, feature]`, standardised.
        labels: The cluster of every place that was clustered.
        sites: Names of the sites; where none were given, of the places.
        site_labels: The cluster of every site.
        silhouette: Mean over the places, with its standard error if not all were looked at.
        scan: What the number of clusters was chosen from, if it was.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    centres: np.ndarray
    labels: np.ndarray
    sites: tuple[str, ...]
    site_labels: np.ndarray
    silhouette: float
    silhouette_error: float
    scan: Scan | None = None

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def sizes(self) -> np.ndarray:
        """Count the places of each cluster."""
        return np.bincount(self.labels, minlength=len(self))

    @property
    def site_sizes(self) -> np.ndarray:
        """Count the sites of each cluster."""
        return np.bincount(self.site_labels, minlength=len(self))

    def sites_in(self, cluster: int) -> tuple[str, ...]:
        """Name the sites of a cluster."""
        return tuple(self.sites[i] for i in np.flatnonzero(self.site_labels == cluster))

    def standardised(self, places: Features) -> np.ndarray:
        """Give features of places as distances see them."""
        return (places.ordered(self.names) - self.mean) / self.scale

    def assign(self, places: Features) -> np.ndarray:
        """Give the cluster of any places: the one whose centre is nearest."""
        return nearest(self.standardised(places), self.centres).astype(np.int64)

    def save(self, target: Path) -> None:
        """Write as JSON, whole or not at all."""
        write_json(self, target)

    @staticmethod
    def load(source: Path) -> "Regions":
        """Read what `save` wrote."""
        return Regions(**read_json(source))


def cluster(
    features: Features,
    *,
    into: int | None = None,
    choose: Choose | None = None,
    sites: Features | None = None,
    bounds: Bounds | None = None,
    starts: int = 100,
    search: Search | None = None,
) -> Regions:
    """Cluster places by k-means into a number of clusters that is given or chosen.

    >>> values = np.array([[0.0, 1.0], [0.1, 1.1], [9.0, 5.0], [9.2, 5.1], [9.1, 5.2]])
    >>> regions = cluster(Features(values, ("precipitation", "leaf_area")), into=2, starts=3)
    >>> regions.labels, round(regions.silhouette, 2)
    (array([0, 0, 1, 1, 1]), 0.98)
    >>> regions.assign(Features(np.array([[1.0, 2.0]]), ("precipitation", "leaf_area")))
    array([0])

    Args:
        features: Of the places that are clustered: the cells of a map, or sites.
        into: The number of clusters; else `choose`.
        sites: Places that are only assigned; `bounds` counts them.
        starts: Among which the highest silhouette decides.
        search: How starts are made, on how many processes, and from which seed.
    """
    search = search or Search()
    if (into is None) == (choose is None):
        raise InputError("say either into how many clusters, or how to choose: into=, choose=")
    if starts < 1:
        raise InputError(f"{starts} starts; at least one is needed")
    scaler = Scaler.fit(dict(zip(features.names, features.values.T, strict=True)))
    points = scaler.transform(np.asarray(features.values, np.float64))
    counted = None
    if sites is not None:
        counted = scaler.transform(sites.ordered(features.names))
    scan = None if choose is None else scan_counts(points, counted, choose, search)
    k = into if choose is None or scan is None else choose.rule(scan)
    assert k is not None
    best = best_start(points, counted, k, starts, bounds or Bounds(), search)
    centres, labels = best.start.centres, best.start.labels.astype(np.int64)
    named = features if sites is None else sites
    return Regions(
        names=features.names,
        mean=np.asarray(scaler.offset),
        scale=np.asarray(scaler.scale),
        centres=centres,
        labels=labels,
        sites=_names(named),
        site_labels=labels if counted is None else nearest(counted, centres).astype(np.int64),
        silhouette=best.silhouette,
        silhouette_error=best.error,
        scan=scan,
    )


def _names(places: Features) -> tuple[str, ...]:
    return tuple(places.name_of(i) for i in range(len(places)))
