"""`diffhydro calibrate`: what it writes, that it goes on after a kill, and what it refuses."""

import base64
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr
import yaml
from rich.console import Console

from diffhydro.app import calibrate as program
from diffhydro.app.cli import main
from diffhydro.app.compare import run as report
from diffhydro.app.config import Config, located
from diffhydro.app.config_reading import as_yaml, read_as
from diffhydro.app.run_folder import open_run
from diffhydro.calibration.independent import line_up
from diffhydro.calibration.levenberg_marquardt import LevenbergMarquardt
from diffhydro.core.states import named
from diffhydro.data.embedded import embedded_weather
from diffhydro.errors import InputError
from tests.app.browser import assert_readable

pytest.importorskip("h5netcdf", reason="the data extra is not installed")
pytest.importorskip("matplotlib", reason="the plot extra is not installed")

SITES = ["oceanic meadow", "southern pampa", "rain forest"]
TWIN = {
    "model": "hbv",
    "data": {"sites": "embedded", "only": SITES},
    "observed": [
        {"variable": "runoff", "loss": "gaussian"},
        {"variable": "evapotranspiration", "weight": 0.5},
    ],
    "train": ["field_capacity", "beta", "errors.runoff.sigma"],
    "period": {
        "train": ["2001-03-01", "2001-09-30"],
        "test": ["2001-10-01", "2001-12-31"],
        "spin_up": 30,
    },
    "search": {"starts": 2, "lanes": 4},
    "prior": {"kind": "near", "spread": 5.0},
    "twin": {"noise": 0.3},
}
PICTURES = ["parameters", "series", "residuals", "scores", "correlation", "convergence"]


def write(folder, config, name="config.yaml"):
    path = folder / name
    path.write_text(yaml.safe_dump(config))
    return path


