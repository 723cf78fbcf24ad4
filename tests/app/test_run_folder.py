"""The folder of a run: who may go on in it, who may not, and what is left of one that failed."""

import json

import pytest
import yaml
from rich.console import Console

from diffhydro.app.run_folder import open_run
from diffhydro.app.stamps import stamp
from diffhydro.errors import InputError

ASKED = {"task": "train", "rate": 0.1, "sites": ["a"]}


def enter(out, data=(), **changes):
    return open_run(out, yaml.safe_dump(ASKED | changes), data, Console(quiet=True))


def keep_and_fail(path):
    path.parent.mkdir(exist_ok=True)
    path.touch()
    raise InputError("no site")


def record(out):
    return json.loads((out / "run.json").read_text())


def test_what_is_asked_is_written_before_anything_and_what_is_said_is_kept(tmp_path):
    out = tmp_path / "deep" / "run"
    with enter(out) as folder:
        assert yaml.safe_load((out / "config.yaml").read_text()) == ASKED
        assert record(out)["finished"] is False
        folder.say("of [bold] sites")
        folder.finish(61.26)
    assert record(out)["finished"] is True
    assert record(out)["seconds"] == 61.3
    words = [line.partition(" ")[2] for line in (out / "log.txt").read_text().splitlines()]
    assert words[0].endswith(": begun")
    assert words[1:] == ["of [bold] sites", "finished after 61 s"]


def test_one_that_was_interrupted_goes_on_and_one_that_ended_does_not(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), enter(out):
        raise KeyboardInterrupt
    with enter(out) as folder:
        folder.finish(1.0)
    log = (out / "log.txt").read_text()
    assert "interrupted" in log
    assert ": gone on" in log
    with pytest.raises(InputError, match="finished run"), enter(out):
        pass


@pytest.mark.parametrize(
    ("kept", "said"), [(True, "goes on from its last"), (False, "begins again")]
)
def test_who_interrupts_is_told_what_happens_next(kept, said, tmp_path, capsys):
    out = tmp_path / "run"
    with open_run(out, "a: 1", (), Console()):
        (out / "checkpoints").mkdir()
    if kept:
        (out / "checkpoints" / "1").touch()
    with pytest.raises(KeyboardInterrupt), open_run(out, "a: 1", (), Console()):
        raise KeyboardInterrupt
    assert said in capsys.readouterr().out


def test_words_are_shown_as_they_are(tmp_path, capsys):
    with open_run(tmp_path / "run", "a: 1", (), Console()) as folder:
        folder.say("of [bold] sites")
    assert capsys.readouterr().out == "of [bold] sites\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"rate": 0.2}, "differs in rate;"), ({"new": 1, "sites": []}, "differs in new, sites;")],
)
def test_another_configuration_is_refused_and_harms_nothing(changes, said, tmp_path):
    out = tmp_path / "run"
    with enter(out):
        pass
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(InputError, match=said), enter(out, **changes):
        pass
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_other_data_and_another_version_are_refused(tmp_path):
    out, data = tmp_path / "run", tmp_path / "sites.nc"
    data.write_text("a")
    with enter(out, [str(data), None, "embedded"]):
        pass
    assert record(out)["data"] == {str(data): stamp(data)}
    with enter(out, [str(data), None, "embedded"]):
        pass
    data.write_text("ab")
    with pytest.raises(InputError, match="differs in the files of its data;"), enter(out, [data]):
        pass
    (out / "run.json").write_text(json.dumps(record(out) | {"version": "0", "data": {}}))
    with pytest.raises(InputError, match="differs in version;"), enter(out):
        pass


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="holds no run"), enter(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("kept", ["checkpoints/1", "broken"])
def test_what_cannot_be_done_leaves_a_folder_only_where_something_was_kept(kept, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(InputError), enter(out):
        raise InputError("no site")
    assert not out.exists()
    with pytest.raises(InputError), enter(out):
        keep_and_fail(out / kept)
    assert "ended: no site" in (out / "log.txt").read_text()
    (out / kept).unlink()
    with pytest.raises(InputError), enter(out):
        raise InputError("no site")
    assert out.exists(), "a run that was there before is not removed"


def test_a_store_that_changed_is_another_one(tmp_path):
    data = tmp_path / "sites.zarr"
    (data / "rain").mkdir(parents=True)
    (data / "rain" / "0").write_text("a")
    before = stamp(data)
    assert stamp(data) == before
    (data / "rain" / "0").write_text("ab")
    assert stamp(data) != before
    assert stamp(tmp_path / "embedded") == "embedded"
