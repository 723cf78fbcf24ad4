"""`diffhydro train`, `run`, `evaluate` and `predict`: what they leave, and what they refuse."""

import json
import re
import shutil

import numpy as np
import pytest
import xarray as xr
import yaml

import diffhydro as dh
from diffhydro.app.train import training
from diffhydro.app.train.run import run
from diffhydro.training import read_history
from tests.app.browser import assert_readable
from tests.app.train_case import NETWORK, call, write_config, write_sites

pytest.importorskip("h5netcdf", reason="the data extra is not installed")
pytest.importorskip("matplotlib", reason="the plot extra is not installed")

PROMISED = [
    *("config.yaml", "metrics.csv", "scores.nc", "predictions.nc", "report.html", "log.txt"),
    *("run.json", "model.dh", "checkpoints", "figures/series.png"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("train")
    write_sites(path)
    return path


@pytest.fixture(scope="module")
def done(folder):
    """Train once, for all tests that look at what it left."""
    out = folder / "run"
    with pytest.MonkeyPatch.context() as patch:
        config = write_config(folder)
        assert call(patch, "train", "--no-cache", config, "--out", out) == 0
    return out


@pytest.mark.slow
def test_a_run_leaves_all_that_it_promises(done):
    for name in PROMISED:
        assert (done / name).exists(), name
    assert json.loads((done / "run.json").read_text())["finished"]
    assert len(list((done / "models").glob("*.dh"))) == 3
    assert "finished" in (done / "log.txt").read_text()


@pytest.mark.slow
def test_every_site_is_scored_once_and_the_network_has_learnt(done):
    scores = xr.load_dataset(done / "scores.nc", engine="h5netcdf")
    rmse = scores["rmse"].sel(model="model")
    assert rmse.notnull().all()
    assert rmse.sizes["site"] == 12
    assert float(rmse.median()) < float(scores["rmse"].sel(model="site mean").median())


@pytest.mark.slow
def test_nothing_is_predicted_before_the_warm_up(done):
    series = xr.load_dataset(done / "predictions.nc", engine="h5netcdf")["soil_moisture"]
    network = series.sel(model="model")
    assert network[:, :20].isnull().all()
    assert network[:, 20:].notnull().all()


@pytest.mark.slow
def test_the_report_needs_nothing_but_itself(done):
    text = (done / "report.html").read_text()
    assert text.count("data:image/png;base64,") == 3
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "<script" not in text
    assert "equals central differences" in text
    assert 'class="verdict good"' in text, "what every training promises holds"


@pytest.mark.slow
def test_a_phone_can_show_the_report(done, tmp_path):
    assert_readable(done / "report.html", tmp_path, pictures=3)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_configuration_of_a_run_makes_the_same_run(done, folder, monkeypatch):
    again = folder / "again"
    assert call(monkeypatch, "run", "--no-cache", done / "config.yaml", "--out", again) == 0
    assert (again / "metrics.csv").read_bytes() == (done / "metrics.csv").read_bytes()
    for name in ("scores.nc", "predictions.nc"):
        a, b = (xr.load_dataset(x / name, engine="h5netcdf") for x in (again, done))
        xr.testing.assert_identical(a, b)


@pytest.mark.slow
def test_predict_gives_the_mean_of_the_networks_and_evaluate_its_scores(done, folder, monkeypatch):
    where, scores = folder / "predicted.nc", folder / "evaluated.nc"
    data = write_sites(folder, days=150, name="other.nc")
    assert call(monkeypatch, "predict", done, "--data", data, "--out", where) == 0
    assert call(monkeypatch, "evaluate", done, "--data", data, "--out", scores) == 0
    found = xr.load_dataset(where, engine="h5netcdf")
    truth = xr.load_dataset(data, engine="h5netcdf")["soil_moisture"][..., 0]
    off = (found["soil_moisture"] - truth).values[:, 20:]
    rmse = np.sqrt((off**2).mean(axis=1))
    told = xr.load_dataset(scores, engine="h5netcdf")["rmse"]
    np.testing.assert_allclose(rmse, told, rtol=1e-4)
    assert (found["spread"][:, 20:] > 0).all()


@pytest.mark.slow
def test_a_model_file_opens_alone(done):
    one = next((done / "models").glob("*.dh"))
    model = dh.load(one)
    given = dh.Inputs(
        {name: np.zeros((1, 30), np.float32) for name in NETWORK["model"]["series"]},
        {name: np.full(1, 30.0, np.float32) for name in NETWORK["model"]["attributes"]},
    )
    assert model(given).shape == (1, 30)


@pytest.mark.slow
def test_an_interrupted_training_goes_on_and_ends_the_same(done, folder, monkeypatch):
    out, calls = folder / "stopped", []
    real = training.fit_ensemble

    def stops(*args, **changes):
        def stop(state, rows):
            calls.append(rows)
            if len(calls) == 2:
                raise KeyboardInterrupt

        return real(*args, **(changes | {"on_epoch": stop}))

    config = write_config(folder)
    with monkeypatch.context() as patch:
        patch.setattr(training, "fit_ensemble", stops)
        with pytest.raises(KeyboardInterrupt):
            run(config, out)
    assert call(monkeypatch, "train", "--no-cache", config, "--out", out) == 0
    assert (out / "metrics.csv").read_bytes() == (done / "metrics.csv").read_bytes()
    assert read_history(out / "metrics.csv").rows
    assert "gone on" in (out / "log.txt").read_text()


@pytest.mark.exhaustive
@pytest.mark.slow
def test_runs_are_reported_beside_each_other(done, folder, monkeypatch, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(done, other)
    page = tmp_path / "both.html"
    assert call(monkeypatch, "report", done, other, "--out", page) == 0
    assert_readable(page, tmp_path, pictures=8)
    assert "Beside each other" in page.read_text(encoding="utf-8")
    assert call(monkeypatch, "report", folder, "--out", page) == 2
    assert "no run.json" in capsys.readouterr().err


def refused(monkeypatch, capsys, folder, **changes):
    out = folder / "refused"
    config = write_config(folder, **changes)
    assert call(monkeypatch, "train", "--no-cache", config, "--out", out) == 2
    assert not out.exists()
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training__epoch": 3}, r"training\.epoch; did you mean epochs"),
        ({"model__coupling": "dynamic"}, "learns nothing"),
        ({"model__learns": ["upland.soil.k_sat"]}, "not of network"),
        ({"model__coupling": "past"}, r"warm-up of 20 days is shorter.*30"),
        ({"windows__warm_up": 90}, "leaves nothing of 80"),
        ({"hold_out__validation": 0}, "patience needs a validation"),
        ({"hold_out__folds": 13}, "13 folds of 12 sites"),
        ({"hold_out__only": ["fold 9"]}, r"no fold 'fold 9'.*fold 1 of 3"),
        ({"model__attributes": ["sandy"]}, "has no sandy; known of a site"),
        ({"model__series": ["precipitation", "windy"]}, "no windy"),
        ({"depth": 100.0, "data__sites": "nowhere.nc"}, "nowhere"),
        ({"windows__batch": 500}, "larger than the data"),
        ({"data__only": ["tundra", "nowhere"]}, "no site nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_written(
    changes, said, folder, monkeypatch, capsys
):
    err = refused(monkeypatch, capsys, folder, **changes)
    assert re.search(said, err), err


@pytest.mark.slow
def test_a_finished_folder_is_not_written_over(done, folder, monkeypatch, capsys):
    config = write_config(folder)
    assert call(monkeypatch, "train", config, "--out", done) == 2
    assert "finished run" in capsys.readouterr().err


def test_keys_are_set_and_printed(folder, monkeypatch, capsys):
    config = write_config(folder)
    words = ("train", config, "--print-config", "--set", "training.epochs=7")
    assert call(monkeypatch, *words, "--set", "model.head.hidden=9") == 0
    found = yaml.safe_load(capsys.readouterr().out)
    assert found["training"]["epochs"] == 7
    assert found["model"]["head"] == {
        "kind": "lstm", "hidden": 9, "layers": 2, "dropout": 0.0, "start": 1.0
    }  # fmt: skip
    assert call(monkeypatch, "train", config, "--print-config", "--set", "training") == 2
    assert "expected key=value" in capsys.readouterr().err


def test_run_asks_for_a_task(folder, monkeypatch, capsys):
    assert call(monkeypatch, "run", write_config(folder), "--out", folder / "x") == 2
    assert "task is None" in capsys.readouterr().err
