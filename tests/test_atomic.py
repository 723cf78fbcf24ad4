"""What is written is whole or absent, and what was there stays until it is replaced."""

import pytest

from diffhydro.atomic import whole


def test_a_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "file.txt"
    with whole(target) as part:
        part.write_text("all of it")
        assert not target.exists()
    assert target.read_text() == "all of it"
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        _stopped(target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_replaces_a_folder(tmp_path):
    target = tmp_path / "store"
    target.mkdir()
    (target / "old").write_text("")
    with whole(target) as part:
        part.mkdir()
        (part / "new").write_text("")
    assert [p.name for p in target.iterdir()] == ["new"]


def test_what_a_kill_left_is_swept_away(tmp_path):
    target = tmp_path / "file.txt"
    with whole(target) as part:
        part.write_text("old")
    part.mkdir()
    (part / "half").write_text("")
    with whole(target) as part:
        part.write_text("new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def _stopped(target):
    with whole(target) as part:
        part.write_text("half")
        raise KeyboardInterrupt
