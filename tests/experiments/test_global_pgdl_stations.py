"""Study A at stations: what is read, who learns from whom, and a run of all of it."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.start_windows import StartWindows
from diffhydro.errors import InputError
from experiments.global_pgdl import read_preset, run
from experiments.global_pgdl.real.bench import _known
from experiments.global_pgdl.real.kept import Kept
from experiments.global_pgdl.real.members import Member, members
from experiments.global_pgdl.real.networks import (
    CONTROL,
    COUPLED,
    DL,
    FED,
    GUIDED,
    UNGUIDED,
    kinds,
    with_means,
)
from experiments.global_pgdl.real.physics import PB, WATER
from experiments.global_pgdl.real.places import OBSERVED, TEXTURE, WEATHER, places, with_start
from experiments.global_pgdl.real.scores import found_of
from experiments.global_pgdl.real.settings import Network, Settings, Start
from experiments.global_pgdl.real.study import at_level
from experiments.global_pgdl.real.windows import SOURCE, DrawnWindows

DAYS, SPIN_UP = 500, 100


def stations() -> xr.Dataset:
    """Five stations, of which the last two are twins; the soil of a core beside that of a map."""
    rng = np.random.default_rng(0)
    shape = 5, DAYS
    season = np.sin(2.0 * np.pi * np.arange(DAYS) / 365.0)
    series = {
        "precipitation": (rng.gamma(0.2, 15.0, shape), "mm d-1"),
        "temperature": (12.0 + 9.0 * season + rng.normal(0.0, 2.0, shape), "degC"),
        "shortwave": (170.0 + 90.0 * season + np.zeros(shape), "W m-2"),
        "vapour_pressure": (np.full(shape, 900.0), "Pa"),
        "leaf_area": (1.5 + season + np.zeros(shape), "m2 m-2"),
    }
    made = xr.Dataset(
        {
            n: (("site", "time"), x.astype(np.float32), {"units": unit})
            for n, (x, unit) in series.items()
        },
        {
            "site": [*"abcde"],
            "time": np.datetime64("2012-01-01", "ns") + np.arange(DAYS) * 86400000000000,
        },
    )
    seen = 0.2 + 0.05 * rng.normal(size=(*shape, 1)) + np.linspace(0.0, 0.1, 5)[:, None, None]
    seen[rng.uniform(size=seen.shape) < 0.2] = np.nan
    made[OBSERVED] = ("site", "time", "depth"), seen.astype(np.float32), {"units": "m3 m-3"}
    made = made.assign_coords(depth=("depth", [50.0], {"units": "mm"}))
    made["latitude"] = "site", np.array([30.0, 35.0, 40.0, 45.0, 45.01])
    made["longitude"] = "site", np.array([-100.0, -90.0, -80.0, -95.0, -95.0])
    for name, core, mapped in zip(TEXTURE, (90.0, 5.0, 5.0), (40.0, 40.0, 20.0), strict=True):
        made[name] = "site", np.full(5, core), {"units": "%"}
        made[f"{name}_nldas"] = "site", mapped + np.arange(5.0), {"units": "%"}
    return made


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stations") / "sites.nc"
    stations().to_netcdf(path, engine="h5netcdf")
    return path


@pytest.fixture(scope="module")
def sites(file: Path) -> xr.Dataset:
    return places(file, None, 50.0, SPIN_UP, "1900-01-01", "2100-12-31")


def windows(sites: xr.Dataset, *fold: Member) -> DrawnWindows:
    how = Network(length=60, warm_up=20, size=4, steps=30)
    series = {name: sites[name].values for name in WEATHER}
    fixed = {name: sites[name].values for name in TEXTURE}
    level = np.broadcast_to(np.arange(5.0)[:, None], (len(fold), 5, 3))
    drawn = {f"start_{OBSERVED}_mean": level}
    return DrawnWindows(fold, how, series, sites[OBSERVED].values, fixed, {}, drawn)


def test_spin_up_comes_first_and_nothing_is_observed_in_it(sites: xr.Dataset):
    assert sites.sizes["time"] == DAYS + SPIN_UP
    assert (np.diff(sites["time"].values) == np.timedelta64(1, "D")).all()
    assert not np.isfinite(sites[OBSERVED].values[:, :SPIN_UP]).any()
    rain = sites["precipitation"].values
    assert np.array_equal(rain[:, :SPIN_UP], rain[:, SPIN_UP : 2 * SPIN_UP])


def test_soils_are_those_of_the_map(sites: xr.Dataset):
    assert sites["sand"].values.tolist() == [40.0, 41.0, 42.0, 43.0, 44.0]


def test_a_station_without_a_start_window_does_not_stop_the_others(sites: xr.Dataset):
    seen = sites[OBSERVED].values.copy()
    seen[1] = np.nan
    dead = sites.assign({OBSERVED: (("site", "time"), seen)})
    kept, without = with_start(dead, Start())
    assert without == (str(sites["site"].values[1]),)
    assert kept["site"].values.tolist() == np.delete(sites["site"].values, 1).tolist()
    with pytest.raises(InputError, match=r"no station has 30 days.*stations\.start\.least"):
        with_start(sites.assign({OBSERVED: sites[OBSERVED] * np.nan}), Start())


def test_a_soil_that_is_unknown_names_the_station(tmp_path: Path):
    made = stations()
    made["clay_nldas"][3] = np.nan
    made.to_netcdf(tmp_path / "sites.nc", engine="h5netcdf")
    where = str(made["site"].values[3])
    with pytest.raises(InputError, match=f"clay is not known at {where}"):
        places(tmp_path / "sites.nc", None, 50.0, SPIN_UP, "1900-01-01", "2100-12-31")


def test_twins_are_left_out_together_and_the_last_learns_from_all(sites: xr.Dataset):
    folds = members(sites, None)
    assert [one.test.tolist() for one in folds] == [[0], [1], [2], [3, 4], []]
    for one in folds:
        assert sorted([*one.train, *one.test]) == [0, 1, 2, 3, 4]


def test_windows_are_of_training_sites_and_told_of_their_own_site(sites: xr.Dataset):
    fold = Member(np.array([0, 2]), np.array([1]), 0)
    drawn = windows(sites, fold)
    which = drawn.epoch(0)
    assert which.shape == (30, 1, 4)
    of = which // (DAYS + SPIN_UP)
    assert set(of.ravel()) == {0, 2}
    sample = drawn.read(which[0]).arrays
    assert np.array_equal(sample.inputs.attributes[f"start_{OBSERVED}_mean"], of[0])
    weight = np.asarray(sample.weights[SOURCE])
    assert not weight[..., :20].any()
    assert weight[..., 20:].any()
    assert np.isfinite(sample.observed[SOURCE]).all()


def test_scaling_knows_the_training_sites_only(sites: xr.Dataset):
    fold = Member(np.array([0, 2]), np.array([1, 3, 4]), 0)
    kind = kinds(Settings())[0]
    one = _known(kind, windows(sites, fold), 0)
    other = sites.copy(deep=True)
    for name in (*WEATHER, *TEXTURE):
        other[name].values[[1, 3, 4]] += 7.0
    assert np.array_equal(one.scaling.offset, _known(kind, windows(other, fold), 0).scaling.offset)
    changed = windows(sites, Member(np.array([0, 1]), np.array([2, 3, 4]), 0))
    assert not np.array_equal(one.scaling.offset, _known(kind, changed, 0).scaling.offset)


def test_only_guided_kinds_are_told_of_water():
    deep, fed = kinds(Settings())
    assert not {*deep.series, *deep.along} & {*WATER}
    assert {*WATER} <= {*fed.series}
    assert PB in fed.along


def test_a_series_is_moved_to_its_start_window_and_keeps_its_shape(sites: xr.Dataset):
    said = np.random.default_rng(1).uniform(0.1, 0.2, sites[OBSERVED].shape)
    start = Start(days=20, least=5)
    moved = at_level(sites, start, said)
    np.testing.assert_allclose(np.ptp(moved - said, axis=1), 0.0, atol=1e-12)
    windows = StartWindows(OBSERVED, (), 20, 5)
    for site, day in enumerate(windows.first(sites)):
        seen = sites[OBSERVED].values[site, day : day + 20]
        off = (moved[site, day : day + 20] - seen)[np.isfinite(seen)]
        assert abs(off.mean()) < 1e-6


def test_nothing_is_predicted_below_zero(sites: xr.Dataset):
    said = np.linspace(-0.1, 0.4, sites[OBSERVED].size).reshape(sites[OBSERVED].shape)
    found = found_of(sites, Settings(spin_up=SPIN_UP), {DL: said}).predicted[DL].values
    wanted = np.maximum(said[:, SPIN_UP:], 0.0).astype(np.float32)
    np.testing.assert_array_equal(found, wanted)
    assert (found == 0.0).any()


def test_means_are_of_two_kinds_and_need_both():
    one, other = np.zeros((1, 2)), np.ones((1, 2))
    assert {*with_means({DL: one, FED: other})} == {DL, FED}
    found = with_means({DL: one, CONTROL: other, FED: one, COUPLED: 3.0 * other})
    assert found[UNGUIDED].tolist() == [[0.5, 0.5]]
    assert found[GUIDED].tolist() == [[1.5, 1.5]]


def test_bad_requests_are_explained(tmp_path: Path, file: Path):
    with pytest.raises(InputError, match="give their file"):
        run(read_preset("stations"), tmp_path)
    with pytest.raises(InputError, match="did you mean steps"):
        read_preset("stations", {"stations.fed.step": 3})
    with pytest.raises(InputError, match="run once more"):
        places(file, None, 50.0, SPIN_UP, "2012-01-01", "2012-02-01")
    with pytest.raises(InputError, match="no kept models"):
        Kept.of(tmp_path)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_whole_run_and_its_models_at_other_stations(tmp_path: Path, file: Path):
    small = {
        "seeds": [0], "stations.spin_up": SPIN_UP, "stations.trees": 5,
        "stations.physics.steps": 2, "stations.physics.size": 2, "stations.physics.length": 90,
        "stations.physics.warm_up": 30, "stations.deep.steps": 2, "stations.deep.length": 90,
        "stations.deep.warm_up": 30, "stations.fed.steps": 2, "stations.fed.length": 60,
        "stations.control": None, "stations.coupled": None, "stations.conserving": None,
    }  # fmt: skip
    out = tmp_path / "run"
    found = run(read_preset("stations", small), out, data=file)
    assert [row["model"] for row in found.tables["medians"]] == [
        "PB", "PB at the level of the start window", "DL", "PGDL fed", "boosted trees",
    ]  # fmt: skip
    assert len(found.tables["stations"]) == 5 * 5
    every = {(row["station"], row["model"]): row["rmse"] for row in found.tables["stations"]}
    for row in found.tables["rmse_by_station"]:
        assert row["DL"] == every[row["station"], "DL"]
    assert all(path.is_file() for path in found.figures)
    said = Kept.of(out / "models").predict(file, None)
    assert np.isfinite(said.predicted["PGDL fed"].values).all()
    assert said.observed.sizes["time"] == DAYS
