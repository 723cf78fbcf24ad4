"""`diffhydro sensitivity`: what it leaves, what it says of it, and what it refuses."""

import base64
import csv
import html
import json
import re
import sys

import numpy as np
import pytest
import yaml

from diffhydro.app import sensitivity_methods as methods
from diffhydro.app.compare import run as report
from diffhydro.app.sensitivity import run
from diffhydro.errors import InputError
from tests.app.browser import assert_readable

pytest.importorskip("matplotlib", reason="the plot extra is not installed")
pytest.importorskip("SALib", reason="the sensitivity extra is not installed")

ALL = ["elasticities", "adjoint", "morris", "sobol", "dgsm"]
NEAR = ["elasticities", "adjoint"]
STUDY = {
    "model": "hbv",
    "data": {"sites": "embedded"},
    "site": "prairie",
    "observed": {"variable": "runoff"},
    "vary": ["beta", "field_capacity", "k1"],
    "period": ["2001-04-01", "2001-08-31"],
    "points": 16,
    "trajectories": 4,
}


def write(folder, **changes):
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(STUDY | changes))
    return path


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shown(page):
    """Give the rows of all tables of a page."""
    found = re.findall(r"<tr>(.*?)</tr>", page)
    return [tuple(re.findall(r"<t[dh]>(.*?)</t[dh]>", row)) for row in found]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Do every method once, for all tests that look at what that left."""
    folder = tmp_path_factory.mktemp("study")
    run(write(folder), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def page(done):
    return (done / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_study_leaves_what_every_run_leaves_and_a_table_of_each_method(done):
    usual = {"config.yaml", "run.json", "log.txt", "report.html", "figures"}
    assert {path.name for path in done.iterdir()} == usual | {f"{name}.csv" for name in ALL}
    drawn = {path.name for path in (done / "figures").iterdir()}
    assert drawn == {f"{name}.png" for name in ALL}
    assert json.loads((done / "run.json").read_text(encoding="utf-8"))["finished"]
    for name in ("morris", "sobol", "dgsm"):
        assert [row["parameter"] for row in rows(done / f"{name}.csv")] == STUDY["vary"]
    days = np.arange("2001-04-01", "2001-09-01", dtype="datetime64[D]").astype(str).tolist()
    for name in NEAR:
        assert [row["day"] for row in rows(done / f"{name}.csv")] == days


@pytest.mark.slow
def test_the_report_holds_every_picture_and_the_configuration(done, page):
    inside = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    drawn = {path.read_bytes() for path in (done / "figures").iterdir()}
    assert {base64.b64decode(one) for one in inside} == drawn
    assert len(inside) == len(ALL)
    assert html.escape((done / "config.yaml").read_text(encoding="utf-8")) in page


@pytest.mark.slow
def test_the_verdict_is_what_the_tables_say(done, page):
    verdict = re.findall(r'class="verdict plain">(.*?)</', page)
    assert len(verdict) == 1
    first = max(rows(done / "sobol.csv"), key=lambda row: float(row["total"]))
    assert f"{first['parameter']} has the largest" in verdict[0]
    assert f"{float(first['total']):.2f} ± {float(first['total_error']):.2f}" in verdict[0]
    assert verdict[0].startswith("Runoff at prairie")
    assert "Of the rain until 2001-08-31" in verdict[0]
    log = (done / "log.txt").read_text(encoding="utf-8")
    assert f"sobol: {first['parameter']} has the largest" in log
    assert [name for name in ALL if f" {name}: " in log] == ALL


@pytest.mark.slow
def test_the_tables_of_the_report_are_those_of_the_files_the_largest_first(done, page):
    tables = shown(page)
    for name, size in (("morris", "mu_star"), ("sobol", "total"), ("dgsm", "upper")):
        ranked = sorted(rows(done / f"{name}.csv"), key=lambda row: -float(row[size]))
        start = tables.index(tuple(ranked[0])) + 1
        for row, told in zip(ranked, tables[start : start + len(ranked)], strict=True):
            assert told[0] == row["parameter"]
            numbers = [float(row[key]) for key in list(row)[1:]]
            assert [float(x) for x in told[1:]] == pytest.approx(numbers, rel=1e-3)
    sizes = {
        name: np.abs([float(row[name]) for row in rows(done / "elasticities.csv")]).mean()
        for name in STUDY["vary"]
    }
    start = tables.index(("parameter", "value", "mean |E|", "least E", "most E"))
    told = {row[0]: float(row[2]) for row in tables[start + 1 : start + 4]}
    assert list(told) == sorted(sizes, key=lambda name: -sizes[name])
    assert told == pytest.approx(sizes, rel=1e-3)
    for name in NEAR:
        assert f"{name}.csv has every day." in page


@pytest.mark.slow
def test_a_phone_can_show_the_report(done, tmp_path):
    assert_readable(done / "report.html", tmp_path, pictures=len(ALL))


@pytest.mark.slow
def test_a_study_is_reported_like_any_run(done, tmp_path):
    report([done], tmp_path / "page.html")
    told = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert told.count("<img") == len(ALL)
    tables = shown(told)
    assert [row[:3] for row in tables if row[0] == "out"] == [("out", "sensitivity", "yes")]
    assert ("parameter", "first", "first_error", "total", "total_error") in tables
    assert "60 of 153 rows; adjoint.csv has all." in told
    days = [row["day"] for row in rows(done / "adjoint.csv")]
    assert [row[0] for row in tables if row[0] in days] == [*days[:60], *days[:60]]
    assert "finished after" in told


@pytest.mark.slow
def test_what_is_finished_is_not_touched(done, tmp_path):
    before = contents(done)
    with pytest.raises(InputError, match="holds a finished run"):
        run(write(tmp_path), done)
    assert contents(done) == before


@pytest.mark.slow
def test_one_that_was_interrupted_begins_again_and_equals_one_that_was_not(
    done, monkeypatch, capsys, tmp_path
):
    out = tmp_path / "out"

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(methods.STEPS, "adjoint", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(write(tmp_path, methods=NEAR), out)
    assert not json.loads((out / "run.json").read_text(encoding="utf-8"))["finished"]
    assert (out / "elasticities.csv").is_file()
    assert not (out / "report.html").exists()
    assert "asked the same again, it begins again" in capsys.readouterr().err
    with pytest.raises(InputError, match="differs in methods;"):
        run(write(tmp_path, methods=ALL), out)
    run(write(tmp_path, methods=NEAR), out)
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["finished"]
    assert {path.name for path in out.glob("*.csv")} == {f"{name}.csv" for name in NEAR}
    for name in NEAR:
        for kept in (f"{name}.csv", f"figures/{name}.png"):
            assert (out / kept).read_bytes() == (done / kept).read_bytes()
    assert "beta is worth most" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"when": "2009-01-01"}, "when is 2009-01-01, but the weather runs from 2001-04-01"),
        ({"vary": ["betta"]}, "beta"),
        ({"site": "prairy"}, "prairie"),
        ({"points": 48}, "power of two"),
        ({"period": ["2001-04-01", "2001-04-01"]}, "not after it begins"),
        ({"methods": ["sobal"]}, "methods"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work_and_leaves_no_folder(
    changes, said, monkeypatch, tmp_path
):
    monkeypatch.setattr(methods, "STEPS", {})
    with pytest.raises(InputError, match=said):
        run(write(tmp_path, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_salib_that_is_said_before_the_work(monkeypatch, tmp_path):
    monkeypatch.setattr(methods, "STEPS", {})
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    with pytest.raises(InputError, match="install the extra 'sensitivity'"):
        run(write(tmp_path, methods=["elasticities", "sobol"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
