"""Steps against the formulas: gathering, clipping, rates by group, averages."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from diffhydro.core.trainable import Free
from diffhydro.data.batches import InOrder
from diffhydro.errors import InputError
from diffhydro.training.fit import ArrayBatches, Optimizer, fit
from diffhydro.training.fit.optimizer import norm
from tests.training.fit.models import Line, close, plain, same, table

KEY = jax.random.key(0)
FREE = Free({"a": jnp.array([1.0, -2.0])}, {"w": {"k": jnp.array(3.0)}})


def gradient(scale=1.0):
    return Free({"a": scale * jnp.array([3.0, 0.0])}, {"w": {"k": scale * jnp.array(4.0)}})


def steps(optimizer, gradients, amounts=None):
    now = optimizer.begin(FREE)
    for i, one in enumerate(gradients):
        amount = jnp.asarray(1.0 if amounts is None else amounts[i], jnp.float32)
        now, _ = optimizer.descend(now, one, amount)
    return now


@pytest.mark.slow
def test_gathering_is_one_big_batch():
    """Also where the last batch is filled up: 7 rows are 4 + 3."""
    rows, size, count = 7, 4, 2
    data = table(rows)
    small = ArrayBatches.of(data, size, InOrder())
    big = ArrayBatches.of(data, rows, InOrder())
    kind = {"epochs": 5, "key": KEY}
    gathered = fit(
        Line(), small, plain, optimizer=Optimizer(0.05, clip=0.3, average=0.5, accumulate=count),
        **kind,
    )  # fmt: skip
    whole = fit(Line(), big, plain, optimizer=Optimizer(0.05, clip=0.3, average=0.5), **kind)
    close(gathered.state.free, whole.state.free)
    close(gathered.state.average, whole.state.average)
    assert int(gathered.state.step) == int(whole.state.step) == 5
    assert int(gathered.state.walk.seen) == 5 * count


def test_between_steps_nothing_moves():
    optimizer = Optimizer(0.1, optax.sgd, accumulate=3)
    now = steps(optimizer, [gradient(), gradient()])
    same(now.free, FREE)
    assert int(now.step) == 0
    after, change = optimizer.descend(now, gradient(), jnp.asarray(1.0, jnp.float32))
    assert int(after.step) == 1
    assert float(change) == pytest.approx(0.5)
    assert float(after.gathered.amount) == 0.0
    assert int(after.gathered.batches) == 0


def test_gathered_gradients_weigh_by_their_windows():
    now = steps(Optimizer(1.0, optax.sgd, accumulate=2), [gradient(1.0), gradient(4.0)], [2.0, 1.0])
    np.testing.assert_allclose(FREE.parameters["a"] - now.free.parameters["a"], [6.0, 0.0])


def test_clipping_is_of_all_together():
    now = steps(Optimizer(1.0, optax.sgd, clip=1.0), [gradient()])
    assert float(norm(gradient())) == 5.0
    np.testing.assert_allclose(FREE.parameters["a"] - now.free.parameters["a"], [0.6, 0.0])
    np.testing.assert_allclose(FREE.networks["w"]["k"] - now.free.networks["w"]["k"], 0.8)
    free = steps(Optimizer(1.0, optax.sgd, clip=6.0), [gradient()]).free
    np.testing.assert_allclose(FREE.parameters["a"] - free.parameters["a"], [3.0, 0.0])


def test_groups_have_their_own_rates():
    falling = optax.linear_schedule(1.0, 0.0, 2)
    optimizer = Optimizer({"parameters": falling, "networks": 0.5}, optax.sgd)
    now = steps(optimizer, [gradient(), gradient(), gradient()])
    np.testing.assert_allclose(FREE.parameters["a"] - now.free.parameters["a"], [4.5, 0.0])
    np.testing.assert_allclose(FREE.networks["w"]["k"] - now.free.networks["w"]["k"], 6.0)
    rates = [optimizer.rates(jnp.asarray(i, jnp.int32)) for i in range(4)]
    assert [float(rate["parameters"]) for rate in rates] == [1.0, 0.5, 0.0, 0.0]
    assert [float(rate["networks"]) for rate in rates] == [0.5] * 4


def test_groups_have_their_own_kinds():
    decay = partial(optax.adamw, weight_decay=0.1)
    now = steps(Optimizer(0.1, {"parameters": optax.sgd, "networks": decay}), [gradient(0.0)])
    np.testing.assert_array_equal(now.free.parameters["a"], FREE.parameters["a"])
    np.testing.assert_allclose(now.free.networks["w"]["k"], 3.0 * (1.0 - 0.1 * 0.1))


def test_the_average_follows():
    optimizer = Optimizer(0.1, optax.sgd, average=0.3)
    now, average = optimizer.begin(FREE), 3.0
    for step in range(1, 6):
        now, _ = optimizer.descend(now, gradient(), jnp.asarray(1.0, jnp.float32))
        keep = min(0.3, (1.0 + step) / (10.0 + step))
        average = keep * average + (1.0 - keep) * float(now.free.networks["w"]["k"])
    assert float(now.average.networks["w"]["k"]) == pytest.approx(average, rel=1e-12)
    assert now.outcome is now.average


def test_rates_are_logged_and_used():
    falling = optax.exponential_decay(0.1, 3, 0.5, staircase=True)
    data = ArrayBatches.of(table(6), 2)
    got = fit(Line(), data, plain, key=KEY, epochs=3, optimizer=Optimizer(falling))
    np.testing.assert_allclose(got.history.column("rate.networks"), [0.05, 0.025, 0.0125])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rate": {"physics": 0.1}}, "expected parameters and networks"),
        ({"kind": {"networks": optax.adam}}, "expected parameters and networks"),
        ({"kind": optax.adam(0.1)}, "not optax.adam"),
        ({"rate": -0.1}, "0 or more"),
        ({"rate": float("nan")}, "0 or more"),
        ({"clip": 0.0}, "above 0"),
        ({"accumulate": 0}, "at least 1"),
        ({"average": 1.0}, "below 1"),
    ],
)
def test_errors(given, words):
    with pytest.raises(InputError, match=words):
        Optimizer(**given)
