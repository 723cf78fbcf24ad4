"""`diffhydro simulate`: results, restarts, halves, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr
import yaml

from diffhydro.app.cli import main
from diffhydro.core.states import save
from diffhydro.data.embedded import embedded_weather

zarr = pytest.importorskip("zarr", reason="the data extra is not installed")
MODELS = ("wbm", "hbv", "column")
# Lanes of another number round differently, and an adaptive step at its limit of error is then
# taken here and halved there: only in double precision do columns agree whatever is beside them.
PRECISION = {"wbm": "float32", "hbv": "float32", "column": "float64"}


@pytest.fixture(scope="module")
def weather(tmp_path_factory):
    path = tmp_path_factory.mktemp("weather") / "weather.nc"
    embedded_weather(50).to_netcdf(path, engine="h5netcdf")
    return path


def command(*words):
    program = "from diffhydro.app.cli import main; main()"
    return [sys.executable, "-c", program, "simulate", *map(str, words)]


def simulate(monkeypatch, *words):
    """Run in this process; give the exit status."""
    monkeypatch.setattr(sys, "argv", ["diffhydro", "simulate", "--no-cache", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def opened(path):
    if path.suffix == ".nc":
        return xr.open_dataset(path, engine="h5netcdf").load()
    return xr.open_zarr(path, consolidated=False, chunks=None).load()


@pytest.mark.exhaustive
@pytest.mark.parametrize("model", MODELS)
def test_results_close_and_do_not_depend_on_chunks(monkeypatch, capsys, weather, tmp_path, model):
    whole, parts = tmp_path / "whole.zarr", tmp_path / "parts.nc"
    common = ("--model", model, "--data", weather, "--dtype", PRECISION[model])
    assert simulate(monkeypatch, *common, "--out", whole) == 0
    told = capsys.readouterr().out
    assert "water budget, mean of 12 sites" in told
    assert simulate(monkeypatch, *common, "--out", parts, "--chunk", 5) == 0
    one, other = opened(whole), opened(parts)
    assert set(one.data_vars) == set(other.data_vars)
    for name in set(one.data_vars) - {"forced_steps"}:
        np.testing.assert_allclose(other[name], one[name], rtol=2e-4, atol=2e-4, err_msg=name)
    source = xr.open_dataset(weather, engine="h5netcdf")
    np.testing.assert_array_equal(one["site"], source["site"])
    np.testing.assert_array_equal(one["time"], source["time"])
    np.testing.assert_allclose(one["precipitation"], source["precipitation"], rtol=1e-6)
    assert one["runoff"].attrs["units"] == "mm"
    assert one.attrs["Conventions"].startswith("CF")
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("model", MODELS)
def test_two_halves_are_one_run_bit_for_bit(monkeypatch, weather, tmp_path, model):
    source = xr.open_dataset(weather, engine="h5netcdf").load()
    halves = [tmp_path / "a.nc", tmp_path / "b.nc"]
    source.isel(time=slice(0, 20)).to_netcdf(halves[0], engine="h5netcdf")
    source.isel(time=slice(20, None)).to_netcdf(halves[1], engine="h5netcdf")
    state, end, ends = (tmp_path / name for name in ("state", "end", "ends"))
    common = ("--model", model, "--data")
    whole = (*common, weather, "--out", tmp_path / "whole.zarr", "--state-out", end)
    first = (*common, halves[0], "--out", tmp_path / "a.zarr", "--state-out", state)
    second = (*common, halves[1], "--out", tmp_path / "b.zarr", "--state-in", state)
    assert simulate(monkeypatch, *whole) == 0
    assert simulate(monkeypatch, *first) == 0
    assert simulate(monkeypatch, *second, "--state-out", ends) == 0
    one = opened(tmp_path / "whole.zarr")
    two = [opened(tmp_path / f"{name}.zarr") for name in "ab"]
    for name in one.data_vars:
        if "time" in one[name].dims:
            joined = np.concatenate([part[name] for part in two], axis=1)
            np.testing.assert_array_equal(joined, one[name], err_msg=name)
    with np.load(end) as a, np.load(ends) as b:
        assert set(a) == set(b)
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_killed_run_goes_on_and_equals_one_that_was_not(weather, tmp_path):
    whole, killed = tmp_path / "whole.zarr", tmp_path / "killed.zarr"
    few = xr.open_dataset(weather, engine="h5netcdf").load()
    many = xr.concat([few.assign_coords(site=few["site"] + f" {i}") for i in range(10)], "site")
    data = tmp_path / "many.nc"
    many.to_netcdf(data, engine="h5netcdf")
    common = ("--model", "wbm", "--data", data, "--chunk", 1)
    environment = {**os.environ, "DIFFHYDRO_CACHE_DIR": str(tmp_path / "cache")}
    ends = [tmp_path / "a.state", tmp_path / "b.state"]
    done = subprocess.run(
        command(*common, "--out", whole, "--state-out", ends[0]), env=environment, check=False
    )
    assert done.returncode == 0
    running = subprocess.Popen(command(*common, "--out", killed), env=environment)
    partial = killed.with_name("killed.zarr.partial")
    deadline = time.monotonic() + 120
    while len(list(partial.glob("chunk_*.npz"))) < 3:
        assert running.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    marks = {mark: mark.stat().st_mtime_ns for mark in partial.glob("chunk_*.npz")}
    assert 3 <= len(marks) < 120, "killed half-way"
    assert not killed.exists()
    again = subprocess.run(
        command(*common, "--out", killed, "--state-out", ends[1]),
        env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert f"going on: {len(marks)} of 120 chunks are done" in again.stderr
    xr.testing.assert_identical(opened(killed), opened(whole))
    with np.load(ends[0]) as a, np.load(ends[1]) as b:
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_parameters_from_numbers_and_from_the_data(monkeypatch, weather, tmp_path):
    source = xr.open_dataset(weather, engine="h5netcdf").load()
    source["capacity"] = ("site", np.linspace(60.0, 400.0, 12))
    data, given = tmp_path / "w.nc", tmp_path / "p.yaml"
    source.to_netcdf(data, engine="h5netcdf")
    given.write_text(yaml.safe_dump({"field_capacity": "capacity", "k2": 0.1}))
    common = ("--model", "hbv", "--data", data)
    assert simulate(monkeypatch, *common, "--out", tmp_path / "a.nc") == 0
    assert simulate(monkeypatch, *common, "--out", tmp_path / "b.nc", "--params", given) == 0
    plain, changed = opened(tmp_path / "a.nc"), opened(tmp_path / "b.nc")
    assert not np.allclose(plain["runoff"], changed["runoff"])


def refused(monkeypatch, capsys, tmp_path, *words):
    out = tmp_path / "refused.zarr"
    assert simulate(monkeypatch, *words, "--out", out) == 2
    assert not out.exists()
    return capsys.readouterr().err


def test_wrong_parameters_are_refused(monkeypatch, capsys, weather, tmp_path):
    given = tmp_path / "p.yaml"
    common = ("--model", "hbv", "--data", weather, "--params", given)
    for text, words in (
        ("feld_capacity: 3.0", ("feld_capacity", "did you mean field_capacity")),
        ("field_capacity: 5.0", ("field_capacity", "[50, 1000]", "tundra")),
        ("field_capacity: depth", ("depth", "not a variable")),
        ("field_capacity: [1, 2]", ("neither a number nor a name",)),
        ("- 3", ("expected lines path: value",)),
        ("a: {", ("is not YAML",)),
    ):
        given.write_text(text)
        told = refused(monkeypatch, capsys, tmp_path, *common)
        for word in words:
            assert word in told


def test_wrong_data_is_refused(monkeypatch, capsys, weather, tmp_path):
    source = xr.open_dataset(weather, engine="h5netcdf").load()
    strange = source.copy(deep=True)
    strange["is_wetland"][4] = 2.0
    for number, (changed, words) in enumerate(
        (
            (strange, ("is_wetland is 2", "temperate forest")),
            (source.drop_vars("leaf_area"), ("wbm needs leaf_area",)),
            (source.drop_vars("sand"), ("no sand",)),
        )
    ):
        data = tmp_path / f"w{number}.nc"
        changed.to_netcdf(data, engine="h5netcdf")
        told = refused(monkeypatch, capsys, tmp_path, "--model", "wbm", "--data", data)
        for word in words:
            assert word in told


def test_a_state_of_another_model_is_refused(monkeypatch, capsys, weather, tmp_path):
    state = tmp_path / "state"
    words = ("--model", "hbv", "--data", weather, "--out", tmp_path / "a.nc", "--state-out", state)
    assert simulate(monkeypatch, *words) == 0
    common = ("--model", "wbm", "--data", weather, "--state-in")
    assert "another model" in refused(monkeypatch, capsys, tmp_path, *common, state)
    with np.load(state) as found:
        arrays = {k: v for k, v in found.items() if k != "description"}
        told = json.loads(found["description"].tobytes())
    told["layout"]["soil"] = [[3], "float32"]
    other = tmp_path / "other"
    save(other, told, arrays)
    common = ("--model", "hbv", "--data", weather, "--state-in")
    assert "another layout" in refused(monkeypatch, capsys, tmp_path, *common, other)
    junk = tmp_path / "junk"
    junk.write_bytes(b"junk")
    assert "not a state file" in refused(monkeypatch, capsys, tmp_path, *common, junk)


def test_results_are_never_overwritten(monkeypatch, capsys, weather, tmp_path):
    out = tmp_path / "a.nc"
    out.write_text("precious")
    assert simulate(monkeypatch, "--model", "hbv", "--data", weather, "--out", out) == 2
    assert "exists" in capsys.readouterr().err
    assert out.read_text() == "precious"


def test_a_state_folder_that_is_not_there_is_said_before_the_work(
    monkeypatch, capsys, weather, tmp_path
):
    words = ("--model", "hbv", "--data", weather, "--state-out", tmp_path / "none" / "state")
    assert "there is no folder" in refused(monkeypatch, capsys, tmp_path, *words)
    assert not list(tmp_path.glob("*.partial"))


def test_a_kill_between_variables_leaves_nothing_without_its_attributes(
    monkeypatch, weather, tmp_path
):
    """Whatever part of the store is there, a run that goes on makes it what it would have been."""
    first, again = tmp_path / "first.zarr", tmp_path / "again.zarr"
    common = ("--model", "hbv", "--data", weather, "--chunk", 4)
    assert simulate(monkeypatch, *common, "--out", first) == 0
    written = []

    def stops(folder, *rest, **others):
        written.append(folder)
        if len(written) == 5:
            raise KeyboardInterrupt
        return create(folder, *rest, **others)

    create = zarr.Group.create_array
    with monkeypatch.context() as patch:
        patch.setattr(zarr.Group, "create_array", stops)
        patch.setattr(sys, "argv", ["diffhydro", *map(str, ("simulate", *common, "--out", again))])
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            main()
    assert not again.exists()
    assert simulate(monkeypatch, *common, "--out", again) == 0
    one, other = opened(first), opened(again)
    xr.testing.assert_identical(other, one)


def test_an_unfinished_run_of_another_kind_is_not_mixed_in(monkeypatch, capsys, weather, tmp_path):
    out = tmp_path / "a.zarr"
    partial = tmp_path / "a.zarr.partial"
    partial.mkdir()
    (partial / "run.json").write_text('{"model": "wbm"}')
    assert simulate(monkeypatch, "--model", "hbv", "--data", weather, "--out", out) == 2
    assert "unfinished run with another model" in capsys.readouterr().err


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("model", ["wbm", "column"])
def test_several_devices_give_what_one_gives(weather, tmp_path, model):
    outs = []
    for devices in (1, 4):
        out = tmp_path / f"{devices}.zarr"
        flags = f"--xla_force_host_platform_device_count={devices}"
        environment = {**os.environ, "XLA_FLAGS": flags}
        words = ("--model", model, "--data", weather, "--out", out, "--no-cache")
        words = (*words, "--dtype", PRECISION[model])
        done = subprocess.run(command(*words), env=environment, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
        outs.append(opened(out))
    for name in set(outs[0].data_vars) - {"forced_steps"}:
        np.testing.assert_allclose(outs[1][name], outs[0][name], rtol=2e-4, atol=2e-4, err_msg=name)
