"""`diffhydro experiment`: a study from the command line, its folder, and its models elsewhere."""

import numpy as np
import pytest
import xarray as xr
import yaml

from tests.app.browser import assert_readable
from tests.app.train_case import call
from tests.experiments.test_global_pgdl_stations import SPIN_UP, stations

pytest.importorskip("h5netcdf", reason="the data extra is not installed")
pytest.importorskip("matplotlib", reason="the plot extra is not installed")

PHYSICS = {"steps": 2, "size": 2, "length": 90, "warm_up": 30}
SMALL = {
    "seeds": "[0]",
    "stations.spin_up": SPIN_UP,
    "stations.trees": 5,
    **{f"stations.physics.{key}": value for key, value in PHYSICS.items()},
    **{f"stations.deep.{key}": value for key, value in PHYSICS.items() if key != "size"},
    "stations.fed.steps": 2,
    "stations.fed.length": 60,
    "stations.coupled": "null",
    "stations.conserving": "null",
}
SET = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_study_leaves_a_report_and_models_that_predict_elsewhere(tmp_path, monkeypatch, capsys):
    data, out = tmp_path / "sites.nc", tmp_path / "run"
    stations().to_netcdf(data, engine="h5netcdf")
    words = ("global_pgdl", "--preset", "stations", "--data", data, "--out", out, *SET)
    assert call(monkeypatch, "experiment", *words) == 0
    page = out / "report.html"
    pictures = page.read_text(encoding="utf-8").count("<img")
    assert pictures >= 1
    assert_readable(page, tmp_path, pictures)
    assert call(monkeypatch, "experiment", *words) == 2
    assert "finished run" in capsys.readouterr().err

    other, said, scores = (tmp_path / name for name in ("other.nc", "said.nc", "scores.nc"))
    stations().isel(time=slice(30, 400)).to_netcdf(other, engine="h5netcdf")
    assert call(monkeypatch, "predict", out, "--data", other, "--out", said) == 0
    found = xr.load_dataset(said, engine="h5netcdf")["soil_moisture"]
    assert {*found["model"].values} == {"PB", "DL", "PGDL fed", "DL by day", "DL mean"}
    assert dict(found.sizes) == {"model": 5, "site": 5, "time": 370}
    assert np.isfinite(found).all()
    assert call(monkeypatch, "evaluate", out, "--data", other, "--out", scores) == 0
    told = xr.load_dataset(scores, engine="h5netcdf")["rmse"]
    assert (told.sel(model="PGDL fed") > 0).all()

    again = tmp_path / "again"
    assert call(monkeypatch, "run", out / "config.yaml", "--out", again) == 0
    for name in ("medians.csv", "stations.csv"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def test_settings_are_printed_with_what_was_set(monkeypatch, capsys):
    assert (
        call(monkeypatch, "experiment", "global_pgdl", "--print-config", "--set", "seeds=[4]") == 0
    )
    assert yaml.safe_load(capsys.readouterr().out)["seeds"] == [4]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("global_pgld",), "did you mean global_pgdl"),
        (("global_pgdl", "--preset", "smal"), "did you mean small"),
        (("global_pgdl", "--preset", "tiny", "--set", "network.step=3"), "did you mean steps"),
        (("global_pgdl", "--preset", "stations"), "give their file"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(words, said, monkeypatch, capsys, tmp_path):
    out = tmp_path / "out"
    assert call(monkeypatch, "experiment", *words, "--out", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
