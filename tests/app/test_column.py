"""`diffhydro column` from the file to what is printed, against a reference that is known."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from diffhydro.app import cli

REFERENCE = Path(__file__).parents[1] / "reference" / "richards"
CASE = "p05_srivastava_yeh_homogeneous"


def run(monkeypatch, capsys, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["diffhydro", "column", *arguments, "--no-cache"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    printed = capsys.readouterr()
    assert stop.value.code == 0, printed.err
    return printed.out


@pytest.mark.slow
def test_the_written_files_have_the_references_columns_and_rows(monkeypatch, capsys, tmp_path):
    case = REFERENCE / f"{CASE}.json"
    said = run(monkeypatch, capsys, str(case), "--out", str(tmp_path), "--nodes", "60", "--compare")
    for kind in ("profiles", "series"):
        ours = (tmp_path / f"{CASE}_{kind}.csv").read_text().splitlines()
        theirs = (REFERENCE / f"{CASE}_{kind}.csv").read_text().splitlines()
        assert ours[0] == theirs[0]
        assert len(ours) == len(theirs)
        for mine, other in zip(ours[1:], theirs[1:], strict=True):
            assert float(mine.split(",")[0]) == pytest.approx(float(other.split(",")[0]))
    record = json.loads((tmp_path / f"{CASE}_run.json").read_text())
    assert record["errors"]["theta_mean_abs"] < 5e-4
    for word in ("theta", "cum_bottom_outflow", "storage", "60 layers"):
        assert word in said


@pytest.mark.slow
def test_comparing_alone_writes_nothing(monkeypatch, capsys, tmp_path):
    for file in REFERENCE.glob(f"{CASE}*"):
        shutil.copy(file, tmp_path)
    before = sorted(tmp_path.iterdir())
    run(monkeypatch, capsys, str(tmp_path / f"{CASE}.json"), "--nodes", "20", "--compare")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_a_wrong_reference_shows(monkeypatch, capsys, tmp_path):
    """The comparison sees an error that is put in on purpose."""
    for file in REFERENCE.glob(f"{CASE}*"):
        shutil.copy(file, tmp_path)
    series = tmp_path / f"{CASE}_series.csv"
    lines = series.read_text().splitlines()
    cells = lines[-1].split(",")
    place = lines[0].split(",").index("storage")
    cells[place] = repr(float(cells[place]) * 1.02)
    series.write_text("\n".join([*lines[:-1], ",".join(cells)]) + "\n")
    run(monkeypatch, capsys, str(tmp_path / f"{CASE}.json"), "--out", str(tmp_path / "o"),
        "--nodes", "60", "--compare")  # fmt: skip
    record = json.loads((tmp_path / "o" / f"{CASE}_run.json").read_text())
    assert record["errors"]["series"]["storage"]["worst_over_allowed"] == pytest.approx(
        4.0, rel=0.1
    )
