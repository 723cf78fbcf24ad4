"""Settings of networks are searched at sites that nobody is tested at."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from diffhydro.coupling import Inputs
from diffhydro.data.places import Places as Spots
from diffhydro.data.splits.twins import TWINS
from diffhydro.errors import InputError
from experiments.global_pgdl import read_preset, study
from experiments.global_pgdl.ground.deciding import NOBODY, deciding, who_decides
from experiments.global_pgdl.ground.earth import Earth
from experiments.global_pgdl.ground.folds import members
from experiments.global_pgdl.ground.screening import prepared
from experiments.global_pgdl.learned import networks, tuning
from experiments.global_pgdl.learned.freely import Start, rolled
from experiments.global_pgdl.learned.models import DL, FED, at
from experiments.global_pgdl.preset import Network, Tuning
from tests.experiments.test_global_pgdl import CELL, FIRST, LABELS, stations

SITES = 60
HOW = {
    "first": FIRST, "last": "2002-02-24", "network.steps": 2, "network.look_back": 3,
    "network.length": 12, "physics.steps": 2, "physics.length": 60, "physics.warm_up": 20,
    "tuning": {
        "trials": 3, "look_back": [2, 5], "hidden": [2, 4], "widths": [2, 4], "share": 0.3,
    },
}  # fmt: skip


def regions(*thinned: int) -> SimpleNamespace:
    """Give what the search asks of regions: labels of all stations, and those that are used."""
    used = np.setdiff1d(np.arange(len(LABELS)), thinned)
    return SimpleNamespace(regions=SimpleNamespace(site_labels=LABELS), kept=used)


@pytest.fixture(scope="module")
def kept() -> xr.Dataset:
    return stations()


@pytest.fixture(scope="module")
def learned(kept):
    return prepared(kept, FIRST, CELL, seed=0)


def search(kept, out, *thinned: int, told=lambda words: None, **how):
    preset, found = read_preset("tiny", HOW | how), regions(*thinned)
    who = who_decides(kept, found, preset)
    return tuning.tuned(preset, kept, found, who, out, told)


def bowl(self, how, fluxes=None):
    """Stand for the error of a trial."""
    return abs(how.look_back - 4) + abs(np.log10(how.rate) + 2.5) + 0.1 * how.hidden


@pytest.fixture
def easily(monkeypatch):
    """Put a bowl in the place of training: a trial's model is its settings."""
    monkeypatch.setattr(tuning, "train_deep", lambda stations, members, how: how)
    monkeypatch.setattr(tuning, "train_fed", lambda stations, members, how, fluxes: how)
    monkeypatch.setattr(tuning.physics, "calibrated", lambda *some: np.zeros(2))
    monkeypatch.setattr(tuning.physics, "water", lambda *some: (None, {}))
    monkeypatch.setattr(tuning.Bench, "error", bowl)


@pytest.mark.parametrize("seed", range(5))
def test_who_decides_is_not_tested_and_no_twin_of_who_is(seed):
    rng = np.random.default_rng(seed)
    latitude, longitude = rng.uniform(-60.0, 60.0, SITES), rng.uniform(0.0, 90.0, SITES)
    latitude[4::4], longitude[4::4] = latitude[3:-1:4] + 0.01, longitude[3:-1:4]
    spots = Spots(tuple(map(str, range(SITES))), latitude, longitude)
    group, labels = TWINS.groups(spots), rng.integers(0, 4, SITES)
    used = np.flatnonzero((labels > 1) | (rng.uniform(size=SITES) < 0.4))
    found = deciding(spots, labels, used, Tuning(seed=seed))
    assert not np.isin(found.spare, used).any()
    assert np.isin(found.apart, used).all()
    tested = np.setdiff1d(used, found.apart)
    deciders = np.concatenate([found.spare, found.apart])
    assert not np.isin(group[deciders], group[tested]).any()
    for region in range(4):
        mine = labels[used] == region
        spare, apart = ((labels[x] == region).sum() for x in (found.spare, found.apart))
        assert (spare >= 3) != (apart > 0), "some decide in every region, of one kind"
        assert (labels[tested] == region).any()
        if apart:
            assert apart < 0.2 * mine.sum() + 2, "a share, rounded up, and a twin at most"
    again = deciding(spots, labels, used, Tuning(seed=seed))
    assert (again.apart == found.apart).all()


def test_no_fold_tests_a_site_that_is_set_apart_and_others_learn_from_it(learned):
    apart = np.array([2, 8])
    every = members(learned, LABELS, seeds=(0,), mixed=9, untested=apart)
    assert not any(np.isin(one.test, apart).any() for one in every)
    assert any(np.isin(one.train, apart).any() for one in every if len(one.test))
    tested = {int(row) for one in every for row in one.test}
    assert tested == set(range(10)) - {2, 8}


