import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.core.bijections import LOG, log_above
from diffhydro.core.parameters import parameter, weights
from diffhydro.core.trainable import Free, merge, split
from diffhydro.errors import InputError
from diffhydro.typing import Array

LAWS = settings(max_examples=8, deadline=None, derandomize=True)


class Soil(eqx.Module):
    k_sat: Array = parameter(unit="mm/day", bounds=(1e-2, 1e5), scale=LOG, description="")
    n: Array = parameter(unit="-", bounds=(1.01, 10.0), scale=log_above(1.0), description="")
    psi: Array = parameter(unit="mm", bounds=(-1e6, -1.0), scale=LOG, description="")
    tortuosity: Array = parameter(
        unit="-", bounds=(-5.0, 5.0), description="", default=0.5, fixed=True
    )


class Head(eqx.Module):
    params: dict = weights()
    activation: Callable = jnp.tanh
    width: int = eqx.field(static=True, default=3)


class Coupling(eqx.Module):
    physics: Soil
    head: Head
    learns: tuple[str, ...] = eqx.field(static=True, default=("k_sat",))


class Model(eqx.Module):
    soil: Soil
    layers: list
    head: Head
    depth: Array
    label: str = "model"
    slope: float = 0.3


def make_soil(k_sat=100.0, n=1.5, psi=-300.0, **rest):
    return Soil(k_sat, n, psi, **rest)


def make_head():
    return Head({"w": jnp.ones((2, 3)), "b": np.zeros(3), "count": jnp.asarray(4)})


def make():
    thin = make_soil(n=jnp.asarray([1.2, 2.0], jnp.float32))
    return Model(make_soil(), [thin, make_soil()], make_head(), depth=np.arange(3.0))


