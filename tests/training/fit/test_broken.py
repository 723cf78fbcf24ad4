"""Where something is no number a run stops, says where and why, and stands as before."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from diffhydro.core.trainable import split
from diffhydro.data.batches import Batch, InOrder
from diffhydro.errors import InputError
from diffhydro.training.fit import ArrayBatches, Optimizer, TrainingError, Validation, fit, trained
from diffhydro.training.fit.broken import explain, named, of_member
from tests.training.fit.models import Line, Memory, batches, plain, same, table

KEY = jax.random.key(0)
OPTIMIZER = Optimizer(0.1)


def poisoned(row=9, name="x", value=np.nan, rows=12):
    data = table(rows)
    data[name][row] = value
    return ArrayBatches.of(data, 4, InOrder())


def broken(given, objective=plain, **more):
    options = {"key": KEY, "epochs": 4, "optimizer": OPTIMIZER} | more
    with pytest.raises(TrainingError) as caught:
        fit(Line(), given, objective, **options)
    return caught.value


def test_it_says_where_and_why(tmp_path):
    error = broken(poisoned(), out=tmp_path)
    path = tmp_path / "broken" / "epoch-0-batch-2.npz"
    assert str(error) == (
        "training stopped at step 2 (epoch 0, batch 2): the term misfit is nan, at window 1 of the "
        f"batch; the batch is in {path}"
    )
    assert (error.position, error.batch) == ((0, 2), path)
    with np.load(path, allow_pickle=False) as kept:
        np.testing.assert_array_equal(kept["arrays['x']"], poisoned().arrays["x"][8:])
        assert kept["is_real"].tolist() == [True] * 4


def test_it_stands_as_before(loose_promotion):
    error = broken(poisoned())
    _, frozen = split(Line(), "*")
    clean = ArrayBatches.of({name: x[:8] for name, x in poisoned().arrays.items()}, 4, InOrder())
    before = fit(Line(), clean, plain, key=KEY, epochs=1, optimizer=OPTIMIZER)
    same(error.state.walk.descent, before.state.walk.descent)
    same(trained(error.state, frozen, last=True), before.last_model)


def test_a_mended_run_goes_on_from_there(tmp_path):
    saver = Memory()
    broken(poisoned(), saver=saver, out=tmp_path)
    assert list(saver.kept) == [2]
    broken(poisoned(), saver=saver, out=tmp_path)  # not mended yet
    mended = poisoned(value=0.3)
    got = fit(
        Line(), mended, plain, key=KEY, epochs=4, optimizer=OPTIMIZER, saver=saver, out=tmp_path
    )
    whole = fit(Line(), mended, plain, key=KEY, epochs=4, optimizer=OPTIMIZER)
    same(got.state, whole.state)
    assert got.history == whole.history


class Counting:
    """Batches that count how many are read."""

    def __init__(self, inner):
        self.inner, self.read_so_far = inner, 0

    def __len__(self):
        return len(self.inner)

    def epoch(self, number):
        return self.inner.epoch(number)

    def read(self, which):
        self.read_so_far += 1
        return self.inner.read(which)


def test_far_from_any_look_it_is_still_found_exactly():
    """A batch is looked at later, though not much, and others come after it."""
    given = Counting(poisoned(row=70, rows=400))
    error = broken(given, epochs=1)
    assert error.position == (0, 17)
    assert "step 17 (epoch 0, batch 17)" in str(error)
    assert 32 <= given.read_so_far < 40


def test_it_is_looked_at_with_the_same_chance():
    def unlucky(model, rows, *, step, key):
        lot = jax.random.uniform(key)
        return jnp.where(lot < 0.4, jnp.nan, lot) * model.slope, {}

    lots = [float(jax.random.uniform(jax.random.fold_in(KEY, i))) for i in range(9)]
    first = next(i for i, lot in enumerate(lots) if lot < 0.4)
    assert float(jax.random.uniform(KEY)) > 0.4
    error = broken(batches(), unlucky)
    assert f"(epoch {first // 3}, batch {first % 3}): the total is nan" in str(error)


def test_the_very_first_batch():
    error = broken(poisoned(row=0, name="y", value=np.inf))
    assert "at step 0 (epoch 0, batch 0): the term misfit is inf, at window 0" in str(error)


def test_a_term_of_several():
    def two(model, rows, *, step, key):
        total, terms = plain(model, rows, step=step, key=key)
        extra = jnp.log(-model.slope)
        return total + extra, {**terms, "extra": extra}

    error = broken(batches(), two)
    assert "the term extra is nan, at window 0, 1, 2, 3 of the batch" in str(error)


def test_a_gradient_alone():
    """The root of what is masked: finite, and its slope is not."""

    def masked(model, rows, *, step, key):
        root = jnp.sqrt(0.0 * model.offset)
        total, terms = plain(model, rows, step=step, key=key)
        return total + jnp.where(model.slope > 0, 0.0, root), terms

    error = broken(batches(), masked)
    assert "the loss is finite, and its gradient is not, in parameters['offset']" in str(error)


def test_an_infinite_gradient_of_which_only_the_sign_is_used():
    def root(model, rows, *, step, key):
        return jnp.sqrt(model.offset), {}

    error = broken(batches(), root, optimizer=Optimizer(0.1, optax.lion))
    assert "the loss is finite, and its gradient is not, in parameters['offset']" in str(error)


def test_a_step_alone():
    def vast(model, rows, *, step, key):
        return jnp.asarray(1e150) * model.offset, {}

    error = broken(batches(), vast, optimizer=Optimizer(1e250, optax.sgd))
    assert "and the step is not: lower the rate, or clip" in str(error)


def test_windows_that_are_bad_only_together():
    def spread(model, rows, *, step, key):
        x = rows.arrays["x"]
        is_alike = jnp.all(x == x[0])
        return jnp.where(is_alike, model.slope, jnp.nan), {}

    error = broken(batches(), spread)
    assert "for all windows together and for none alone" in str(error)
    assert "the total is nan, and each term is finite" in str(error)


def test_weights_that_were_no_numbers_before():
    line = Line(offset=np.nan)
    with pytest.raises(InputError, match="offset"):
        fit(line, batches(), plain, key=KEY, epochs=1, optimizer=OPTIMIZER)


def test_what_only_fills_up_may_be_anything():
    def ratio(model, rows, *, step, key):
        total = jnp.sum(rows.is_real.astype(float)) * model.slope
        return jnp.where(rows.is_real.all(), total, total), {}

    got = fit(Line(), batches(), ratio, key=KEY, epochs=2, optimizer=OPTIMIZER)
    assert len(got.history) == 2


def test_a_validation_that_is_no_number():
    def bad(model, rows, *, step, key):
        return jnp.asarray(jnp.nan), {}

    with pytest.raises(InputError, match=r"the first validation\.total is nan"):
        fit(
            Line(), batches(), plain, key=KEY, epochs=1, optimizer=OPTIMIZER,
            validation=Validation(batches(), bad),
        )  # fmt: skip


def batch(windows=3, members=()):
    shape = (*members, windows)
    series = np.zeros((*shape, 5), np.float32)
    days = np.datetime64("2020-01-01", "ns") + np.arange(windows) * np.timedelta64(1, "D")
    return Batch(
        {"precipitation": series}, {"sand": np.zeros(shape, np.float32)}, series, series,
        np.broadcast_to(np.arange(windows, dtype=np.int32), shape), np.broadcast_to(days, shape),
        np.ones(shape, bool), np.ones((*shape, 5), bool),
    )  # fmt: skip


def test_windows_of_a_data_set_are_named():
    given = batch()
    given.forcing["precipitation"][1, 2] = np.nan

    def rain(model, series, *, step, key):
        return jnp.sum(series["precipitation"]) * model.slope, {}

    _, frozen = split(Line(), "*")
    error = broken(poisoned())
    sample = {name: jnp.asarray(x) for name, x in given.forcing.items()}
    with jax.numpy_dtype_promotion("standard"):
        why = explain(rain, frozen, error.state, given, sample)
    assert why.endswith("at 1 of 3 windows: site 1 from 2020-01-02T00:00")


def test_a_batch_is_kept_whole():
    given = batch(members=(2,))
    one = of_member(given, 1)
    assert one.starts.shape == (3,)
    kept = named(one)
    assert list(kept) == [
        "forcing.precipitation", "attributes.sand", "observations", "weights", "sites", "starts",
        "is_real", "is_step",
    ]  # fmt: skip
    assert kept["starts"].dtype == np.dtype("datetime64[ns]")