def calibrate(monkeypatch, config, out):
    """Run in this process; give the exit status."""
    words = ["diffhydro", "calibrate", "--no-cache", str(config), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def refused(monkeypatch, capsys, folder, config):
    out = folder / "refused"
    assert calibrate(monkeypatch, write(folder, config), out) == 2
    assert not out.exists()
    return capsys.readouterr().err


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Run a twin once, for all tests that look at what it left."""
    folder = tmp_path_factory.mktemp("twin")
    out = folder / "out"
    with pytest.MonkeyPatch.context() as patch:
        assert calibrate(patch, write(folder, TWIN), out) == 0
    return out


@pytest.mark.slow
def test_parameters_and_series_of_a_twin_are_written(done):
    with xr.open_dataset(done / "fitted.nc", engine="h5netcdf") as found:
        found.load()
    assert found["site"].values.tolist() == SITES
    assert found["parameter"].values.tolist() == TWIN["train"]
    assert found["unit"].values.tolist() == ["mm", "-", "-"]
    assert found.sizes["time"] == 3 * 365
    assert ((found["value"] >= found["lower"]) & (found["value"] <= found["upper"])).all()
    assert found["loss"].shape == (3, 2)
    assert (found["ending"] == 1).all()
    assert found["ending"].attrs["flag_meanings"].split()[1] == "converged"
    # The noise is the sigma that was looked for: 214 days, three standard deviations.
    np.testing.assert_allclose(found["value_true"][:, 2], 0.3, rtol=1e-5)
    off = found["value"][:, 2] / found["value_true"][:, 2] - 1.0
    assert (np.abs(off) < 3.0 / (2 * 214) ** 0.5).all()
    assert np.isfinite(found["runoff_observed"]).all()
    error = found["runoff_fitted"] - found["runoff_observed"]
    days = (found["time"] >= np.datetime64("2001-03-01")) & (
        found["time"] <= np.datetime64("2001-09-30")
    )
    assert (error[:, days.values].std("time") < 0.4).all()


@pytest.mark.slow
def test_tables_agree_with_the_data_set(done):
    found = xr.open_dataset(done / "fitted.nc", engine="h5netcdf")
    table = rows(done / "parameters.csv")
    assert [row["site"] for row in table[::3]] == SITES
    values = np.reshape([float(row["fitted"]) for row in table], (3, 3))
    np.testing.assert_allclose(values, found["value"], rtol=1e-5)
    words = {"lower": -1, "": 0, "upper": 1}
    sits = np.reshape([words[row["on_bound"]] for row in table], (3, 3))
    np.testing.assert_array_equal(sits, found["on_bound"])
    scores = rows(done / "scores.csv")
    assert {row["series"] for row in scores} == {"runoff", "evapotranspiration"}
    assert {row["period"] for row in scores} == {"train", "test"}
    assert {row["of"] for row in scores} == {"before", "fitted", "climatology"}
    by = {(r["site"], r["series"], r["period"], r["of"]): float(r["rmse"]) for r in scores}
    for site in SITES:
        assert by[site, "runoff", "train", "fitted"] <= by[site, "runoff", "train", "before"]
    days = {row["period"]: row["days"] for row in scores if row["of"] == "fitted"}
    assert days == {"train": "214", "test": "92"}


@pytest.mark.slow
def test_the_report_holds_every_picture_and_says_why_sites_are_worst(done):
    page = (done / "report.html").read_text(encoding="utf-8")
    inside = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    pictures = {(done / "figures" / f"{name}.png").read_bytes() for name in PICTURES}
    assert {base64.b64decode(one) for one in inside} == pictures
    assert len(pictures) == len(inside) == len(PICTURES)
    worst = re.findall(r"<p>(.*?): RMSE \d\.\d+, of whose square", page)
    assert set(worst) == set(SITES)
    assert "All sites have a result." in page
    assert re.search(r"Median RMSE of runoff over 3 sites, on held-out days: 0\.\d+ \(be", page)
    for site in SITES:
        assert f"<td>{site}</td>" in page


@pytest.mark.slow
def test_a_phone_can_show_the_report(done, tmp_path):
    assert_readable(done / "report.html", tmp_path, pictures=len(PICTURES))


@pytest.mark.slow
def test_a_calibration_is_reported_like_any_run(done, tmp_path):
    report([done], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<img") == len(PICTURES)
    assert re.search(r"<td>out</td><td>calibrate</td><td>yes</td><td>\d+\.\d</td>", page)
    assert "finished after" in page
    head = "".join(f"<th>{name}</th>" for name in rows(done / "scores.csv")[0])
    assert head in page
    assert f"60 of {len(rows(done / 'scores.csv'))} rows" not in page
    for row in rows(done / "parameters.csv"):
        assert f"<td>{row['site']}</td><td>{row['parameter']}</td><td>{row['unit']}</td>" in page


@pytest.mark.slow
def test_what_is_finished_is_not_touched(monkeypatch, capsys, done):
    before = contents(done)
    assert not (done / "checkpoints").exists()
    assert json.loads((done / "run.json").read_text(encoding="utf-8"))["finished"]
    assert "finished after" in (done / "log.txt").read_text(encoding="utf-8")
    told = yaml.safe_load((done / "config.yaml").read_text(encoding="utf-8"))
    assert told["twin"] == {"noise": 0.3, "seed": 1}
    assert calibrate(monkeypatch, done.parent / "config.yaml", done) == 2
    assert "holds a finished run" in capsys.readouterr().err
    assert contents(done) == before


@pytest.fixture(scope="module")
def stations(tmp_path_factory):
    """A file as of stations: two months, a gap in the weather, and a site without observations."""
    folder = tmp_path_factory.mktemp("stations")
    source = embedded_weather(120).isel(site=[3, 4, 5, 11])
    rng = np.random.default_rng(0)
    runoff = rng.gamma(2.0, 0.3, source["precipitation"].shape)
    runoff[rng.random(runoff.shape) < 0.3] = np.nan
    runoff[2] = np.nan
    source["temperature"][1, 40:42] = np.nan
    data = source.assign(
        runoff=(("site", "time"), runoff, {"units": "mm day-1"}),
        evaporation=(("site", "time"), 2.0 + 0.1 * runoff, {"units": "mm day-1"}),
        region=("site", np.array([1.0, 1.0, 2.0, 2.0])),
    )
    data.to_netcdf(folder / "stations.nc", engine="h5netcdf")
    return folder


STATIONS = {
    "model": "hbv",
    "data": {"sites": "stations.nc"},
    "observed": [{"variable": "runoff", "loss": "kge"}],
    "train": ["field_capacity", "k1"],
    "period": {"train": ["2001-02-01", "2001-03-20"], "spin_up": 20},
    "search": {"method": "adam", "starts": 2, "most": 15},
    "sharing": {"shared": ["k1"], "by_cluster": ["field_capacity"], "clusters": "region"},
    "dtype": "float64",
}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_stations_that_share_parameters_with_too_few_days_for_a_score(
    monkeypatch, capsys, stations, tmp_path
):
    """A loss without residuals, a site without observations, a filled gap: all are told."""
    out = tmp_path / "out"
    assert calibrate(monkeypatch, write(stations, STATIONS), out) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "temperature: of 480 values, 2 by linear" in told
    assert "prairie was not fitted: no observation of runoff" in told
    with xr.open_dataset(out / "fitted.nc", engine="h5netcdf") as found:
        k1, capacity = found["value"].sel(parameter=["k1", "field_capacity"]).values.T
        assert len({*k1}) == 1
        assert capacity[0] == capacity[1]
        assert capacity[2] == capacity[3]
        assert capacity[0] != capacity[2]
        assert np.isnan(found["correlation"]).all()
    assert {row["rmse"] for row in rows(out / "scores.csv")} == {"nan"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "prairie was not fitted: no observation of runoff on a day of the weather" in page
    for name in PICTURES:
        assert (out / "figures" / f"{name}.png").stat().st_size > 5000


def test_what_cannot_be_used_is_said_before_anything_is_written(
    monkeypatch, capsys, stations, tmp_path
):
    def told(**changed):
        return refused(monkeypatch, capsys, tmp_path, TWIN | changed)

    assert "add `twin: {noise: 0.02}`" in told(twin=None)
    message = told(period={"train": ["1999-01-01", "1999-12-31"]})
    assert "period.train is 1999-01-01 to 1999-12-31" in message
    assert "2001-01-01 to 2003-12-31" in message
    assert "none is left to fit" in told(period={"test": ["1999-01-01", "2009-01-01"]})
    assert "did you mean field_capacity" in told(train=["feld_capacity"])
    assert "did you mean errors.runoff.sigma" in told(train=["errors.runoff.sigm"])
    assert "no site rain forst" in told(data={"sites": "embedded", "only": ["rain forst"]})
    assert "nowhere.nc" in told(data={"sites": "nowhere.nc"})
    assert "did you mean beta" in told(sharing={"shared": ["betta"]})
    assert "has no attribute biome" in told(sharing={"by_cluster": ["beta"], "clusters": "biome"})
    assert "nothing is called 'betta'" in told(parameters={"betta": 3.0})
    deserts = {"sites": "embedded", "only": ["desert"]}
    message = told(data=deserts, train="wetland", model="wbm")
    assert "none of the 1 sites is one" in message


def test_stations_without_any_observation_are_refused(monkeypatch, capsys, stations):
    only = {"sites": "stations.nc", "only": ["prairie"]}
    told = refused(
        monkeypatch, capsys, stations, STATIONS | {"data": only, "sharing": {}, "dtype": "float32"}
    )
    assert "no observation of runoff on a day of the weather" in told


def test_an_unfinished_calibration_of_another_kind_is_not_mixed_in(monkeypatch, capsys, tmp_path):
    out = tmp_path / "out"
    config = located(read_as(Config, write(tmp_path, TWIN)), tmp_path)
    with open_run(out, as_yaml(config), [config.data.sites], Console(quiet=True)):
        pass
    other = write(tmp_path, TWIN | {"search": {"starts": 3}, "dtype": "float64"}, "other.yaml")
    assert calibrate(monkeypatch, other, out) == 2
    told = capsys.readouterr().err
    assert "unfinished run that differs in search, dtype;" in told


def test_the_queue_is_saved_now_and_then_and_comes_back(monkeypatch, tmp_path):
    seen = []
    told = {"config": {"model": "hbv"}}
    queue = line_up(LevenbergMarquardt(), np.zeros((3, 2)), np.arange(3), 2)
    keeper = program._Keeper(tmp_path, told, seen.append)
    assert keeper.last(queue) is queue
    keeper(queue)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(program, "_EVERY", 0.0)
    later = queue._replace(round=queue.round + 7, waiting=np.asarray(3))
    keeper(later)
    assert seen == [queue, later]
    back = program._Keeper(tmp_path, told, seen.append).last(queue)
    assert named(back).keys() == named(later).keys()
    for name, x in named(later).items():
        np.testing.assert_array_equal(named(back)[name], x)
    other = program._Keeper(tmp_path, {"config": {"model": "wbm"}}, seen.append)
    with pytest.raises(InputError, match="of another config"):
        other.last(queue)


# One lane, so that there are many rounds.
SMALL = {
    "model": "hbv",
    "data": {"sites": "embedded", "only": SITES[:1]},
    "observed": [{"variable": "runoff"}],
    "train": ["field_capacity", "beta"],
    "period": {"train": ["2001-01-01", "2001-09-30"], "spin_up": 0},
    "search": {"starts": 16, "lanes": 1},
    "twin": {"noise": 0.3},
}
# Saves after every round, so that there is something to kill, draws nothing, and says how many
# searches were over at the beginning. Of two folders the second has the programs of the first.
PROGRAM = """
import os
import sys
import time
from pathlib import Path
import diffhydro.app.calibrate as program
program._EVERY = 0.0
if "SLOWLY" in os.environ:
    keep = program.save
    program.save = lambda *words: (keep(*words), time.sleep(0.15))
last = program._Keeper.last
def told(keeper, like):
    queue = last(keeper, like)
    print("over:", int((queue.found.status > 0).sum()))
    return queue
program._Keeper.last = told
program.write_report = program.show = program.blank_figure = lambda *words: None
config, *outs = map(Path, sys.argv[1:])
for out in outs:
    program.run(config, out)
"""


def ended(queue):
    """Count the searches that are over, of those that were saved."""
    if not queue.exists():
        return 0
    with np.load(queue) as found:
        return int((found["found.status"] > 0).sum())


@pytest.mark.slow
def test_a_killed_calibration_goes_on_and_equals_one_that_was_not(tmp_path):
    config = write(tmp_path, SMALL)

    def command(*outs):
        return [sys.executable, "-c", PROGRAM, *map(str, (config, *outs))]

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    slowly = {**os.environ, "SLOWLY": "1"}
    running = subprocess.Popen(command(killed), stderr=subprocess.DEVNULL, env=slowly)
    deadline = time.monotonic() + 300
    queue = killed / "checkpoints" / "queue.npz"
    while ended(queue) < 3:
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not json.loads((killed / "run.json").read_text(encoding="utf-8"))["finished"]
    assert 3 <= ended(queue) < SMALL["search"]["starts"], "killed half-way"
    again = subprocess.run(command(killed, whole), check=False, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    over = [int(x) for x in re.findall(r"over: (\d+)", again.stdout)]
    assert over[0] >= 3, "it began anew"
    assert over[1:] == [0]
    one, other = (xr.open_dataset(out / "fitted.nc", engine="h5netcdf") for out in (killed, whole))
    xr.testing.assert_identical(one.load(), other.load())
    assert {path.name for path in killed.iterdir()} == {path.name for path in whole.iterdir()}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_configuration_it_leaves_fits_the_same(done, monkeypatch, tmp_path):
    again = tmp_path / "again"
    words = ["diffhydro", "run", "--no-cache", str(done / "config.yaml"), "--out", str(again)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code in (0, None)
    for name in ("scores.csv", "parameters.csv"):
        assert (again / name).read_bytes() == (done / name).read_bytes()
