"""Mixed training sites: as many as in the region, never the test site, of its climate elsewhere."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.coupling import Inputs
from diffhydro.data.places import Places as Spots
from diffhydro.data.splits.twins import TWINS
from experiments.global_pgdl.ground.folds import MIXED, Member, how_mixed
from experiments.global_pgdl.ground.mixing import ALL_REGIONS, SAME_CLIMATE, climates_of, drawn
from experiments.global_pgdl.ground.places import Places

SITES = 40


def world(seed: int) -> tuple[Places, np.ndarray, np.ndarray]:
    """Give places far north, every fifth of them beside the one before; regions, main climates."""
    rng = np.random.default_rng(seed)
    latitude, longitude = rng.uniform(55.0, 70.0, SITES), rng.uniform(0.0, 90.0, SITES)
    latitude[5::5], longitude[5::5] = latitude[4:-1:5], longitude[4:-1:5] + 0.07
    names = np.array([f"site {i}" for i in range(SITES)])
    places = Places(names, latitude, longitude, np.arange(3), Inputs({}, {}), 0)
    return places, rng.integers(0, 4, SITES), rng.integers(-1, 3, SITES)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_drawn_for_any_site(seed):
    places, labels, climates = world(seed)
    group = TWINS.groups(Spots(tuple(places.names), places.latitude, places.longitude))
    assert len(np.unique(group)) < SITES
    rules = set()
    for site in range(SITES):
        test = np.flatnonzero(group == group[site])
        away = ~np.isin(group, group[test])
        for count in (3, 12):
            found = drawn(places, labels, climates, test, count, seed)
            rows = found.rows
            assert len(np.unique(rows)) == count
            assert away[rows].all(), "neither the site nor a twin"
            elsewhere = (climates == climates[test[0]]) & (labels != labels[test[0]]) & away
            enough = climates[test[0]] >= 0 and elsewhere.sum() >= count
            assert found.rule == (SAME_CLIMATE if enough else ALL_REGIONS)
            assert elsewhere[rows].all() or not enough
            rules.add(found.rule)
            assert (drawn(places, labels, climates, test, count, seed).rows == rows).all()
    assert rules == {SAME_CLIMATE, ALL_REGIONS}


def test_regions_of_the_same_climate_are_drawn_alike():
    places, _, _ = world(0)
    labels = np.array([0] * 10 + [1] * 25 + [2] * 5)
    same = np.zeros(SITES, np.int64)
    test = np.array([0])
    first = [labels[drawn(places, labels, same, test, 1, seed).rows[0]] for seed in range(300)]
    share = np.mean(np.array(first) == 2)
    # Five sites of thirty would be 0.17, regions alike 0.5: four standard errors of the share.
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(300)


def test_climates_are_main_classes_and_may_be_unknown():
    bare = xr.Dataset({"sand": ("site", [10.0, 20.0])})
    assert climates_of(bare).tolist() == [-1, -1]
    assert climates_of(bare.assign(climate=("site", [7, 26]))).tolist() == [1, 3]


def test_words_count_the_folds_of_each_rule():
    nobody = np.arange(0)

    def mixed(rule: str) -> Member:
        return Member(0, MIXED, nobody, nobody, 0, rule)

    assert how_mixed([]) == []
    (words,) = how_mixed([mixed(SAME_CLIMATE), mixed(ALL_REGIONS), mixed(SAME_CLIMATE)])
    assert "in 2 of 3 folds" in words
