"""What a study leaves and says, with a recipe that takes no time."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from pydantic import BaseModel

from diffhydro.app import experiment
from diffhydro.app.experiment import cells_of, run, run_file

pytest.importorskip("matplotlib", reason="the plot extra is not installed")


class Preset(BaseModel):
    seeds: list[int] = [0]
    warm: bool = False


@pytest.fixture
def asked(monkeypatch):
    """Put a recipe in place of all; give what it was asked."""
    calls = []
    rows = [{"step": f"s{i}", "seconds": i / 7.0} for i in range(70)]

    def study(settings, out, *, data, attributes, report):
        calls.append((settings, data, attributes))
        report("begun")
        checks = {"it is dry": True, "it is wet": False}
        tables = {"table_1_time": rows, "few": [{"a": 1}, {"b": float("nan")}], "none": []}
        return SimpleNamespace(tables=tables, figures=[], checks=checks, words=["Some."])

    def read_preset(name, changes):
        return Preset.model_validate(changes)

    recipe = SimpleNamespace(run=study, Preset=Preset, read_preset=read_preset)
    monkeypatch.setattr(experiment, "recipe_of", lambda name: recipe)
    return calls


def test_a_folder_says_what_was_asked_and_asks_the_same_again(asked, tmp_path):
    one, again, other = (tmp_path / name for name in ("one", "again", "other"))
    files = {"data": tmp_path / "sites.nc", "attributes": tmp_path / "table.csv"}
    run("any", "tiny", one, **files, changes=["seeds=[3]"])
    run_file(one / "config.yaml", again)
    run_file(one / "config.yaml", other, ["settings.warm=true"])
    assert asked[0] == (Preset(seeds=[3]), *files.values())
    assert asked[1] == asked[0]
    assert asked[2] == (Preset(seeds=[3], warm=True), *files.values())
    told = yaml.safe_load((again / "config.yaml").read_text())
    assert told == yaml.safe_load((one / "config.yaml").read_text())
    assert told["data"] == str(files["data"])


def test_the_page_and_the_log_say_which_claims_held(asked, tmp_path, capsys):
    run("any", "tiny", tmp_path / "run")
    said, log = capsys.readouterr().out, (tmp_path / "run" / "log.txt").read_text()
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for text in (said, log):
        assert "\nNOT held: it is wet" in text or " NOT held: it is wet" in text
        assert "held: it is dry" in text.replace("NOT held: it is dry", "")
    assert "1 of 2 claims held. Failed: it is wet." in page
    assert asked[0][1:] == (None, None)


def test_long_tables_are_cut_on_the_page_and_not_shown_on_a_terminal(asked, tmp_path, capsys):
    run("any", "tiny", tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "60 of 70 rows; table_1_time.csv has all." in page
    assert "<td>s59</td>" in page
    assert "<td>s60</td>" not in page
    assert "of 2 rows" not in page
    said = capsys.readouterr().out
    assert "Few" in said
    assert "Table 1 time" not in said


def test_cells_are_short_and_what_is_not_there_is_a_dash():
    rows = [{"a": 1, "b": 0.123456}, {"b": float("nan"), "c": Path("x")}]
    assert cells_of(rows) == [("a", "b", "c"), ("1", "0.1235", "–"), ("–", "–", "x")]
