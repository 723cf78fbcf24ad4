"""`diffhydro tune`: what a search leaves, that it goes on, and what it refuses."""

import pytest
import yaml

from tests.app.train_case import call, write_config, write_sites

pytest.importorskip("h5netcdf", reason="the data extra is not installed")
pytest.importorskip("optuna", reason="the tune extra is not installed")

SEARCH = {
    "settings": {
        "training.rate": {"between": [0.001, 0.1], "log": True},
        "model.head.hidden": {"one_of": [3, 6]},
    },
    "trials": 3,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tune")
    write_sites(path, days=120)
    return path


def config(folder, **changes):
    given = {"training__epochs": 2, "hold_out__folds": 2, "tune": SEARCH, "windows__length": 60}
    return write_config(folder, **(given | changes))


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_best_is_a_configuration_that_trains_and_a_search_goes_on(folder, monkeypatch, capsys):
    out = folder / "search"
    assert call(monkeypatch, "tune", config(folder), "--out", out, "--set", "tune.trials=2") == 0
    assert "best of 2 trials" in capsys.readouterr().out
    assert call(monkeypatch, "tune", config(folder), "--out", out) == 0
    assert "best of 3 trials" in capsys.readouterr().out
    best = yaml.safe_load((out / "best-config.yaml").read_text())
    chosen = yaml.safe_load((out / "best.yaml").read_text())["settings"]
    assert best["training"]["rate"] == chosen["training.rate"]
    assert best["model"]["head"]["hidden"] == chosen["model.head.hidden"]
    assert len((out / "trials.csv").read_text().splitlines()) == 4
    assert call(monkeypatch, "train", out / "best-config.yaml", "--print-config") == 0


@pytest.mark.exhaustive
@pytest.mark.slow
def test_two_processes_search_one_folder(folder, monkeypatch, capsys):
    out = folder / "together"
    assert call(monkeypatch, "tune", config(folder), "--out", out, "--workers", "2") == 0
    lines = (out / "trials.csv").read_text().splitlines()[1:]
    assert len(lines) >= 3
    assert {line.split(",")[1] for line in lines} == {"complete"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tune": None}, "says nothing of a search"),
        ({"tune": {"settings": {"training.rat": {"between": [0.1, 0.2]}}}}, "did you mean rate"),
        ({"tune": {"settings": {"training.rate": {}}}}, "give one of between, whole and one_of"),
        ({"tune": {"settings": {"training.rate": {"between": [0.2, 0.1]}}}}, "the lower first"),
        (
            {"hold_out__validation": 0, "training__patience": None},
            "judged by a validation",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(changes, said, folder, monkeypatch, capsys):
    out = folder / "refused"
    assert call(monkeypatch, "tune", config(folder, **changes), "--out", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
