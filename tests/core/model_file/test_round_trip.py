"""A model that was saved and loaded is the model that was saved."""

import enum
import functools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import diffhydro as dh
from diffhydro.core.bijections import log_above
from diffhydro.core.model_file import describe
from diffhydro.core.parameters import ParameterSpec
from diffhydro.core.precision import astype
from diffhydro.networks.head import FlaxHead
from diffhydro.networks.mlp import Mlp
from diffhydro.soil.pedotransfer import cosby, rosetta
from tests.core.bits import assert_same_bits


class Taste(enum.Enum):
    SOUR = 1
    SWEET = "two"


class Both(NamedTuple):
    first: Any
    second: Any = 2.0


@dataclass(frozen=True)
class Told:
    words: tuple[str, ...]
    number: float = 1.0


class Holder(eqx.Module):
    held: Any
    fixed: Any = eqx.field(static=True, default=None)


MINE = (Taste, Both, Told, Holder)


def upland():
    return dh.Upland(soil=cosby(sand=43.0, clay=18.0))


def fine():
    grid = dh.Column.geometric(depth=2000.0, layers=16)
    return dh.SoilColumn(grid=grid, soil=rosetta(sand=43.0, silt=39.0, clay=18.0))


LANDS: dict[str, Callable[[], Any]] = {
    "upland": upland,
    "wetland": dh.Wetland,
    "water balance": lambda: dh.WaterBalance(upland=upland()),
    "soil column": fine,
    "hbv": dh.Hbv,
    "land": lambda: dh.Land(ground=fine()),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("make", LANDS.values(), ids=LANDS)
def test_land_models_come_back(make, dtype, tmp_path):
    model = astype(make(), dtype)
    assert_same_bits(dh.load(dh.save(tmp_path / "land.dh", model)), model)


def test_what_comes_back_runs_alike(tmp_path):
    model = dh.Hbv(k2=0.05)
    weather = dh.Forcing([12.0, 0.0], [2.0, 4.0], temperature=[3.0, -2.0])
    back = dh.load(dh.save(tmp_path / "hbv.dh", model))
    assert_same_bits(back.run(weather).fluxes, model.run(weather).fluxes)


def test_a_network_in_a_model_comes_back(tmp_path):
    network = Mlp(hidden=(4,), out=3, activation=nn.tanh, dropout=0.1)
    head = FlaxHead.create(network, jnp.zeros(5), key=jax.random.key(0), compute="float32")
    for dtype in ("bfloat16", "float32"):
        model = Holder({"head": astype(head, dtype), "physics": dh.Hbv()})
        back = dh.load(dh.save(tmp_path / "hybrid.dh", model), classes=[Holder])
        assert_same_bits(back, model)
        assert back.held["head"].network == network
    x = jnp.linspace(-1.0, 1.0, 5)
    assert_same_bits(back.held["head"](x), model.held["head"](x))


ARRAYS = {
    "float64": jnp.array([-0.0, jnp.inf, jnp.nan, 1e-320]),
    "payload": np.array([0x7FF8000000000ABC], np.uint64).view(np.float64),
    "float32": jnp.array([[1.5], [-0.0]], jnp.float32),
    "bfloat16": jnp.array([1.0, 3.14, -0.0], jnp.bfloat16),
    "float16": jnp.array(2.5, jnp.float16),
    "float8": jnp.array([0.5, 2.0], jnp.float8_e4m3fn),
    "int": jnp.array([-1, 2**62]),
    "int4": jnp.array([-8, 7], jnp.int4),
    "uint32": jnp.array(2**32 - 1, jnp.uint32),
    "bool": jnp.array([True, False]),
    "complex": jnp.array([1 - 2j]),
    "none": jnp.zeros((0, 3)),
    "key": jax.random.key(7),
    "keys": jax.random.split(jax.random.key(7, impl="rbg"), 3),
    "weak": jnp.asarray(2.0),
    "weak int": jnp.asarray(-3),
    "weak row": jnp.broadcast_to(jnp.asarray(-0.0), (3,)),
    "numpy": np.arange(6.0).reshape(2, 3).T,
    "numpy number": np.float32(0.1),
}


@pytest.mark.parametrize("x", ARRAYS.values(), ids=ARRAYS)
def test_arrays_of_every_kind_come_back(x, tmp_path):
    assert_same_bits(dh.load(dh.save(tmp_path / "x.dh", {"x": (x,)})), {"x": (x,)})


def test_a_weak_array_is_weak():
    assert all(ARRAYS[name].weak_type for name in ARRAYS if name.startswith("weak"))


STATIC = {
    "numbers": (1, True, 2.5, float("inf"), -0.0, 1e-320, 10**30, 3 - 4j, "wörd\n", None),
    "containers": ([], (), {}, [()], {"a": {(1, "c"): 2}}, {"b": 2, "a": 3}),
    "functions": (nn.gelu, jax.nn.relu, jax.nn.silu, nn.initializers.zeros, jnp.tanh),
    "ours": (rosetta, dh.core.LOG, log_above(1e-3)),
    "types": (np.dtype("float32"), jnp.bfloat16, np.float32, np.bool_, jnp.bool_, float, int),
    "spec": ParameterSpec("mm", (0.1, 9.0), dh.core.LOG, "of water", fixed=True),
    "linen": nn.Sequential([nn.Dense(3, dtype=jnp.bfloat16), nn.relu, Mlp((4,), 2)]),
    "cells": nn.RNN(nn.OptimizedLSTMCell(features=4), time_major=True),
    "classes": (nn.LSTMCell, eqx.nn.Linear),
    "mine": (Taste.SWEET, Both(1, (2,)), Told(("a",), 2.0), Holder(1, fixed=("x",))),
}


@pytest.mark.parametrize("x", STATIC.values(), ids=STATIC)
def test_static_parts_come_back(x, tmp_path):
    model = Holder(None, fixed=x)
    back = dh.load(dh.save(tmp_path / "x.dh", model), classes=MINE)
    assert type(back.fixed) is type(x)
    assert back.fixed == x
    assert repr(back.fixed) == repr(x)


def test_functions_with_some_arguments_come_back(tmp_path):
    model = Holder(
        jax.tree_util.Partial(jax.nn.leaky_relu, negative_slope=jnp.array(0.3)),
        fixed=functools.partial(jax.nn.gelu, approximate=False),
    )
    back = dh.load(dh.save(tmp_path / "x.dh", model), classes=MINE)
    assert back.fixed.func is jax.nn.gelu
    assert back.fixed.keywords == {"approximate": False}
    assert_same_bits(back.held, model.held)


def test_equinox_networks_come_back(tmp_path):
    linear = eqx.nn.Linear(2, 3, key=jax.random.key(0))
    model = eqx.nn.Sequential([linear, eqx.nn.Lambda(jax.nn.gelu)])
    assert_same_bits(dh.load(dh.save(tmp_path / "x.dh", model)), model)


def test_ensembles_and_holes_come_back(tmp_path):
    many = dh.ensemble(lambda key: dh.Hbv(k2=jax.random.uniform(key)), 3, key=jax.random.key(0))
    free, frozen = dh.split(dh.Hbv(), "k*")
    for i, model in enumerate((many, free, frozen)):
        back = dh.load(dh.save(tmp_path / f"{i}.dh", model))
        assert_same_bits(back, model)
    assert_same_bits(dh.merge(free, back), dh.merge(free, frozen))


def test_an_array_in_two_places_is_written_once(tmp_path):
    x = jnp.arange(10_000.0)
    one, two = (dh.save(tmp_path / f"{i}.dh", model) for i, model in enumerate(([x], [x, x])))
    back = dh.load(two)
    assert back[0] is back[1]
    assert two.stat().st_size < one.stat().st_size + 1000


def test_one_model_is_one_file(tmp_path):
    first = dh.save(tmp_path / "a.dh", dh.Hbv(), {"loss": 0.1}).read_bytes()
    assert dh.save(tmp_path / "b.dh", dh.Hbv(), {"loss": 0.1}).read_bytes() == first
    assert {path.name for path in tmp_path.iterdir()} == {"a.dh", "b.dh"}


def test_the_folder_of_a_run_is_opened(tmp_path):
    assert dh.save(tmp_path, dh.Hbv()) == tmp_path / "model.dh"
    assert_same_bits(dh.load(tmp_path), dh.Hbv())
    (tmp_path / "model.dh").rename(tmp_path / "other.dh")
    assert_same_bits(dh.load(str(tmp_path)), dh.Hbv())


def test_a_file_tells_of_itself(tmp_path):
    told = {"config": {"steps": 5}, "scores": [0.1, None]}
    head = FlaxHead.create(Mlp((2,), 1), jnp.zeros(3), key=jax.random.key(0))
    model = {
        "land": upland(),
        "head": head,
        "seen": jnp.array([True, False]),
        "n": 3,
        "e": jnp.zeros(0),
    }
    found = describe(dh.save(tmp_path / "model.dh", model, told))
    assert found.told == told
    assert {"diffhydro", "jax", "equinox", "flax", "numpy"} == {*found.versions}
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found.table.splitlines()]
    by_path = {row[0].strip("`"): row[1:] for row in rows[2:]}
    assert by_path["land.saturation"] == ["float64[]", "0.6", "-"]
    assert by_path["land.grid.thickness"] == ["float64[6]", "50 … 1000", ""]
    assert by_path["land.soil.k_sat"][2] == "mm/day"
    assert by_path["seen"] == ["bool[2]", "0 … 1", ""]
    assert by_path["n"] == ["int", "3", ""]
    assert "head.params.Dense_0.kernel" in by_path
    assert {*dh.specs(model)} <= {*by_path}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_file_opens_in_a_process_that_knows_its_path_alone(tmp_path):
    head = FlaxHead.create(Mlp((2,), 1), jnp.zeros(3), key=jax.random.key(0), dtype="float32")
    path = dh.save(tmp_path / "model.dh", {"land": astype(upland(), "float32"), "head": head})
    code = f"""
import diffhydro as dh
model = dh.load({str(path)!r})
print(type(model["land"]).__name__, model["head"].count, model["head"](__import__("numpy").ones(3)))
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == f"Upland {head.count} {head(np.ones(3))}"
