"""A fit finds what is to be found, does what a loop written out does, and does it again."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from diffhydro.core.trainable import merge, split
from diffhydro.data.batches import InOrder
from diffhydro.errors import InputError
from diffhydro.training.fit import ArrayBatches, Optimizer, Stop, Validation, fit, trained
from diffhydro.training.fit.feed import as_sample
from tests.training.fit.models import (
    OFFSET,
    SLOPE,
    Line,
    batches,
    bent,
    close,
    plain,
    same,
    square,
    table,
)

KEY = jax.random.key(3)
OPTIMIZER = Optimizer(0.05, clip=1.0, average=0.9)


@cache
def found():
    return fit(
        Line(), batches(), square, key=KEY, epochs=6, optimizer=OPTIMIZER,
        validation=Validation(batches(7, 4, 1)),
    )  # fmt: skip


def test_a_line_is_found():
    exact = np.linspace(-1.0, 1.0, 12)
    given = ArrayBatches.of({"x": exact, "y": SLOPE * exact + OFFSET}, 5)
    got = fit(Line(), given, plain, key=KEY, epochs=150, optimizer=Optimizer(0.1))
    np.testing.assert_allclose(got.model.slope, SLOPE, rtol=1e-3)
    np.testing.assert_allclose(got.model.offset, OFFSET, rtol=3e-3)
    assert got.stopped_because == "all 150 epochs"
    assert len(got.history) == 150


def test_it_is_the_loop_written_out(loose_promotion):
    free, frozen = split(Line(), "*")
    chain = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.05))
    state, losses, given, number = chain.init(free), [], batches(), 0

    def loss(free, sample, step, key):
        return square(merge(free, frozen), sample, step=step, key=key)[0]

    gradient = jax.jit(jax.value_and_grad(loss))
    for epoch in range(6):
        seen = []
        for which in given.epoch(epoch):
            sample = as_sample(given.read(which))
            key = jax.random.fold_in(KEY, number)
            value, slope = gradient(free, sample, jnp.asarray(number, jnp.int32), key)
            change, state = chain.update(slope, state)
            free = optax.apply_updates(free, change)
            seen.append((float(value), (which >= 0).sum()))
            number += 1
        values, amounts = np.array(seen).T
        losses.append(np.average(values, weights=amounts))
    close(found().state.free, free, rtol=1e-9)
    np.testing.assert_allclose(found().history.column("training.total"), losses, rtol=1e-9)
    assert int(found().state.step) == number == int(found().state.walk.seen)


def test_one_seed_one_result():
    again = fit(
        Line(), batches(), square, key=KEY, epochs=6, optimizer=OPTIMIZER,
        validation=Validation(batches(7, 4, 1)),
    )  # fmt: skip
    same(found().state, again.state)
    same(found().model, again.model)
    assert found().history == again.history


def test_another_key_another_result():
    other = fit(
        Line(), batches(), square, key=jax.random.key(4), epochs=6, optimizer=OPTIMIZER,
        validation=Validation(batches(7, 4, 1)),
    )  # fmt: skip
    assert float(other.last_model.slope) != float(found().last_model.slope)


def test_state_and_model_give_the_model_back():
    _, frozen = split(Line(), "*")
    same(trained(found().state, frozen), found().model)
    same(trained(found().state, frozen, last=True), found().last_model)


def test_all_of_a_state_is_arrays():
    assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(found().state))


def test_only_what_is_named_is_trained():
    got = fit(bent(), batches(), plain, key=KEY, epochs=1, train="line.*").last_model
    same(got.head, bent().head)
    assert float(got.line.slope) != float(bent().line.slope)


def test_the_given_model_is_left_alone():
    model = Line()
    before = jax.tree.map(np.array, model)
    fit(model, batches(), square, key=KEY, epochs=1, optimizer=OPTIMIZER)
    same(jax.tree.map(jnp.asarray, before), model)


def test_the_best_is_that_of_the_best_score():
    given = ArrayBatches.of(table(8), 8, InOrder())
    far = Optimizer(optax.piecewise_constant_schedule(0.3, {12: 30.0}))
    got = fit(Line(), given, plain, key=KEY, epochs=20, optimizer=far)
    scores = got.history.column("training.total")
    best = int(np.argmin(scores))
    assert best < 19
    assert float(got.state.best_score) == -scores[best]
    short = fit(Line(), given, plain, key=KEY, epochs=best + 1, optimizer=far)
    same(got.model, short.last_model)
    assert float(got.model.slope) != float(got.last_model.slope)


def test_rows_say_what_happened():
    history = found().history
    assert history.columns == (
        "epoch", "step", "training.total", "training.misfit", "training.size", "gradient",
        "rate.parameters", "rate.networks",
        "validation.total", "validation.misfit", "validation.size",
    )  # fmt: skip
    assert history.column("epoch").tolist() == list(range(6))
    assert history.column("step").tolist() == [3, 6, 9, 12, 15, 18]
    whole = history.column("training.misfit") + history.column("training.size")
    np.testing.assert_allclose(history.column("training.total"), whole, rtol=1e-12)
    assert (history.column("gradient") > 0).all()


def test_types_stay():
    line = jax.tree.map(lambda x: x.astype(np.float32), Line())
    got = fit(
        line, batches(dtype=np.float32), square, key=KEY, epochs=1,
        optimizer=Optimizer(optax.linear_schedule(0.1, 0.0, 9), accumulate=2, average=0.9),
    )  # fmt: skip
    numbers = jax.tree.leaves((got.model, got.state.walk, got.state.best_score))
    types = {x.dtype for x in numbers if jnp.issubdtype(x.dtype, jnp.floating)}
    assert types == {np.dtype("float32")}


def test_after_each_epoch_someone_may_be_told():
    seen = []

    def watch(state, row):
        seen.append((int(state.step), row["epoch"], row["training.total"]))

    got = fit(Line(), batches(), plain, key=KEY, epochs=3, on_epoch=watch)
    totals = got.history.column("training.total").tolist()
    assert seen == [(3, 0, totals[0]), (6, 1, totals[1]), (9, 2, totals[2])]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"epochs": 0}, "0 epochs"),
        ({"save_every": 0}, "every 0 batches"),
        ({"validation": Validation(batches(), every=3)}, "never comes in 2"),
        ({"stop": Stop("training.misfits")}, "did you mean training.misfit"),
        ({"train": "slop"}, "did you mean slope"),
        ({"train": []}, "nothing is trained"),
    ],
)
def test_errors(given, words):
    with pytest.raises(InputError, match=words):
        fit(Line(), batches(), plain, **{"key": KEY, "epochs": 2} | given)
