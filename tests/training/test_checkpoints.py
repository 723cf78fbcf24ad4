"""Checkpoints come back bit for bit, or are found out; a run goes on as if it had never stopped."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import diffhydro as dh
from diffhydro.errors import InputError
from diffhydro.training.checkpoints import Checkpoints
from tests.core.bits import assert_same_bits


class Run(eqx.Module):
    """What a fit holds, more or less."""

    free: dh.Free
    adam: Any
    step: jax.Array
    key: jax.Array
    name: str = eqx.field(static=True, default="toy")


class Odd(NamedTuple):
    bits: jax.Array
    nothing: jax.Array
    half: jax.Array
    weak: jax.Array
    count: int
    rate: float
    host: np.ndarray
    law: Any


def run_state() -> Run:
    weights = {"params": {"kernel": jnp.full((2, 3), 0.1, jnp.float32)}}
    free = dh.Free({"land.k_sat": jnp.array([0.3, -2.0])}, {"head.params": weights})
    adam = optax.adam(1e-2).init(free)
    return Run(free, adam, jnp.asarray(3, jnp.int32), jax.random.key(5))


def odd_state() -> Odd:
    return Odd(
        bits=jnp.array([-0.0, jnp.nan, jnp.inf, 1e-320]),
        nothing=jnp.zeros((0, 4), jnp.float32),
        half=-jnp.zeros(3, jnp.bfloat16),
        weak=jnp.asarray(2.0),
        count=7,
        rate=float("inf"),
        host=np.arange(6, dtype=np.int16).reshape(2, 3).T,
        law=jnp.tanh,
    )


def small(step: int) -> dict[str, Any]:
    """A state that says what step it is of."""
    return {"w": jnp.full((4, 3), float(step)), "key": jax.random.key(step), "n": step}


def like() -> dict[str, Any]:
    return jax.eval_shape(lambda: small(0))


@pytest.mark.parametrize("make", [run_state, odd_state])
def test_a_state_comes_back_bit_for_bit(make, tmp_path):
    state = make()
    told = {"config": {"rate": 0.1}, "scaler": '{"names": ["rain"]}', "place": [3, 17]}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(12, state, told)
        step, back, said = checkpoints.restore(eqx.filter_eval_shape(make))
        assert (step, said) == (12, told)
        assert_same_bits(back, state)
    assert_same_bits(Checkpoints(tmp_path).restore(state).state, state)


def test_what_changes_after_save_is_not_saved(tmp_path):
    host = np.arange(50_000.0)
    device = jnp.arange(50_000.0)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"host": host, "device": device}, {})
        host += 1.0
        jax.jit(lambda x: x + 1.0, donate_argnums=0)(device).block_until_ready()
        back = checkpoints.restore({"host": host, "device": host}).state
    np.testing.assert_array_equal(back["host"], np.arange(50_000.0))
    np.testing.assert_array_equal(back["device"], np.arange(50_000.0))


def test_nothing_is_nothing(tmp_path):
    folder = tmp_path / "none"
    assert Checkpoints(folder).restore(like()) is None
    Checkpoints(folder).close()
    assert not folder.exists()


def test_the_last_ones_and_the_best_are_kept(tmp_path):
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        for step in range(5):
            checkpoints.save(step, small(step), {"is_best": step == 1})
        checkpoints.wait()
        assert checkpoints.steps() == [1, 3, 4]
    with Checkpoints(tmp_path, keep=2) as checkpoints:  # another process would know it as well
        checkpoints.save(5, small(5), {})
        checkpoints.wait()
        assert checkpoints.steps() == [1, 4, 5]
        checkpoints.save(6, small(6), {"is_best": True})
        checkpoints.save(7, small(7), {})
        checkpoints.wait()
        assert checkpoints.steps() == [6, 7]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["6", "7"]


@pytest.mark.usefixtures("loose_promotion")
def test_a_run_goes_on_as_if_it_had_never_stopped(tmp_path):
    adam = optax.adam(optax.cosine_decay_schedule(1e-2, 20))
    features = jax.random.normal(jax.random.key(9), (32, 2), jnp.float32)

    @jax.jit
    def advance(run):
        key, noise = jax.random.split(run.key)
        x = features + 0.1 * jax.random.normal(noise, features.shape, jnp.float32)

        def loss(free):
            weights = free.networks["head.params"]["params"]
            hidden = jnp.tanh(x @ weights["a"])
            return jnp.mean((hidden @ weights["b"] - jnp.sin(x[:, :1])) ** 2)

        updates, state = adam.update(jax.grad(loss)(run.free), run.adam)
        return Run(optax.apply_updates(run.free, updates), state, run.step + 1, key)

    def begin():
        draws = jax.random.normal(jax.random.key(1), (2, 8), jnp.float32)
        weights = {"params": {"a": draws, "b": draws[:1].T}}
        free = dh.Free({}, {"head.params": weights})
        return Run(free, adam.init(free), jnp.asarray(0, jnp.int32), jax.random.key(2))

    run, stopped = begin(), None
    with Checkpoints(tmp_path) as checkpoints:
        for step in range(10):
            if step == 5:
                checkpoints.save(step, run, {})
            run = advance(run)
    with Checkpoints(tmp_path) as checkpoints:
        stopped = checkpoints.restore(jax.eval_shape(begin)).state
    programs = advance._cache_size()
    for _ in range(5):
        stopped = advance(stopped)
    assert_same_bits(stopped, run)
    assert advance._cache_size() == programs  # what came back is typed as what was saved


SPREAD = """
import sys
import jax, jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec
from diffhydro.training.checkpoints import Checkpoints

