import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.timeloop import NESTED, PLAIN, REMAT, SOLVED, Nested, keep, timeloop
from diffhydro.errors import InputError
from diffhydro.typing import Array

POLICIES = [SOLVED, REMAT, NESTED, Nested(7)]
LENGTHS = [(0, "float32"), (1, "float32"), (16, "float32"), (97, "float32"), (17, "float64")]


class Weather(eqx.Module):
    rain: Array
    heat: Array
    name: str = eqx.field(static=True, default="x")


class Store(eqx.Module):
    water: Array
    age: Array


def make_weather(length, dtype):
    rain, heat = np.abs(np.random.default_rng(length).normal(size=(2, length)))
    return Weather(jnp.asarray(rain, dtype), jnp.asarray(heat, dtype))


def bucket(k):
    """A step with enough transcendentals that a different order of operations would show."""

    def step(store, weather):
        loss = k * store.water ** (1.0 + k) + jnp.exp(-weather.heat) * jnp.tanh(store.water)
        water = store.water + weather.rain - jnp.minimum(loss, store.water)
        return Store(water, store.age + 1), (loss, jnp.log1p(water) * weather.heat)

    return step


def run(k, start, weather, memory):
    store = Store(start, jnp.asarray(0))
    return timeloop(bucket(k), store, weather, memory=memory)


@pytest.mark.parametrize(("length", "dtype"), LENGTHS)
def test_the_policy_does_not_change_a_bit(length, dtype):
    k, start = jnp.asarray(0.3, dtype), jnp.linspace(0.1, 5.0, 7, dtype=dtype)
    compiled = jax.jit(run, static_argnames="memory")
    weather = make_weather(length, dtype)
    expected = compiled(k, start, weather, PLAIN)
    assert expected[0].age == length
    unusual = [Nested(1), Nested(100)] if length == 17 else []
    for memory in [*POLICIES, *unusual]:
        found = compiled(k, start, weather, memory)
        for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
            assert a.dtype == b.dtype
            assert jnp.array_equal(a, b)


def test_the_policy_does_not_change_the_gradient():
    weather = make_weather(17, jnp.float64)

    @eqx.filter_jit
    def slopes(k, start, weather, memory):
        def total(k, start, weather):
            store, (loss, seen) = run(k, start, weather, memory)
            return jnp.sum(store.water**2) + jnp.mean(loss * seen)

        return jax.grad(total, argnums=(0, 1, 2))(k, start, weather)

    arguments = jnp.asarray(0.3), jnp.linspace(0.1, 5.0, 7), weather
    expected = slopes(*arguments, PLAIN)
    for memory in (REMAT, NESTED):
        found = slopes(*arguments, memory)
        for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
            assert jnp.allclose(a, b, rtol=1e-13, atol=1e-14)


def test_equals_a_python_loop():
    weather = make_weather(5, jnp.float64)
    step, store = bucket(jnp.asarray(0.3)), Store(jnp.ones(3), jnp.asarray(0))
    last, (loss, _) = timeloop(step, store, weather, memory=NESTED)
    for t in range(5):
        store, (expected, _) = step(store, jax.tree.map(lambda x: x[t], weather))  # noqa: B023
        assert jnp.allclose(loss[t], expected, rtol=1e-14)
    assert jnp.allclose(last.water, store.water, rtol=1e-14)


def gradient_memory(memory, length, width=4096):
    """Return the scratch bytes of a gradient through `length` steps of a state of `width`."""

    def total(k, start, rain):
        def step(water, rain):
            water = water + rain - k * jnp.tanh(water) * jnp.exp(-water)
            return water, jnp.mean(water)

        last, means = timeloop(step, start, rain, memory=memory)
        return jnp.sum(last) + jnp.sum(means)

    arguments = [jax.ShapeDtypeStruct(s, jnp.float32) for s in ((), (width,), (length,))]
    compiled = jax.jit(jax.grad(total)).lower(*arguments).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def test_memory_of_the_gradient():
    short, long = 256, 1024
    plain, remat, nested = (gradient_memory(m, long) for m in (PLAIN, REMAT, NESTED))
    assert 3.8 < plain / gradient_memory(PLAIN, short) < 4.2
    assert 3.8 < remat / gradient_memory(REMAT, short) < 4.2
    assert 1.7 < nested / gradient_memory(NESTED, short) < 2.3
    assert remat < plain
    # 2 √T states, and as much again for buffers
    state = 4096 * 4
    assert nested < 4 * math.sqrt(long) * state
    prime = 1021
    assert gradient_memory(NESTED, prime) < 1.3 * nested


def test_a_length_alone_is_enough():
    for memory in (PLAIN, *POLICIES):
        last, seen = timeloop(lambda s, _: (s * 2.0, s), jnp.ones(2), length=5, memory=memory)
        assert jnp.all(last == 32.0)
        assert seen.shape == (5, 2)
    assert timeloop(lambda s, x: (s + x, None), 0.0, np.ones(3), length=3)[0] == 3.0


def test_works_under_vmap():
    starts = jnp.linspace(0.1, 1.0, 12).reshape(4, 3)
    weather = make_weather(17, jnp.float64)
    k = jnp.asarray(0.2)
    final = jax.jit(lambda start: run(k, start, weather, NESTED)[0])
    mapped = jax.vmap(final)(starts)
    looped = jnp.stack([final(start).water for start in starts])
    assert jnp.allclose(mapped.water, looped, rtol=1e-14)


@pytest.mark.parametrize(
    ("inputs", "length", "message"),
    [
        ({"rain": np.ones(3), "heat": np.ones(4)}, None, r"\['heat'\] says 4 steps.*rain'\] has 3"),
        ({"rain": np.ones(3)}, 4, r"length says 4 steps, but inputs\['rain'\] has 3"),
        ({"rain": np.ones(3), "heat": np.float64(1.0)}, None, r"heat'\] has no time axis"),
        ({"rain": 1.0}, None, r"rain'\] has no time axis"),
        (None, None, "needs inputs or a length"),
    ],
)
def test_inputs_that_disagree_about_time_are_refused(inputs, length, message):
    with pytest.raises(InputError, match=message):
        timeloop(lambda s, x: (s, x), 0.0, inputs, length=length)


def test_a_chunk_has_steps():
    with pytest.raises(InputError, match="at least one step"):
        Nested(0)


def test_solved_does_not_solve_again():
    """What a step asked to keep is not computed a second time; the rest is."""

    def step(state, _):
        state = keep(jnp.sin(state)) * jnp.cos(state)
        return state, state

    def count(memory, word):
        def end(state):
            return timeloop(step, state, length=5, memory=memory)[0]

        text = str(jax.make_jaxpr(jax.grad(end))(0.3))
        return text.count(f" = {word} ")

    # d(sin) needs cos: both appear once forward; a second evaluation shows as one more.
    assert count(REMAT, "sin") > count(SOLVED, "sin")
    assert count(SOLVED, "cos") >= count(PLAIN, "cos")