def assert_same_outside(one, other, path):
    """Assert that two models agree bit for bit, structure included, but for one leaf."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for (where, a), b in zip(
        jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True
    ):
        if path not in jax.tree_util.keystr(where):
            assert type(a) is type(b)
            assert np.array_equal(np.asarray(a), np.asarray(b)) or a is b


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@LAWS
@given(
    k_sat=st.lists(st.floats(-2, 5), min_size=2, max_size=2),
    n=st.floats(1.01, 10.0),
    psi=st.floats(0, 6),
)
def test_merge_undoes_split(dtype, k_sat, n, psi):
    k_sat, psi = np.clip(10.0 ** np.array(k_sat), 1e-2, 1e5), np.array(-(10.0**psi))
    soil = make_soil(*(x.astype(dtype) for x in (k_sat, np.array(n), psi)))
    model = Model(soil, [], make_head(), np.ones(2))
    free, frozen = split(model, train="*")
    assert set(free.parameters) == {"soil.k_sat", "soil.n", "soil.psi"}
    back = merge(free, frozen)
    # 8 eps times 1 + ln(upper / lower): see test_bijections
    for name, spread in (("k_sat", 18.0), ("n", 8.0), ("psi", 15.0)):
        before, after = (np.asarray(getattr(m.soil, name)) for m in (model, back))
        assert after.dtype == dtype
        assert np.allclose(after, before, rtol=8 * spread * float(jnp.finfo(dtype).eps), atol=0)
    assert_same_outside(model, dataclasses.replace(back, soil=model.soil), "nothing")


@pytest.mark.parametrize("path", ["soil.k_sat", "layers.0.n", "soil.tortuosity", "head.params"])
def test_what_is_not_trained_is_bit_exact(path):
    model = make()
    free, frozen = split(model, train=[path])
    assert [*free.parameters, *free.networks] == [path]
    assert_same_outside(model, merge(free, frozen), f".{path.rsplit('.', 1)[-1]}")


@pytest.mark.parametrize(
    ("train", "parameters", "networks"),
    [
        ("soil.k_sat", ["soil.k_sat"], []),
        (["soil.k_sat", "soil.k_sat"], ["soil.k_sat"], []),
        (["soil.*"], ["soil.k_sat", "soil.n", "soil.psi"], []),
        (["soil"], ["soil.k_sat", "soil.n", "soil.psi"], []),
        (["soil.tortuosity"], ["soil.tortuosity"], []),
        (["*.n"], ["soil.n", "layers.0.n", "layers.1.n"], []),
        (["layers.1", "head"], ["layers.1.k_sat", "layers.1.n", "layers.1.psi"], ["head.params"]),
        (["head.*"], [], ["head.params"]),
        ([], [], []),
    ],
)
def test_names_parts_and_patterns(train, parameters, networks):
    free, frozen = split(make(), train)
    assert list(free.parameters) == parameters
    assert list(free.networks) == networks
    assert frozen.trained == (*parameters, *networks)


def test_networks_hold_floating_arrays_only():
    free, frozen = split(make(), "head")
    assert sorted(leaf.shape for leaf in jax.tree.leaves(free)) == [(2, 3), (3,)]
    assert merge(free, frozen).head.params["count"] == 4


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("soil.ksat", r"nothing is called 'soil.ksat'; did you mean soil.k_sat"),
        ("k_sat", r"did you mean soil.k_sat or layers.0.k_sat or layers.1.k_sat\?"),
        ("zzz", r"declared are soil.k_sat, soil.n"),
        ("*.tortuosity", r"selects only what a pattern does not train"),
        ("depth", r"nothing is called 'depth'"),
    ],
)
def test_unknown_names_are_refused(train, message):
    with pytest.raises(InputError, match=message):
        split(make(), train)


def test_values_outside_bounds_are_refused():
    model = eqx.tree_at(lambda m: m.soil.n, make(), jnp.asarray(0.9))
    with pytest.raises(InputError, match=r"soil\.n = 0\.9 is outside \[1\.01, 10\] -"):
        split(model, "soil.n")
    split(model, "soil.k_sat")


def test_what_is_no_array_cannot_be_trained():
    model = eqx.tree_at(lambda m: m.soil.n, make(), "learned")
    with pytest.raises(InputError, match=r"soil\.n cannot be trained: it holds 'learned'"):
        split(model, "soil.n")
    with pytest.raises(InputError, match="declares no parameters"):
        split({"a": jnp.ones(2)}, "*")


def test_a_parameter_has_one_owner():
    hybrid = {"site": Coupling(make_soil(), make_head())}
    with pytest.raises(InputError, match=r"site\.physics\.k_sat cannot be trained: site learns it"):
        split(hybrid, "site.physics.k_sat")
    free, _ = split(hybrid, "*")
    assert list(free.parameters) == ["site.physics.n", "site.physics.psi"]
    assert list(free.networks) == ["site.head.params"]
    with pytest.raises(InputError, match=r"a coupling learns it: site\.physics\.k_sat"):
        split(hybrid, "*.k_sat")
    with pytest.raises(InputError, match=r"Coupling learns 'physics\.ksat'.*physics\.k_sat"):
        split(Coupling(make_soil(), make_head(), learns=("ksat",)), "*")


def test_free_of_another_split_is_refused():
    free, _ = split(make(), "soil.n")
    _, frozen = split(make(), "soil.k_sat")
    with pytest.raises(InputError, match="different splits"):
        merge(free, frozen)


def answer(free, frozen):
    soil = merge(free, frozen).soil
    return jnp.log(soil.k_sat) * soil.n


def test_works_under_jit_grad_and_vmap():
    model = {"held": 1.0, "soil": make_soil()}
    free, frozen = split(model, ["soil.k_sat", "soil.n"])

    def misfit(free, frozen):
        soil = merge(free, frozen)["soil"]
        return jnp.log(soil.k_sat) * soil.n * merge(free, frozen)["held"]

    expected = jnp.log(100.0) * 1.5
    assert jnp.allclose(jax.jit(misfit)(free, frozen), expected)
    closed = jax.jit(jax.grad(lambda free: misfit(free, frozen)))(free)
    passed = jax.jit(jax.grad(misfit))(free, frozen)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, closed, passed))
    for path, z in free.parameters.items():
        up, down = (
            misfit(eqx.tree_at(lambda f: f.parameters[path], free, z + s), frozen)  # noqa: B023
            for s in (1e-5, -1e-5)
        )
        assert jnp.allclose(closed.parameters[path], (up - down) / 2e-5, rtol=1e-7)
    many = jax.tree.map(lambda z: z + jnp.arange(3.0), free)
    assert jax.vmap(misfit, in_axes=(0, None))(many, frozen).shape == (3,)


def test_jit_compiles_once_for_equal_models():
    traces = 0

    @jax.jit
    def misfit(free, frozen):
        nonlocal traces
        traces += 1
        return answer(free, frozen)

    misfit(*split(make(), "soil"))
    misfit(*split(make(), "soil"))
    assert traces == 1


def test_members_of_an_ensemble_split_together():
    members = jax.vmap(lambda k: make_soil(k_sat=k))(jnp.asarray([1.0, 10.0, 100.0]))
    free, frozen = split(members, "k_sat")
    k_sat = jax.vmap(lambda free, frozen: merge(free, frozen).k_sat)(free, frozen)
    assert jnp.allclose(k_sat, members.k_sat)


def test_split_and_merge_inside_jit():
    @jax.jit
    def there_and_back(model):
        return merge(*split(model, "*"))

    assert jnp.allclose(there_and_back(make_soil()).k_sat, 100.0)


def test_two_learning_rates():
    free, frozen = split(make(), ["soil.k_sat", "head"])
    optimizer = optax.multi_transform(
        {"parameters": optax.sgd(1.0), "networks": optax.sgd(0.1)},
        Free(parameters="parameters", networks="networks"),  # pyright: ignore[reportArgumentType]
    )

    @jax.jit
    def update(free, state):
        grads = jax.tree.map(jnp.ones_like, free)
        updates, state = optimizer.update(grads, state, free)
        return optax.apply_updates(free, updates), state

    state = optimizer.init(free)
    moved, _ = update(free, state)
    assert jnp.allclose(moved.parameters["soil.k_sat"], free.parameters["soil.k_sat"] - 1.0)
    assert jnp.allclose(moved.networks["head.params"]["w"], 0.9)
    assert merge(moved, frozen).soil.k_sat < 100.0
