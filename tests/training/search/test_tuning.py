"""Searching settings: what is found, what is given up, what outlives a process."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from diffhydro.errors import InputError

pytest.importorskip("optuna")

from diffhydro.training.search import Between, Found, Hyperband, OneOf, Whole, tune
from diffhydro.training.search.store import about_to_ask, open_study, take_up
from diffhydro.training.search.tuning import BEST, TABLE

SPACE = {"rate": Between(1e-4, 1.0, is_log=True), "width": Whole(1, 8), "law": OneOf(("a", "b"))}


def bowl(settings, report):
    """Least at a rate of 0.01, a width of 5 and the law b."""
    from math import log10

    off = (log10(settings["rate"]) + 2.0) ** 2 + 0.1 * (settings["width"] - 5) ** 2
    return off + (settings["law"] == "a")


def rows(out):
    with (out / TABLE).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_it_finds_what_is_best_and_writes_it(tmp_path):
    seen = []
    found = tune(bowl, SPACE, tmp_path, trials=40, watch=lambda i, best: seen.append(best))
    assert found.values["law"] == "b"
    assert abs(found.values["width"] - 5) <= 1
    assert found.score < 0.3
    assert found.score == bowl(found.values, None)
    told = yaml.safe_load((tmp_path / BEST).read_text(encoding="utf-8"))
    assert told == {"score": found.score, "trial": found.number, "settings": found.values}
    assert len(rows(tmp_path)) == 40 == found.trials
    assert seen == [min(seen[: i + 1]) for i in range(40)], "the best so far never gets worse"
    first = [float(row["score"]) for row in rows(tmp_path)[:10]]
    last = [float(row["score"]) for row in rows(tmp_path)[-10:]]
    assert sum(last) < sum(first), "it learns from what it has seen"


def test_high_scores_may_be_the_good_ones(tmp_path):
    found = tune(lambda s, _: -bowl(s, None), {**SPACE}, tmp_path, trials=12, is_high=True)
    assert found.score == max(float(row["score"]) for row in rows(tmp_path))


@pytest.mark.slow
def test_an_interrupted_search_is_the_one_that_was_not(tmp_path):
    whole = tune(bowl, SPACE, tmp_path / "whole", trials=16, seed=3)

    class StoppedError(Exception):
        pass

    def stops(settings, report):
        if len(calls) == 11:
            raise StoppedError
        calls.append(settings)
        return bowl(settings, report)

    calls = []
    with pytest.raises(StoppedError):
        tune(stops, SPACE, tmp_path / "parts", trials=16, seed=3)
    parts = tune(bowl, SPACE, tmp_path / "parts", trials=16, seed=3)
    assert parts.values == whole.values
    settings = ("rate", "width", "law", "score")
    kept = [[row[key] for key in settings] for row in rows(tmp_path / "whole")]
    again = [row for row in rows(tmp_path / "parts") if row["state"] == "complete"]
    assert [[row[key] for key in settings] for row in again] == kept


PROGRAM = """
import sys, time
from pathlib import Path
from diffhydro.training.search import Between, tune
def trial(settings, report):
    time.sleep(0.2)
    return settings["x"] ** 2
