"""Step 3, mixed: as many training sites from elsewhere, which a region is held against.

The sheet mixes regions of the same climate: sites of other regions whose main Köppen class is that
of the test site. Where these are too few, or no climate is known, sites of all regions are drawn.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diffhydro.data.places import Places as Spots
from diffhydro.data.regions.koppen import main_classes
from diffhydro.data.splits.twins import TWINS
from experiments.global_pgdl.ground.places import Places

if TYPE_CHECKING:
    import xarray as xr

SAME_CLIMATE, ALL_REGIONS = "other regions, same climate", "all regions"
_NEAR = 0.05  # degrees


class Drawn(NamedTuple):
    """Training sites, and by which rule they were drawn."""

    rows: np.ndarray
    rule: str


def climates_of(stations: "xr.Dataset") -> np.ndarray:
    """Give the main class of every station, −1 where it is not known."""
    if "climate" not in stations:
        return np.full(stations.sizes["site"], -1)
    return main_classes(stations["climate"].values)


def drawn(
    places: Places,
    labels: np.ndarray,
    climates: np.ndarray,
    test: np.ndarray,
    count: int,
    seed: int,
) -> Drawn:
    """Draw training sites, of regions alike, without the test site and its twins.

    Args:
        labels: The region of each site.
        climates: The main class of each, −1 where it is not known.
        count: Sites that are wanted.
    """
    free = _away(places, test)
    rng = np.random.default_rng([seed, int(test[0])])
    climate, region = climates[test[0]], labels[test[0]]
    same = free[(climates[free] == climate) & (labels[free] != region)]
    if climate >= 0 and len(same) >= count:
        return Drawn(
            _alike(rng, same, np.bincount(labels[same])[labels[same]], count), SAME_CLIMATE
        )
    return Drawn(_alike(rng, free, np.bincount(labels)[labels[free]], count), ALL_REGIONS)


def _away(places: Places, test: np.ndarray) -> np.ndarray:
    """Give the sites that are not the test site, nor near it."""
    near = np.abs(places.latitude - places.latitude[test[0]]) < _NEAR
    near &= np.abs(places.longitude - places.longitude[test[0]]) < _NEAR
    group = TWINS.groups(Spots(tuple(places.names), places.latitude, places.longitude))
    near |= np.isin(group, group[test])
    return np.setdiff1d(np.flatnonzero(~near), test)


def _alike(rng: np.random.Generator, rows: np.ndarray, size: np.ndarray, count: int) -> np.ndarray:
    """Draw sites whose regions have `size` of them, so that regions are drawn alike."""
    weight = 1.0 / size
    return np.sort(rng.choice(rows, count, replace=False, p=weight / weight.sum()))
