"""Step 3: who learns from whom. Every fold is a member of the programs that train."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from diffhydro.data.places import Places as Spots
from diffhydro.data.splits.twins import TWINS
from diffhydro.errors import InputError
from experiments.global_pgdl.ground.mixing import SAME_CLIMATE, drawn
from experiments.global_pgdl.ground.places import Stations

LEFT_OUT, WHOLE, MIXED = "left out", "whole region", "mixed"


@dataclass(frozen=True, eq=False)
class Member:
    """A fold of a region, or a whole region, with a seed of its own.

    Args:
        train: Rows of the stations it learns from.
        test: Rows it is tested at; none for a whole region.
        rule: How the training sites of a mixed fold were drawn.
    """

    region: int
    kind: str
    train: np.ndarray
    test: np.ndarray
    seed: int
    rule: str = ""


def members(
    stations: Stations,
    labels: np.ndarray,
    *,
    seeds: tuple[int, ...],
    mixed: int = 0,
    climates: np.ndarray | None = None,
    untested: Collection[int] = (),
) -> tuple[Member, ...]:
    """Make all folds: one for each site of each region, one for each region, some that mix.

    Args:
        labels: The region of each station.
        mixed: Sites of a region that are tested once more, with as many training sites of others.
        climates: The main climate of each station, −1 where it is not known; so are all by default.
        untested: Rows that others learn from, and that are never tested.
    """
    if climates is None:
        climates = np.full(len(stations), -1)
    made: list[Member] = []
    for seed in seeds:
        for region in np.unique(labels):
            rows = np.flatnonzero(labels == region)
            tests = [x for x in _groups(stations, rows) if not np.isin(x, [*untested]).any()]
            folds = [_without(stations, rows, test) for test in tests]
            made += [Member(int(region), LEFT_OUT, *fold, seed) for fold in folds]
            made.append(Member(int(region), WHOLE, rows, rows[:0], seed))
            for number in np.linspace(0, len(folds) - 1, min(mixed, len(folds))).astype(int):
                train, test = folds[number]
                others = drawn(stations.places, labels, climates, test, len(train), seed)
                made.append(Member(int(region), MIXED, others.rows, test, seed, others.rule))
    return tuple(made)


def how_mixed(members: Sequence[Member]) -> list[str]:
    """Say by which rule training sites were drawn, for how many folds."""
    rules = [one.rule for one in members if one.kind == MIXED]
    if not rules:
        return []
    return [
        f"Mixed training sites are of other regions with the main climate of the test site in "
        f"{rules.count(SAME_CLIMATE)} of {len(rules)} folds; in the others too few sites have it, "
        "or none is known to, and sites of all regions were drawn."
    ]


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