@pytest.mark.slow
def test_a_network_sees_the_last_days_of_a_longer_start_window(learned):
    fold = members(learned, LABELS, seeds=(0,))[:1]
    models = networks.deep(learned, fold, Network(look_back=3, hidden=4))
    rows = np.array([[0]])
    inputs = Inputs(
        {k: x[..., :60] for k, x in at(learned.places, rows).series.items()},
        at(learned.places, rows).attributes,
    )
    values = learned.past[rows, None][..., 0, 20:28]
    long = Start(values, np.arange(20, 28)[None, None])
    said = rolled(models, inputs, long, 20)
    short = rolled(models, inputs, Start(long.values[..., 5:], long.days[..., 5:]), 25)
    assert np.isfinite(said[..., 28:]).all()
    np.testing.assert_array_equal(said, short)


def test_without_a_search_a_run_is_what_it_was(kept, tmp_path):
    plain = read_preset("tiny", {"network.look_back": 9})
    assert who_decides(kept, regions(), plain) is NOBODY
    found = tuning.tuned(plain, kept, regions(), NOBODY, tmp_path, print)
    assert found == (plain, [], [])
    assert plain.guided is plain.network
    assert plain.look_back == 9
    assert "tuning" not in repr(plain), "files of runs are known by it"
    assert "network_fed" not in repr(plain)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"tuning.rate": [0.1, 0.01]}, "leave no choice; give the lower one first"),
        ({"tuning.look_back": [5, 50]}, r"up to 50 days, and coupling\.warm_up has 30"),
        ({"tuning.width": [5, 50]}, "did you mean widths"),
    ],
)
def test_a_search_that_cannot_be_is_refused(wrong, why):
    with pytest.raises(InputError, match=why):
        read_preset("tiny", wrong)


def test_who_lacks_the_extra_is_told_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    told: list[str] = []
    with pytest.raises(InputError, match=r"diffhydro-jax\[tune\]"):
        study.study(
            read_preset("tiny", HOW), Earth(None, None, None), tmp_path, study.Clock(told.append)
        )
    assert told == []


def test_the_best_settings_are_those_of_each_network(kept, tmp_path, easily):
    pytest.importorskip("optuna")
    found = search(kept, tmp_path)
    preset, start = found.preset, read_preset("tiny", HOW)
    assert len(found.rows) == 6
    for kind, how in ((DL, preset.network), (FED, preset.guided)):
        mine = [row for row in found.rows if row["model"] == kind]
        (best,) = (row for row in mine if row["is_best"])
        assert best["rmse"] == min(row["rmse"] for row in mine) == bowl(None, how)
        assert best["look_back"] == how.look_back
        assert how.length - how.look_back == start.network.length - start.network.look_back
        assert how.steps == start.network.steps
        assert {row["set_apart"] for row in mine} == {4}
    assert preset.network.widths == start.network.widths
    assert 2 <= preset.guided.widths[0] <= 4
    assert preset.look_back == max(preset.network.look_back, preset.guided.look_back)
    assert "0 sites that were thinned away and 4 that were set apart" in found.words[0]


def test_trials_learn_from_sites_that_are_used_and_are_judged_at_others(
    kept, tmp_path, easily, monkeypatch
):
    pytest.importorskip("optuna")
    seen = []

    def error(self, how, fluxes=None):
        seen.append(self)
        return bowl(self, how)

    monkeypatch.setattr(tuning.Bench, "error", error)
    found = search(kept, tmp_path, 0, 2, 4)
    names, bench = kept["site"].values, seen[0]
    one, other = bench.members
    held = [[set(bench.stations.places.names[x]) for x in (m.train, m.test)] for m in (one, other)]
    assert held[0] == [set(names[[1, 3, 5]]), set(names[[0, 2, 4]])], "those thinned away decide"
    assert held[1][0] | held[1][1] == set(names[6:])
    assert not held[1][0] & held[1][1]
    assert len(held[1][1]) == 2, "three tenths of four, rounded up"
    assert bench.look_back == 5
    assert {(r["sites_that_decide"], r["set_apart"]) for r in found.rows} == {(5, 2)}


def test_a_search_that_was_interrupted_finds_the_same(kept, tmp_path, easily, monkeypatch):
    pytest.importorskip("optuna")
    whole = search(kept, tmp_path / "whole")
    tried = []

    def fails(self, how, fluxes=None):
        tried.append(how)
        if len(tried) == 5:
            raise KeyboardInterrupt
        return bowl(self, how)

    monkeypatch.setattr(tuning.Bench, "error", fails)
    with pytest.raises(KeyboardInterrupt):
        search(kept, tmp_path / "part")
    again = search(kept, tmp_path / "part")
    assert len(tried) == 7, "three and three, and the one that was lost"
    assert again.preset == whole.preset
    assert search(kept, tmp_path / "part").preset == whole.preset
    assert len(tried) == 7


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_search_that_trains(kept, tmp_path):
    pytest.importorskip("optuna")
    told: list[str] = []
    found = search(kept, tmp_path, 0, 2, 4, told=told.append, **{"tuning.trials": 2})
    assert told == ["tuning DL, 2 trials", "tuning PGDL fed, 2 trials"]
    scores = [row["rmse"] for row in found.rows]
    assert len({*scores}) == 4
    assert all(0.0 < x < 1.0 for x in scores)
