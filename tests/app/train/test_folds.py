"""Folds of a configuration: what is held out in space and in time, and what ends a training."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from diffhydro.app.train.config import HoldOutConfig
from diffhydro.app.train.folds import folds_of, stops_by
from diffhydro.errors import InputError

SITES = 12
DAYS = np.datetime64("2001-01-01", "ns") + np.arange(100) * np.timedelta64(1, "D")
YEARS = {"train_days": ("2001-01-01", "2001-02-19"), "test_days": ("2001-02-20", "2001-04-10")}


def table():
    """Twelve sites a degree of longitude apart on the equator: 111 km."""
    held = {
        "latitude": ("site", np.zeros(SITES)),
        "longitude": ("site", np.arange(SITES, dtype=float)),
        "region": ("site", np.repeat([1.0, 2.0, 3.0], 4)),
    }
    return SimpleNamespace(data=xr.Dataset(held, {"site": [*"abcdefghijkl"], "time": DAYS}))


def folds(**said):
    return folds_of(HoldOutConfig.model_validate(said), table())


def test_every_site_is_tested_once_and_learned_from_elsewhere():
    found = folds(by="sites", folds=3)
    assert sorted(np.concatenate([one.test.sites for one in found])) == list(range(SITES))
    for one in found:
        assert one.validation is not None
        both = np.concatenate([one.train.sites, one.validation.sites, one.test.sites])
        assert sorted(both) == list(range(SITES))
        assert stops_by(one) is one.validation


def test_without_a_share_nothing_is_set_aside():
    assert all(stops_by(one) is None for one in folds(by="site", validation=0))


def test_one_of_several_folds_is_named():
    names = [one.name for one in folds(by="sites", folds=3)]
    assert [one.name for one in folds(by="sites", folds=3, only=names[1:])] == names[1:]


def test_days_are_learned_from_before_they_are_tested():
    [one] = folds(by="period", **YEARS)
    assert one.train.times.tolist() == [True] * 50 + [False] * 50
    assert one.test.times.tolist() == [False] * 50 + [True] * 50
    assert one.validation.times.tolist() == one.train.times.tolist()


def test_places_and_days_are_both_unseen():
    for one in folds(by="sites", folds=3, validation=0, **YEARS):
        assert not set(one.train.sites) & set(one.test.sites)
        assert len(one.test.sites) == 4
        assert not (one.train.times & one.test.times).any()
        assert one.test.times.sum() == 50


@pytest.mark.parametrize("by", ["site", "sites"])
def test_a_buffer_keeps_neighbours_out(by):
    for one in folds(by=by, folds=12, buffer=120.0, validation=0):
        gaps = np.abs(one.train.sites[:, None] - one.test.sites[None])
        assert gaps.min() == 2


def test_regions_are_those_of_an_attribute():
    found = folds(by="region", regions="region", validation=0)
    assert [one.test.sites.tolist() for one in found] == [[*range(i, i + 4)] for i in (0, 4, 8)]
    with pytest.raises(InputError, match="no attribute biome"):
        folds(by="region", regions="biome")


def test_where_nothing_is_held_out_it_stops_by_what_is_set_aside():
    [one] = folds(by="nothing", validation=0.25)
    assert stops_by(one) is one.test
    assert len(one.test.sites) == 3
    assert len(one.train.sites) == 9
    assert not set(one.train.sites) & set(one.test.sites)
    with pytest.raises(InputError, match="leaves nothing to score"):
        folds(by="nothing", validation=0)
