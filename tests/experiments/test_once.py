"""What a step has made is read where a run goes on, and not made again."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.land.hbv import Hbv
from experiments.global_pgdl.learned.once import Once
from tests.core.bits import assert_same_bits


def test_it_is_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return Hbv(k2=jnp.asarray(0.05, "float32"))

    data = np.arange(3.0)
    first = Once.of(tmp_path, "settings", data)("PGDL fed", make)
    second = Once.of(tmp_path, "settings", data)("PGDL fed", make)
    assert made == [1]
    assert_same_bits(first, second)
    for other in (("other settings", data), ("settings", data + 1.0)):
        Once.of(tmp_path, *other)("PGDL fed", make)
    assert made == [1, 1, 1]


def test_what_fails_leaves_nothing(tmp_path):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Once.of(tmp_path, "settings")("DL", fail)
    assert not (tmp_path / "checkpoints").exists()
