"""What a step has made is read where a run goes on, and not made again."""

import jax.numpy as jnp
import pytest

from diffhydro.land.hbv import Hbv
from experiments.global_pgdl.once import once
from tests.core.bits import assert_same_bits


def test_it_is_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return Hbv(k2=jnp.asarray(0.05, "float32"))

    first = once(tmp_path, "PGDL fed", make)
    second = once(tmp_path, "PGDL fed", make)
    assert made == [1]
    assert_same_bits(first, second)
    assert (tmp_path / "checkpoints" / "pgdl_fed.dh").is_file()


def test_what_fails_leaves_nothing(tmp_path):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(tmp_path, "DL", fail)
    assert not (tmp_path / "checkpoints").exists()