columns = NamedSharding(jax.make_mesh((2,), ("site",)), PartitionSpec("site"))
state = {"x": jax.device_put(jnp.arange(8.0), columns), "key": jax.random.key(1)}
with Checkpoints(sys.argv[1]) as checkpoints:
    checkpoints.save(1, state, {})
    back = checkpoints.restore(state).state
print(back["x"].sharding == columns, back["x"].tolist() == state["x"].tolist())
"""


@pytest.mark.slow
def test_a_state_is_spread_over_devices_as_its_template(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", SPREAD, str(tmp_path)],
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["True", "True"]


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """A folder with the checkpoints of steps 1 and 2."""
    folder = tmp_path_factory.mktemp("two")
    with Checkpoints(folder) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, small(step), {"loss": step / 10})
    return folder


OTHERS = {
    "shape": (
        lambda s: s | {"w": jnp.zeros((4, 2))},
        r"w is float64\[4, 3\] .* float64\[4, 2\] in",
    ),
    "dtype": (lambda s: s | {"w": jnp.zeros((4, 3), jnp.float32)}, r"and float32\[4, 3\] in"),
    "key": (
        lambda s: s | {"key": jax.random.key(0, impl="rbg")},
        r"key is key<fry>\[\] .* key<rbg>",
    ),
    "more": (lambda s: s | {"v": jnp.zeros(2)}, r"v is missing in the checkpoint and float64\[2\]"),
    "less": (
        lambda s: {"w": s["w"]},
        r"key is key<fry>\[\] in the checkpoint and missing .*; n is",
    ),
    "number": (lambda s: s | {"n": jnp.zeros(3)}, "n is number"),
}


@pytest.mark.parametrize(("change", "said"), OTHERS.values(), ids=OTHERS)
def test_a_checkpoint_of_another_model_is_refused(change, said, two):
    other = jax.eval_shape(lambda: change(small(0)))
    with pytest.raises(InputError, match=rf"2 is a checkpoint of another model: .*{said}"):
        Checkpoints(two).restore(other)


def test_many_differences_are_not_all_listed(two):
    other = {f"layer{i}": jnp.zeros(2) for i in range(9)}
    with pytest.raises(InputError, match=r"layer3 is missing .*, and 8 more"):
        Checkpoints(two).restore(other)


def test_no_run_writes_behind_another(two, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(two, folder)
    with Checkpoints(folder) as checkpoints:
        for step in (1, 2):
            with pytest.raises(InputError, match=f"has step 2 already, and this is step {step}"):
                checkpoints.save(step, small(step), {})
        checkpoints.save(3, small(3), {})
    assert Checkpoints(folder).restore(like()).step == 3


def test_what_cannot_be_saved_is_said(tmp_path):
    with pytest.raises(InputError, match="keep is 0"):
        Checkpoints(tmp_path, keep=0)
    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(InputError, match="told has something that JSON cannot say"):
        checkpoints.save(1, small(1), {"at": object()})
    with pytest.raises(InputError, match="nothing to save"):
        checkpoints.save(1, {"n": 1, "none": jnp.zeros(0)}, {})
    with pytest.raises(InputError, match="words cannot be kept"):
        checkpoints.save(1, {"words": np.array(["a"])}, {})
    assert [*tmp_path.iterdir()] == []


def test_a_newer_format_is_said(two, tmp_path, monkeypatch):
    from diffhydro.training import checkpoints as module

    monkeypatch.setattr(module, "_VERSION", 9)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, small(1), {})
    monkeypatch.undo()
    with pytest.raises(InputError, match="written by a later diffhydro"):
        Checkpoints(tmp_path).restore(like())
