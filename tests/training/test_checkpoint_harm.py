"""Checkpoints that come to harm: by damage to their files, and by a kill while they are written."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.training.checkpoints import Checkpoints
from tests.core.bits import assert_same_bits
from tests.training.test_checkpoints import like, small


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """A folder with the checkpoints of steps 1 and 2."""
    folder = tmp_path_factory.mktemp("two")
    with Checkpoints(folder) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, small(step), {"loss": step / 10})
    return folder


def flipped(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 0x10
    path.write_bytes(content)


HARMS = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "flipped early": lambda path: flipped(path, 0.2),
    "flipped": lambda path: flipped(path, 0.6),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Damaged checkpoints")
@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_damage_is_found_or_harmless(harm, two, tmp_path):
    files = [path.relative_to(two) for path in sorted((two / "2").rglob("*")) if path.is_file()]
    fell_back = []
    for number, name in enumerate(files):
        folder = tmp_path / str(number)
        shutil.copytree(two, folder)
        harm(folder / name)
        step, state, told = Checkpoints(folder).restore(like())
        assert_same_bits(state, small(step))
        assert ("damaged" in told) == (step == 1)
        fell_back.append(step == 1)
    assert len(files) > 4
    assert any(fell_back)


def test_a_damaged_checkpoint_is_passed_over_and_put_aside(two, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(two, folder)
    flipped(folder / "2" / "about" / "metadata", 0.5)
    with Checkpoints(folder) as checkpoints:
        with pytest.warns(UserWarning, match="step 2: its .* Went back to step 1"):
            step, state, told = checkpoints.restore(like())
        assert step == 1
        assert_same_bits(state, small(1))
        assert told["loss"] == 0.1
        assert "its" in told["damaged"]["2"]
        assert checkpoints.steps() == [1, 2]  # to look is to change nothing
        checkpoints.save(2, small(2), {})
        checkpoints.wait()
        assert_same_bits(checkpoints.restore(like()).state, small(2))
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2", "damaged-2-1"]


def test_arrays_that_were_changed_with_their_checksums_are_found(two, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(two, folder)
    shutil.rmtree(folder / "2" / "state")
    shutil.copytree(two / "1" / "state", folder / "2" / "state")
    with pytest.warns(UserWarning, match="step 2: its arrays are not those that were written"):
        assert Checkpoints(folder).restore(like()).step == 1


def test_where_all_are_damaged_all_are_said(two, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(two, folder)
    for step in ("1", "2"):
        flipped(folder / step / "about" / "metadata", 0.5)
    with pytest.raises(InputError, match=r"no checkpoint can be read.* step 2: .*; step 1: "):
        Checkpoints(folder).restore(like())
    assert Checkpoints(folder).steps() == [1, 2]


WRITER = """
import sys
import jax, jax.numpy as jnp
from diffhydro.training.checkpoints import Checkpoints

def small(step):
    return {"w": jnp.full((300, 300), float(step)), "key": jax.random.key(step), "n": step}

checkpoints = Checkpoints(sys.argv[1], keep=2)
found = checkpoints.restore(jax.eval_shape(lambda: small(0)))
step = 0 if found is None else found.step
while True:
    step += 1
    checkpoints.save(step, small(step), {"is_best": step % 7 == 0})
    print(step, flush=True)
"""


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(tmp_path):
    """Also: nothing is said on the terminal but what the program says."""
    draw = random.Random(0)
    last = 0
    for _ in range(3):
        command = [sys.executable, "-W", "error", "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as writer:
            first = writer.stdout.readline()
            time.sleep(draw.uniform(0.1, 1.0))
            writer.send_signal(signal.SIGKILL)
            said = writer.communicate()[1]
        assert said == ""
        assert int(first) == last + 1
        template = {"w": jnp.zeros((300, 300), jnp.float32), "key": jax.random.key(0), "n": 0}
        step, state, told = Checkpoints(tmp_path).restore(template)
        last = step
        np.testing.assert_array_equal(state["w"], np.full((300, 300), step, np.float32))
        assert_same_bits(state["key"], jax.random.key(step))
        assert told == {"is_best": step % 7 == 0}
        assert json.dumps(state["n"]) == str(step)
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(last + 1, small(last + 1), {"is_best": True})
    assert [path.name for path in tmp_path.iterdir()] == [str(last + 1)]
