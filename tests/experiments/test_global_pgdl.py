"""Study A: what each step promises, and a run from end to end on a made-up Earth."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.embedded import embedded_weather
from diffhydro.errors import InputError
from experiments.global_pgdl import read_preset
from experiments.global_pgdl.ground.earth import Earth
from experiments.global_pgdl.ground.folds import LEFT_OUT, MIXED, WHOLE, members
from experiments.global_pgdl.ground.places import OFFSET, PAST
from experiments.global_pgdl.ground.regions import find_regions
from experiments.global_pgdl.ground.screening import prepared, screened
from experiments.global_pgdl.judged.globe import on_scale, start_of_cells
from experiments.global_pgdl.learned.freely import offset, score_after, start_windows
from experiments.global_pgdl.learned.stretches import STATIONS, Stretches
from experiments.global_pgdl.outcome import Clock
from experiments.global_pgdl.preset import Screening
from experiments.global_pgdl.study import study

DAYS, FIRST, CELL = 420, "2001-03-01", 0.5
RULES = Screening(most_missing=60, least_days=100)


def stations(copies: int = 1, seed: int = 3) -> xr.Dataset:
    """Give uplands with soil moisture that follows the rain, a gap and a frozen winter."""
    weather = embedded_weather(days=DAYS)
    weather = weather.isel(site=weather.is_wetland.values == 0)
    every = [
        weather.assign_coords(
            site=[f"{name} {i}" for name in weather.site.values],
            longitude=weather.longitude + 2.0 * i,
        )
        for i in range(copies)
    ]
    found = xr.concat(every, "site", data_vars="minimal", coords="minimal", compat="override")
    again = np.tile(np.arange(weather.sizes["site"]), copies)
    for name in ("elevation", "sand", "clay"):
        found[name] = ("site", weather[name].values[again])
    sites = found.sizes["site"]
    rain = found.precipitation.transpose("site", "time").values
    wet = np.zeros((sites, DAYS))
    for t in range(1, DAYS):
        wet[:, t] = 0.93 * wet[:, t - 1] + 0.004 * rain[:, t]
    rng = np.random.default_rng(seed)
    level = 0.12 + 0.002 * found.clay.values[:, None]
    seen = level + wet + 0.005 * rng.normal(size=wet.shape)
    seen[:, 100:104] = np.nan
    return found.assign(
        silt=("site", 100.0 - found.sand.values - found.clay.values),
        is_wetland=("site", np.zeros(sites)),
        soil_moisture=(("site", "time"), seen.astype(np.float32)),
    )


@pytest.fixture(scope="module")
def kept() -> xr.Dataset:
    return stations()


@pytest.fixture(scope="module")
def learned(kept):
    return prepared(kept, FIRST, CELL, seed=0)


LABELS = np.repeat([0, 1], [6, 4])


def test_an_unknown_preset_or_key_is_explained(tmp_path):
    with pytest.raises(
        InputError, match=r"no preset smal: expected tiny, small.*did you mean small"
    ):
        read_preset("smal")
    with pytest.raises(InputError, match=r"no key network\.stepps; did you mean steps"):
        read_preset("tiny", {"network.stepps": 3})
    assert read_preset("tiny", {"network.steps": 3}).network.steps == 3
    wrong = tmp_path / "a.yaml"
    wrong.write_text("- 1\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds a list"):
        read_preset(wrong)


@pytest.mark.parametrize("name", ["tiny", "small", "study"])
def test_presets_can_be_read(name):
    assert read_preset(name).name == name


def test_days_in_frozen_soil_are_no_gaps(kept):
    silent = kept.copy(deep=True)
    silent["soil_moisture"][0, 150:230] = np.nan
    assert not screened(silent, RULES, FIRST)[1][0].is_kept
    warmth = xr.full_like(silent.soil_moisture, 5.0)
    warmth[0, 150:230] = -1.0
    assert screened(silent.assign(soil_temperature=warmth), RULES, FIRST)[1][0].is_kept


def test_screening_that_leaves_nothing_says_what_to_allow(kept):
    with pytest.raises(InputError, match=r"none of 10 stations.*screening\.longest_gap"):
        screened(kept, Screening(most_missing=0.0, longest_gap=0.0), FIRST)


def test_labels_are_where_something_was_observed_and_the_past_is_everywhere(learned):
    assert (np.isfinite(learned.labels) == np.isfinite(learned.observed)).all()
    assert np.isfinite(learned.past).all()
    off = np.nanstd(learned.labels - learned.observed)
    assert 0 < off < 0.02  # the noise of the probes is 0.005


def test_sites_that_share_a_cell_are_told_different_weather():
    pair = stations(copies=2).assign_coords(longitude=("site", np.tile(stations().longitude, 2)))
    found = prepared(pair, FIRST, CELL, seed=0)
    plain, told = (x.inputs.series["precipitation"] for x in (found.places, found.told))
    assert (plain[:10] == plain[10:]).all()
    assert ((told == plain).all(axis=1)[:10] ^ (told == plain).all(axis=1)[10:]).all()


def test_no_fold_learns_from_its_test_site(learned):
    every = members(learned, LABELS, seeds=(0, 1), mixed=3)
    folds = [one for one in every if one.kind == LEFT_OUT]
    assert len(folds) == 2 * len(learned)
    for one in every:
        assert not np.isin(one.test, one.train).any()
        if one.kind == LEFT_OUT:
            assert set(np.flatnonzero(one.region == LABELS)) == {*one.test, *one.train}
        if one.kind == WHOLE:
            assert (one.train == np.flatnonzero(one.region == LABELS)).all()
    mixed = [one for one in every if one.kind == MIXED]
    assert {len(one.train) for one in mixed} == {5, 3}
    assert any(len(np.unique(LABELS[one.train])) > 1 for one in mixed)


def test_a_fold_without_labels_is_refused_by_name(learned):
    silent = learned.observed.copy()
    silent[9] = np.nan
    bare = type(learned)(learned.places, learned.told, silent, learned.labels, learned.past)
    with pytest.raises(InputError, match="nothing to be tested at: no value at southern pampa"):
        members(bare, LABELS, seeds=(0,))
    with pytest.raises(InputError, match="has 1 stations at one place"):
        members(learned, np.repeat([0, 1], [9, 1]), seeds=(0,))


def test_stretches_see_training_sites_only_and_all_members_take_equal_steps(learned):
    every = members(learned, LABELS, seeds=(0,))
    drawn = Stretches(learned, every, 30, 10, 3, 7, error=0.1)
    which = drawn.epoch(0)
    assert which.shape == (7, len(every), 3)
    for i, one in enumerate(every):
        assert np.isin(which[:, i] // DAYS, one.train).all()
    assert (drawn.epoch(0) == which).all()
    sample = drawn.read(which[0]).arrays
    assert not sample.weights[STATIONS][..., :10].any()
    assert sample.weights[STATIONS][..., 10:].any()
    site, day = np.divmod(which[0, 2, 1], DAYS)
    label = learned.labels[site, day : day + 30]
    there = sample.weights[STATIONS][2, 1] > 0
    assert (sample.observed[STATIONS][2, 1][there] == label[there]).all()
    moved = sample.inputs.series[PAST][2, 1] - learned.past[site, day : day + 30]
    assert np.ptp(moved) < 1e-6 < abs(moved[0])
    with pytest.raises(InputError, match="windows of 400 days do not fit"):
        Stretches(learned, every, 400, 10, 3, 7)


def test_the_offset_is_that_of_the_physics(learned):
    every = members(learned, LABELS, seeds=(0,))
    simulated = np.tile(learned.past - np.float32(0.03), (len(every), 1, 1))
    drawn = Stretches(learned, every, 30, 10, 3, 2, simulated=simulated, look_back=5)
    found = drawn.read(drawn.epoch(0)[0]).arrays.inputs.attributes[OFFSET]
    np.testing.assert_allclose(found, 0.03, atol=1e-6)
    start = start_windows(learned.observed, 20, 5, learned.places.names)
    shifted = np.nan_to_num(learned.observed) + np.float32(0.02)
    np.testing.assert_allclose(offset(start, shifted), -0.02, atol=1e-6)


def test_start_windows_hold_the_first_observations_and_what_they_saw_is_not_scored():
    observed = np.array([[9, 1, np.nan, 2, np.nan, 3, 4.0]])
    start = start_windows(observed, 1, 3, np.array(["a"]))
    assert start.values.tolist() == [[1, 2, 3]]
    assert start.days.tolist() == [[1, 3, 5]]
    assert np.isfinite(score_after(np.ones((1, 7)), start)).tolist() == [[False] * 6 + [True]]
    with pytest.raises(InputError, match=r"start window of a has 4 values and needs 5.*look_back"):
        start_windows(observed, 1, 5, np.array(["a"]))


def test_cells_that_nobody_sees_start_like_their_neighbours():
    seen = np.full((3, 8), np.nan)
    seen[0, 2:6] = 0.1, 0.2, 0.3, 0.4
    seen[2, ::2] = 0.5
    start = start_of_cells(seen, 1, 2)
    np.testing.assert_allclose(start.values, [[0.1, 0.2], [0.1, 0.2], [0.5, 0.5]], rtol=1e-6)


def test_the_scale_of_the_satellite_is_a_line_for_each_region():
    rng = np.random.default_rng(0)
    said = rng.uniform(0.1, 0.4, (4, 50))
    labels = np.array([0, 0, 1, 1])
    lines = np.array([[0.5, 0.5, 2.0, 2.0], [0.1, 0.1, -0.05, -0.05]])[..., None]
    seen = lines[0] * said + lines[1]
    seen[:, ::2] = np.nan
    np.testing.assert_allclose(on_scale(said, seen, labels, 0), lines[0] * said + lines[1])


def test_too_few_sites_for_the_clusters_says_what_to_ask_for(kept):
    how = read_preset("tiny", {"clustering.least_sites": 9}).clustering
    with pytest.raises(InputError, match=r"10 stations cannot give 9.*clustering\.least_sites"):
        find_regions(kept, kept, how, 0)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("with_globe", [False, True], ids=["sites", "globe"])
def test_a_run_from_end_to_end(tmp_path, with_globe):
    """Few steps teach nothing; but all tables and figures are there, and no error is absurd."""
    there = stations(copies=2).expand_dims(depth=[50.0])
    there = there.assign({n: x.isel(depth=0) for n, x in there.items() if n != "soil_moisture"})
    cells = stations().drop_vars("soil_moisture")
    cells = cells.assign(climate=("site", np.array([26, 15, 8, 14, 26, 8, 4, 11, 1, 14])))
    skin = stations(seed=4).soil_moisture.expand_dims(depth=[25.0])
    satellite = xr.Dataset(
        {
            "soil_moisture": skin,
            "vegetation_water": xr.full_like(cells.precipitation, 1.0),
            "frozen_share": xr.zeros_like(cells.precipitation),
        }
    )
    few = {
        "first": FIRST, "last": "2002-02-24", "screening.least_days": 100,
        "screening.most_missing": 60, "mixed": 1, "clustering.counts": (2, 2),
        "clustering.least_sites": 3, "clustering.most_sites": 3, "physics.steps": 3,
        "physics.length": 60, "physics.warm_up": 20, "network.steps": 4, "network.look_back": 3,
        "network.length": 12, "coupling.steps": 2, "coupling.length": 30, "coupling.warm_up": 10,
        "conserving.steps": 3, "conserving.length": 60, "conserving.warm_up": 20,
        "clustering.tested": 1, "globe": with_globe,
    }  # fmt: skip
    told: list[str] = []
    found = study(
        read_preset("tiny", few), Earth(there, cells, satellite), tmp_path, Clock(told.append)
    )
    assert told[-1] == "done"
    for path in found.figures:
        assert path.stat().st_size > 5_000
    for name, rows in found.tables.items():
        assert (tmp_path / f"{name}.csv").is_file() == bool(rows), name
    sites = {r["model"]: r for r in found.tables["table_2_sites"] if r["region"] == "all"}
    assert {"PB", "DL", "PGDL fed", "PGDL coupled", "PGDL conserving", "climatology"} <= {*sites}
    assert all(0 < row["rmse"] < 0.5 for row in sites.values())
    assert bool(found.tables["table_4_globe"]) == with_globe
    water = {r["model"]: r for r in found.tables["table_6_violations"]}
    for kind in ("PB", "PGDL conserving"):
        assert water[kind]["missing_mm"] < 0.1
        assert water[kind]["days_the_soil_gains"] == 0
    assert found.tables["table_5_mixing"]
    assert all(isinstance(held, bool) for held in found.checks.values())
