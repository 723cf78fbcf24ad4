"""A training in a process of its own, killed again and again, ends as if it had not been."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diffhydro.core.model_file import FILE as MODEL
from diffhydro.core.model_file import describe, load
from diffhydro.training.checkpoints import Checkpoints
from diffhydro.training.fit.history import FILE
from tests.core.bits import assert_same_bits
from tests.training.fit.models import Bent, Line

EPOCHS, KILLS = 60, 3
PROGRAM = """
import sys
import jax
jax.config.update("jax_enable_x64", True)
from diffhydro.training.checkpoints import Checkpoints
from diffhydro.training.fit import Optimizer, Stop, Validation, fit
from tests.training.fit.models import batches, bent, square

def main(out):
    with Checkpoints(f"{out}/checkpoints") as saver:
        fit(
            bent(), batches(12, 3), square, key=jax.random.key(5), epochs=%d,
            optimizer=Optimizer(0.03, accumulate=2, average=0.9),
            validation=Validation(batches(5, 3, 2), every=2), stop=Stop(patience=50),
            out=out, saver=saver, save_every=1, told={"config": {"seed": 5}},
        )

main(sys.argv[1])
""" % (EPOCHS,)  # noqa: UP031  # the program has braces of its own


def start(out: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(out)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finished(out: Path) -> None:
    process = start(out)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said.decode()


def wait_for_more(out: Path, process: subprocess.Popen) -> None:
    """Wait until checkpoints are being written by this process."""
    before = max(Checkpoints(out / "checkpoints").steps(), default=0)
    deadline = time.monotonic() + 120
    while max(Checkpoints(out / "checkpoints").steps(), default=0) <= before + 2:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Damaged checkpoints")
def test_a_training_that_was_killed_ends_as_one_that_was_not(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finished(whole)
    rng = random.Random(3)
    for _ in range(KILLS):
        process = start(killed)
        wait_for_more(killed, process)
        time.sleep(rng.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    finished(killed)
    assert (killed / FILE).read_bytes() == (whole / FILE).read_bytes()
    assert_same_bits(*(load(out, classes=[Bent, Line]) for out in (killed, whole)))
    assert max(Checkpoints(killed / "checkpoints").steps()) == max(
        Checkpoints(whole / "checkpoints").steps()
    )


@pytest.mark.slow
def test_the_model_and_its_checkpoints_say_what_run_they_are_of(tmp_path):
    finished(tmp_path)
    assert describe(tmp_path / MODEL).told == {"config": {"seed": 5}}
    about = [path for path in (tmp_path / "checkpoints").rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in about if b'"told"' in path.read_bytes()]
    assert texts
    for text in texts:
        assert b'"config"' in text
        assert b'"jax"' in text
