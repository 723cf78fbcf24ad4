"""`diffhydro report`: what it reads of folders, and what it sets beside each other."""

import json
import re

import numpy as np
import pytest
import xarray as xr
import yaml

from diffhydro.app.compare import read_run, run
from diffhydro.app.score_table import SHOWN
from diffhydro.errors import InputError

pytest.importorskip("h5netcdf", reason="the data extra is not installed")
pytest.importorskip("matplotlib", reason="the plot extra is not installed")


def ended(folder, models, sites="abc", record=None, task="train"):
    """Leave what a run leaves; the scores of each model are one number at all sites."""
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump({"task": task}))
    told = {"finished": True, "seconds": 90.0, "version": "9"} if record is None else record
    (folder / "run.json").write_text(json.dumps(told))
    (folder / "log.txt").write_text("".join(f"line {i}\n" for i in range(60)))
    values = np.repeat(np.array(list(models.values()))[:, None], len(sites), axis=1)
    values[:, 0] = 0.9  # at the first site, whichever it is
    held = dict.fromkeys(SHOWN, (("model", "site"), values))
    axes = {"model": list(models), "site": list(sites)}
    xr.Dataset(held, axes).to_netcdf(folder / "scores.nc", engine="h5netcdf")
    return folder


def rows(page):
    found = re.findall(r"<tr>(.*?)</tr>", page)
    return [tuple(re.findall(r"<t[dh]>(.*?)</t[dh]>", row)) for row in found]


def report(*folders, out):
    run(list(folders), out)
    return out.read_text(encoding="utf-8")


def test_models_are_compared_at_the_sites_of_all_runs(tmp_path):
    one = ended(tmp_path / "one", {"model": 0.1, "climatology": 0.4}, "abcd")
    other = ended(tmp_path / "other", {"model": 0.2, "climatology": 0.4}, "xbc")
    page = report(one, other, out=tmp_path / "page.html")
    assert ("median over common sites", *SHOWN, "sites") in rows(page)
    assert ("one", *["0.100"] * 5, "2") in rows(page)
    assert ("other", *["0.200"] * 5, "2") in rows(page)
    assert ("climatology", *["0.400"] * 5, "4") in rows(page)
    assert page.count("<img") == 2


def test_of_a_study_every_model_stands_beside_a_training(tmp_path):
    one = ended(tmp_path / "one", {"model": 0.1})
    study = ended(tmp_path / "study", {"PB": 0.3, "LSTM": 0.2}, task="experiment")
    page = report(one, study, out=tmp_path / "page.html")
    assert ("study: PB", *["0.300"] * 5, "3") in rows(page)
    assert ("study: LSTM", *["0.200"] * 5, "3") in rows(page)


def test_runs_that_share_no_site_are_not_compared(tmp_path):
    one, other = ended(tmp_path / "one", {"model": 0.1}), ended(tmp_path / "b", {"model": 0.1}, "x")
    page = report(one, other, out=tmp_path / "page.html")
    assert "tested at different sites" in page
    assert "common sites" not in page


def test_a_page_of_one_run_has_its_log_and_its_tables_cut(tmp_path):
    one = ended(tmp_path / "one", {"model": 0.1})
    lines = ["step,seconds", *(f"s{i},{i}.123456" for i in range(70))]
    (one / "steps.csv").write_text("\n".join(lines))
    (one / "whole.csv").write_text("\n".join(lines[:61]).replace("s", "w"))
    (one / "nothing.csv").write_text("")
    page = report(one, out=tmp_path / "page.html")
    assert "Beside each other" not in page
    assert "line 20\n" in page
    assert "line 59" in page
    assert "line 19\n" not in page
    assert ("s59", "59.12") in rows(page)
    assert "s60" not in page
    assert "60 of 70 rows; steps.csv has all." in page
    assert ("w59", "59.12") in rows(page)
    assert page.count("has all.") == 1
    assert "<h2>one: steps</h2>" in page
    assert "one: nothing" not in page


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"finished": True, "seconds": 90.0, "version": "9"}, ("yes", "1.5", "9")),
        ({"finished": False, "version": "9"}, ("no", "–", "9")),
    ],
)
def test_a_page_says_whether_runs_ended(record, shown, tmp_path):
    one = ended(tmp_path / "one", {"model": 0.1}, record=record)
    page = report(one, out=tmp_path / "page.html")
    assert ("one", "train", *shown) in rows(page)


def test_what_is_no_run_or_cannot_be_told_apart_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no config\.yaml and no run\.json"):
        read_run(tmp_path / "empty")
    broken = ended(tmp_path / "broken", {"model": 0.1})
    (broken / "run.json").write_text("{")
    with pytest.raises(InputError, match="does not read"):
        read_run(broken)
    (tmp_path / "there").mkdir()
    one, other = ended(tmp_path / "one", {"m": 0.1}), ended(tmp_path / "there" / "one", {"m": 0.1})
    with pytest.raises(InputError, match="two folders are called one"):
        run([one, other], tmp_path / "page.html")
