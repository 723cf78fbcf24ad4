"""Splits that test in regions unseen: one after the other is left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from diffhydro.data.continents import continents
from diffhydro.data.places import Places
from diffhydro.data.splits.by_site import apart
from diffhydro.data.splits.fold import Fold
from diffhydro.data.splits.twins import TWINS, Twins
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class ByRegion:
    """Test in each region in turn: every site is tested exactly once.

    A site beyond the border whose twin is tested is left out.

    Args:
        labels: Region of every site, in their order; words or numbers.
        buffer: Sites nearer than this to one of the test are left out, km.
    """

    labels: Sequence[str | int]
    buffer: float = 0.0
    twins: Twins = TWINS

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give one fold for each region, in the order of their labels."""
        places = Places.of(sites)
        labels = np.asarray(self.labels)
        if labels.shape != (len(places),):
            raise InputError(f"{labels.size} labels for {len(places)} sites; give one for each")
        regions = np.unique(labels)
        if len(regions) < 2:
            raise InputError(f"all sites are in {', '.join(map(str, regions))}; none is left over")
        groups = self.twins.groups(places)
        for region in regions:
            test = labels == region
            twin = np.isin(groups, groups[test])
            yield apart(str(region), places, test, self.buffer, ~twin)


@dataclass(frozen=True)
class ByContinent:
    """Test on each continent in turn, as GSM3 does (Liu et al. 2023, GMD 16, 1553).

    Sites that are on none of the continents of `data.continents` make a region, "rest".
    """

    buffer: float = 0.0
    twins: Twins = TWINS

    def of(self, sites: Union[Places, "xr.Dataset"]) -> Iterator[Fold]:
        """Give one fold for each continent that has sites."""
        places = Places.of(sites)
        labels = continents(places.latitude, places.longitude).tolist()
        yield from ByRegion(labels, self.buffer, self.twins).of(places)
