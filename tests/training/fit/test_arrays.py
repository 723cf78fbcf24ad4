"""Rows of arrays in memory: each once an epoch, and what fills up counts for nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.coupling.inputs import Inputs
from diffhydro.data.batches import InOrder, Position, Shuffled, stream
from diffhydro.errors import InputError
from diffhydro.training.fit import ArrayBatches, MemberBatches, Rows, as_sample
from diffhydro.training.fit.feed import items, windows
from diffhydro.training.sample import Sample
from tests.data.batches.test_epochs import batches as sites
from tests.data.batches.test_epochs import same


def tree(rows=7):
    return {"x": np.arange(float(rows)), "maps": (np.arange(rows * 6).reshape(rows, 2, 3),)}


@pytest.mark.parametrize("size", [1, 3, 7])
def test_each_row_once(size):
    batches = ArrayBatches.of(tree(), size, Shuffled(3))
    assert len(batches) == -(-7 // size)
    for epoch in range(3):
        read = [batches.read(which) for which in batches.epoch(epoch)]
        real = np.concatenate([one.arrays["x"][one.is_real] for one in read])
        assert sorted(real.tolist()) == list(range(7))
        assert all(one.is_real.shape == (size,) for one in read)
        for one in read:
            np.testing.assert_array_equal(one.arrays["maps"][0][:, 0, 0], 6 * one.arrays["x"])
    assert (batches.epoch(0) != batches.epoch(1)).any() or size == 7 == len(batches.epoch(0)[0])


def test_what_fills_up_is_a_copy():
    batches = ArrayBatches.of(tree(), 4, InOrder())
    last = batches.read(batches.epoch(0)[-1])
    assert last.is_real.tolist() == [True, True, True, False]
    assert last.arrays["x"].tolist() == [4.0, 5.0, 6.0, 6.0]
    none = batches.read(np.full(4, -1))
    assert not none.is_real.any()
    assert none.arrays["x"].tolist() == [0.0] * 4


def sample(rows=5):
    series = np.arange(rows * 4.0).reshape(rows, 4)
    return Sample(
        Inputs({"precipitation": series}, {"sand": np.arange(float(rows))}),
        {"maps": np.ones((rows, 4, 2, 2))},
        {"maps": np.full((rows, 4, 2, 2), 0.5)},
        {"soil": np.arange(rows)},
    )


def test_rows_of_a_sample_are_a_sample_without_weight_where_filled_up():
    batches = ArrayBatches.of(sample(), 3, InOrder())
    made = as_sample(batches.read(batches.epoch(0)[1]))
    assert isinstance(made, Sample)
    assert made.weights["maps"].shape == (3, 4, 2, 2)
    np.testing.assert_array_equal(made.weights["maps"][:2], 0.5)
    np.testing.assert_array_equal(made.weights["maps"][2], 0.0)
    assert made.weights["real"].tolist() == [1.0, 1.0, 0.0]
    np.testing.assert_array_equal(made.inputs.attributes["sand"], [3.0, 4.0, 4.0])
    np.testing.assert_array_equal(made.extra["soil"], [3, 4, 4])


def test_what_is_said_to_be_real_stays_so():
    given = sample()
    known = np.tile([0.0, 1.0, 1.0, 1.0], (5, 1))
    given = Sample(given.inputs, given.observed, given.weights | {"real": known}, given.extra)
    batches = ArrayBatches.of(given, 3, InOrder())
    made = as_sample(batches.read(batches.epoch(0)[1]))
    np.testing.assert_array_equal(made.weights["real"][1], known[0])
    np.testing.assert_array_equal(made.weights["real"][2], 0.0)


def test_members_of_samples_too():
    parts = MemberBatches.of([ArrayBatches.of(sample(rows), 3, InOrder()) for rows in (5, 3)])
    made = as_sample(parts.read(parts.epoch(0)[1]))
    assert made.weights["maps"].shape == (2, 3, 4, 2, 2)
    assert (np.asarray(made.weights["maps"])[..., 0, 0, 0] > 0).tolist() == [
        [True, True, False],
        [False] * 3,
    ]


def test_windows_of_a_data_set_are_a_sample():
    batches = sites()
    batch = batches.read(batches.epoch(0)[0])
    made = as_sample(batch)
    np.testing.assert_array_equal(made.observed["observed"], batch.observations)
    np.testing.assert_array_equal(
        made.inputs.attributes["elevation"], batch.attributes["elevation"]
    )
    assert windows(batch) == batch.is_real.sum()


def test_other_rows_stay_rows():
    batches = ArrayBatches.of(tree(), 4)
    made = as_sample(batches.read(batches.epoch(0)[0]))
    assert isinstance(made, Rows)
    assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(made))


def test_items_tell_what_comes_next():
    batches = ArrayBatches.of(tree(), 4, InOrder())
    found = list(items(batches, Position(0, 1), 2, lambda batch: batch.arrays["x"][0]))
    assert [(item.sample, int(item.amount), item.after) for item in found] == [
        (4.0, 3, (1, 0)), (0.0, 4, (1, 1)), (4.0, 3, (2, 0)),
    ]  # fmt: skip


def test_members_are_read_side_by_side():
    parts = [sites(size=4, order=Shuffled(i)) for i in range(2)]
    both = MemberBatches.of(parts)
    for which in both.epoch(1):
        batch = both.read(which)
        for i, part in enumerate(parts):
            alone = part.read(which[i])
            np.testing.assert_array_equal(batch.observations[i], alone.observations)
            np.testing.assert_array_equal(batch.starts[i], alone.starts)


def test_members_wait_for_the_longest():
    parts = [ArrayBatches.of({"x": np.arange(float(rows))}, 2) for rows in (5, 2)]
    both = MemberBatches.of(parts)
    assert len(both) == 3
    every = both.epoch(0)
    assert every.shape == (3, 2, 2)
    np.testing.assert_array_equal(every[:, 0], parts[0].epoch(0))
    assert every[0, 1].tolist() == parts[1].epoch(0)[0].tolist()
    assert (every[1:, 1] == -1).all()
    assert windows(both.read(every[1])).tolist() == [2.0, 0.0]


def test_going_on_is_never_having_stopped():
    parts = MemberBatches.of([ArrayBatches.of(tree(rows), 2, Shuffled(rows)) for rows in (5, 7)])
    whole = [batch.arrays["x"].tolist() for batch, _ in stream(parts, epochs=3)]
    rest = [batch.arrays["x"].tolist() for batch, _ in stream(parts, Position(1, 2), epochs=3)]
    assert rest == whole[6:]


def test_equal_batches_are_read_alike():
    one, other = sites(order=Shuffled(4)), sites(order=Shuffled(4))
    same(
        MemberBatches.of([one]).read(one.epoch(0)[:1]),
        MemberBatches.of([other]).read(other.epoch(0)[:1]),
    )


@pytest.mark.parametrize(
    ("arrays", "size", "words"),
    [
        ({"x": np.zeros(3), "y": np.zeros(4)}, 2, r"\['x'\] has 3, \['y'\] has 4"),
        ({"x": np.zeros(3), "y": jnp.zeros(())}, 2, r"\['y'\] has no rows"),
        ({}, 2, "no arrays"),
        ({"x": np.zeros((0, 2))}, 2, "this fold is empty"),
        ({"x": np.zeros(3)}, 0, "at least 1"),
    ],
)
def test_errors(arrays, size, words):
    with pytest.raises(InputError, match=words):
        ArrayBatches.of(arrays, size)


def test_members_are_of_one_size():
    parts = [ArrayBatches.of(tree(), size) for size in (2, 3)]
    with pytest.raises(InputError, match=r"member 1 is \[3\] and one of member 0 \[2\]"):
        MemberBatches.of(parts)
    with pytest.raises(InputError, match="no members"):
        MemberBatches.of([])
    with pytest.raises(InputError, match="expected one number"):
        MemberBatches.of([MemberBatches.of(parts[:1])])
