"""State files: whole, without pickle, and only for those they belong to."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.states import layout, load, named, rebuilt, save
from diffhydro.errors import InputError


class Held(NamedTuple):
    theta: jnp.ndarray
    rest: dict


STATE = Held(
    jnp.asarray([0.1, 0.2], jnp.float32),
    {"day": jnp.asarray(7, jnp.int32), "none": None, "wet": jnp.asarray([True, False])},
)


def test_a_state_comes_back_bit_for_bit(tmp_path):
    file = tmp_path / "state.npz"
    about = {"model": "toy", "layout": layout(STATE)}
    save(file, about, named(STATE))
    back = rebuilt(STATE, load(file, about))
    assert back.rest["none"] is None
    for name, x in named(STATE).items():
        np.testing.assert_array_equal(named(back)[name], x)
        assert named(back)[name].dtype == x.dtype
    assert list(layout(STATE)) == ["theta", "rest.day", "rest.wet"]
    with np.load(file, allow_pickle=False) as found:
        assert {*found.files} == {"description", *layout(STATE)}
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_a_state_of_something_else_is_refused(tmp_path):
    file = tmp_path / "state.npz"
    save(file, {"model": "toy"}, named(STATE))
    with pytest.raises(InputError, match='the state of another model: "toy", this run has "hbv"'):
        load(file, {"model": "hbv"})
    with pytest.raises(InputError, match="another layout: null"):
        load(file, {"layout": layout(STATE)})
    file.write_bytes(b"no archive")
    with pytest.raises(InputError, match="is not a state file"):
        load(file, {})