tune(trial, {"x": Between(-1.0, 1.0)}, Path(sys.argv[1]), trials=int(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_process_loses_its_own_trial_only(tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), "8"]
    running = subprocess.Popen(command)
    deadline = time.monotonic() + 120
    while not (tmp_path / TABLE).exists() or len(rows(tmp_path)) < 3:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = [row["x"] for row in rows(tmp_path) if row["state"] == "complete"]
    found = tune(lambda s, _: s["x"] ** 2, {"x": Between(-1.0, 1.0)}, tmp_path, trials=8)
    assert isinstance(found, Found)
    after = [row["x"] for row in rows(tmp_path) if row["state"] == "complete"]
    assert len(after) == 8
    assert after[: len(before)] == before


DIES = """
import diffhydro.training.search.tuning as tuning
import os, signal
tuning.mark = lambda trial: trial.number == 1 and os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_process_killed_before_its_trial_is_its_own_loses_that_one_only(tmp_path):
    command = [sys.executable, "-c", DIES + PROGRAM, str(tmp_path), "4"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    tune(lambda s, _: s["x"] ** 2, {"x": Between(-1.0, 1.0)}, tmp_path, trials=4)
    assert [row["state"] for row in rows(tmp_path)].count("complete") == 4


@pytest.mark.exhaustive
@pytest.mark.slow
def test_two_processes_share_one_search(tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), "10"]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    told = [row["state"] for row in rows(tmp_path)]
    # Each looks before it begins, so that both may begin the last one.
    assert 10 <= told.count("complete") <= 11


@pytest.mark.slow
def test_what_looks_bad_is_given_up(tmp_path):
    begun = []

    def trial(settings, report):
        for epoch in range(1, 10):
            begun.append(epoch)
            report(epoch, settings["x"] + 1.0 / epoch)
        return settings["x"]

    space = {"x": Between(0.0, 100.0)}
    found = tune(trial, space, tmp_path, trials=30, pruning=Hyperband(1, 9))
    states = [row["state"] for row in rows(tmp_path)]
    assert states.count("pruned") > 5
    assert len(begun) < 0.8 * 9 * 30
    assert found.score == min(float(r["score"]) for r in rows(tmp_path) if r["state"] == "complete")


@pytest.mark.slow
def test_what_fails_is_told_and_the_others_go_on(tmp_path):
    def trial(settings, report):
        if settings["width"] > 4:
            raise InputError("too wide")
        return float("nan") if settings["width"] == 1 else float(settings["width"])

    found = tune(trial, {"width": Whole(1, 8)}, tmp_path, trials=20)
    done = [row for row in rows(tmp_path) if row["state"] == "complete"]
    assert found.score == found.values["width"] == min(float(row["score"]) for row in done)
    assert set(found.failed.values()) <= {"too wide", "its score is nan"}
    assert len(found.failed) == [row["state"] for row in rows(tmp_path)].count("fail") > 0


def test_the_table_of_a_training_is_reported():
    from diffhydro.training.search.trials import Report

    class Told:
        def __init__(self):
            self.heard = []

        def report(self, score, step):
            self.heard.append((step, score))

        def should_prune(self):
            return False

    told = Told()
    on_epoch = Report(told).of("validation.total")
    on_epoch(None, {"epoch": 0, "validation.total": 0.5})
    on_epoch(None, {"epoch": 1, "validation.total": float("nan")})
    on_epoch(None, {"epoch": 2, "validation.total": 0.25})
    assert told.heard == [(1, 0.5), (3, 0.25)]
    with pytest.raises(InputError, match=r"no column 'validation\.total'; the training has epoch"):
        on_epoch(None, {"epoch": 0})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda out: tune(bowl, {}, out, trials=1), "the space is empty"),
        (lambda out: tune(bowl, {"x": (0, 1)}, out, trials=1), r"x is \(0, 1\); give Between"),
        (lambda out: tune(bowl, SPACE, out, trials=0), "0 trials"),
        (lambda out: Between(1.0, 0.0), "limits 1.0 and 0.0"),
        (lambda out: Whole(0, 4, is_log=True), "the logarithm of 0"),
        (lambda out: OneOf(()), "OneOf nothing"),
        (lambda out: Hyperband(5, 2), "Hyperband from 5 to 2 steps by 3"),
        (
            lambda out: tune(lambda s, _: float("inf"), SPACE, out, trials=2),
            "no trial of 2 has a score; the last: its score is inf",
        ),
    ],
)
def test_refusals(wrong, says, tmp_path):
    with pytest.raises(InputError, match=says):
        wrong(tmp_path)


def test_a_folder_of_another_search_is_refused(tmp_path):
    tune(bowl, SPACE, tmp_path, trials=1)
    with pytest.raises(InputError, match=r"holds another search: it chose among .*rate"):
        tune(bowl, {**SPACE, "width": Whole(1, 9)}, tmp_path, trials=2)


def test_a_trial_that_a_living_process_asks_for_is_not_taken_from_it(tmp_path, monkeypatch):
    space = {"x": Between(-1.0, 1.0)}
    study = open_study(tmp_path, space, False, None)
    monkeypatch.setattr("diffhydro.training.search.store._lives", lambda process: True)
    with about_to_ask(study):
        study.ask({name: values.distribution() for name, values in space.items()})
        assert take_up(study) == 0
    assert take_up(study) == 1
