from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.ensembles import (
    MAP,
    VMAP,
    Map,
    ensemble,
    member,
    members,
    over_members,
    size,
    stack,
)
from diffhydro.core.parameters import parameter
from diffhydro.core.trainable import merge, split
from diffhydro.errors import InputError
from diffhydro.typing import Array


class Soil(eqx.Module):
    k: Array = parameter(unit="1/day", bounds=(0.0, 1.0), description="")
    depth: Array = parameter(unit="mm", bounds=(0.0, None), description="", default=10.0)
    weight: Array = eqx.field(default_factory=lambda: np.ones(2))
    shape: Callable = jnp.tanh
    kind: str = eqx.field(static=True, default="loam")

    def step(self, water, rain):
        return water + rain - self.k * self.shape(water / self.depth) * jnp.sum(self.weight)


def make(key):
    return Soil(k=jax.random.uniform(key))


KEY = jax.random.key(7)
WAYS = [VMAP, MAP, Map(batch=2)]


def equal(one, other):
    same = jax.tree.structure(one) == jax.tree.structure(other)
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return same and all(a is b or np.array_equal(np.asarray(a), np.asarray(b)) for a, b in leaves)


def test_each_member_is_the_model_made_from_its_key():
    e = ensemble(make, 3, key=KEY)
    assert size(e) == 3
    for i, key in enumerate(jax.random.split(KEY, 3)):
        expected = make(key)
        assert equal(member(e, i), expected)
        assert member(e, i).kind == "loam"
    assert equal(member(e, -1), member(e, 2))


def test_stack_undoes_members():
    e = ensemble(make, 3, key=KEY)
    assert equal(stack(members(e)), e)
    assert all(isinstance(leaf, jax.Array) for leaf in (e.k, e.depth))


@pytest.mark.parametrize("how", WAYS)
def test_equals_a_loop(how):
    e = ensemble(make, 5, key=KEY)
    water = jnp.linspace(1.0, 2.0, 5)
    run = over_members(Soil.step, how)
    looped = jnp.stack([m.step(w, 0.5) for m, w in zip(members(e), water, strict=True)])
    assert jnp.allclose(run(e, water, rain=0.5), looped, rtol=1e-15)
    assert jnp.allclose(eqx.filter_jit(run)(e, water, rain=0.5), looped, rtol=1e-15)


@pytest.mark.parametrize("how", WAYS)
def test_gradients_equal_those_of_a_loop(how):
    free, frozen = split(ensemble(make, 5, key=KEY), "k")

    def loss(free, frozen):
        return merge(free, frozen).step(1.0, 0.5) ** 2

    def total(free, frozen):
        return jnp.sum(over_members(loss, how)(free, frozen))

    found = jax.jit(jax.grad(total))(free, frozen).parameters["k"]
    looped = [jax.grad(loss)(member(free, i), member(frozen, i)).parameters["k"] for i in range(5)]
    assert jnp.allclose(found, jnp.stack(looped), rtol=1e-13)


@pytest.mark.parametrize("how", WAYS)
def test_models_come_back_whole(how):
    e = ensemble(make, 3, key=KEY)
    deeper = over_members(lambda m: eqx.tree_at(lambda m: m.depth, m, m.depth * 2), how)(e)
    assert jnp.array_equal(deeper.depth, 2 * e.depth)
    assert deeper.shape is jnp.tanh
    assert deeper.kind == "loam"


@pytest.mark.parametrize("how", WAYS)
def test_numpy_arrays_are_mapped_too(how):
    assert over_members(jnp.sum, how)(np.ones((3, 2))).shape == (3,)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Soil(0.1, kind="sand"), "kind is 'loam' and 'sand'"),
        (Soil(0.1, shape=jnp.sin), "shape is .* and "),
        (Soil([0.1, 0.2]), r"k has \(\(\), 'float64'\) and \(\(2,\), 'float64'\)"),
        (Soil(jnp.float32(0.1)), r"k has .*float64.*float32"),
        (Soil(None), "k is a .* and a NoneType"),
        (Soil(0.1, weight={"a": jnp.ones(1)}), "weight is a ndarray in one and a dict"),
    ],
)
def test_members_that_differ_in_kind_are_refused(other, message):
    with pytest.raises(InputError, match=f"members 0 and 1 cannot be stacked: {message}"):
        stack([Soil(0.1), other])


def test_nested_differences_are_named():
    one, other = ({"layers": [Soil(0.1), Soil(0.1, kind=kind)]} for kind in ("a", "b"))
    with pytest.raises(InputError, match=r"\['layers'\]\[1\]\.kind is 'a' and 'b'"):
        stack([one, other])
    with pytest.raises(InputError, match=r"the model holds \['layers'\] and \['a'\]"):
        stack([one, {"a": 1}])


def test_what_is_no_ensemble_is_refused():
    with pytest.raises(InputError, match="no member 3 in an ensemble of 3"):
        member(ensemble(make, 3, key=KEY), 3)
    with pytest.raises(InputError, match="k has no member axis"):
        size(Soil(0.1))
    with pytest.raises(InputError, match=r"disagree.* has 2, .* has 3"):
        over_members(jnp.add)(jnp.ones(2), jnp.ones(3))
    with pytest.raises(InputError, match="at least one member, got 0"):
        ensemble(make, 0, key=KEY)
    with pytest.raises(InputError, match="at least one member, got none"):
        stack([])
    with pytest.raises(InputError, match="at least one array"):
        size({"a": 1.0})
