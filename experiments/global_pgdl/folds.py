"""Step 3: who learns from whom. Every fold is a member of the programs that train."""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.places import Places as Spots
from diffhydro.data.splits.twins import TWINS
from diffhydro.errors import InputError
from experiments.global_pgdl.places import Stations

LEFT_OUT, WHOLE, MIXED = "left out", "whole region", "mixed"


@dataclass(frozen=True, eq=False)
class Member:
    """A fold of a region, or a whole region, with a seed of its own.

    Args:
        train: Rows of the stations it learns from.
        test: Rows it is tested at; none for a whole region.
    """

    region: int
    kind: str
    train: np.ndarray
    test: np.ndarray
    seed: int


def members(
    stations: Stations, labels: np.ndarray, *, seeds: tuple[int, ...], mixed: int = 0
) -> tuple[Member, ...]:
    """Make all folds: one for each site of each region, one for each region, some that mix.

    Args:
        labels: The region of each station.
        mixed: Sites of a region that are tested once more, with as many training sites, drawn from
            all regions.
    """
    made: list[Member] = []
    for seed in seeds:
        for region in np.unique(labels):
            rows = np.flatnonzero(labels == region)
            folds = [_without(stations, rows, test) for test in _groups(stations, rows)]
            made += [Member(int(region), LEFT_OUT, *fold, seed) for fold in folds]
            made.append(Member(int(region), WHOLE, rows, rows[:0], seed))
            for number in np.linspace(0, len(folds) - 1, min(mixed, len(folds))).astype(int):
                train, test = folds[number]
                others = _drawn(stations, labels, test, len(train), seed)
                made.append(Member(int(region), MIXED, others, test, seed))
    return tuple(made)


def _groups(stations: Stations, rows: np.ndarray) -> list[np.ndarray]:
    """Give the sites that are left out together: twins are."""
    names = tuple(stations.places.names[rows])
    where = stations.places.latitude[rows], stations.places.longitude[rows]
    group = TWINS.groups(Spots(names, *where))
    if group.max() < 1:
        raise InputError(
            f"a region has {len(rows)} stations at one place; leaving one out takes two places or "
            "more. Ask for more sites in each cluster (clustering.least_sites)"
        )
    return [rows[group == number] for number in range(group.max() + 1)]


def _without(
    stations: Stations, rows: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    train = np.setdiff1d(rows, test)
    first = stations.places.first
    for which, side in ((train, "learn from"), (test, "be tested at")):
        if not np.isfinite(stations.observed[which, first:]).any():
            names = ", ".join(stations.places.names[which])
            raise InputError(f"a fold has nothing to {side}: no value at {names}; leave them out")
    return train, test


def _drawn(
    stations: Stations, labels: np.ndarray, test: np.ndarray, count: int, seed: int
) -> np.ndarray:
    """Draw training sites of all regions alike, without the test site and its twins."""
    near = np.abs(stations.places.latitude - stations.places.latitude[test[0]]) < 0.05
    near &= np.abs(stations.places.longitude - stations.places.longitude[test[0]]) < 0.05
    open_to_all = np.setdiff1d(np.flatnonzero(~near), test)
    weight = 1.0 / np.bincount(labels)[labels[open_to_all]]
    rng = np.random.default_rng([seed, int(test[0])])
    chosen = rng.choice(open_to_all, count, replace=False, p=weight / weight.sum())
    return np.sort(chosen)
