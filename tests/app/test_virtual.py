"""`diffhydro data virtual` says what it made, and draws it."""

import pytest
from typer.testing import CliRunner

from diffhydro.app import virtual
from diffhydro.app.cli import app
from diffhydro.data.virtual import Preset

pytest.importorskip("matplotlib")
pytest.importorskip("zarr")


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_world_from_the_command_line(tmp_path, monkeypatch, capsys):
    speck = Preset("speck", 45.0, "2018-01-01", "2018-03-15", 4, 0)
    monkeypatch.setitem(virtual.PRESETS, "tiny", speck)
    virtual.run("tiny", 5, tmp_path / "world", picture=True)
    assert (tmp_path / "world" / "overview.png").read_bytes().startswith(b"\x89PNG")
    said = " ".join(capsys.readouterr().err.split())
    assert f"{len(speck.cells()[0])} cells, 4 stations, 2018-01-01 to 2018-03-15, seed 5" in said
    assert "Everything in it is invented" in said


def test_help_names_the_presets():
    answer = CliRunner().invoke(app, ["data", "virtual", "--help"])
    assert answer.exit_code == 0
    assert "tiny|small|study" in answer.output
