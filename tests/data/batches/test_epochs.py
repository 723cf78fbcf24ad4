import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.batches import (
    Batches,
    ClusteredBatches,
    InOrder,
    Position,
    Shuffled,
    Source,
    Windows,
    stream,
)
from diffhydro.errors import InputError
from tests.data.batches.sites import FORCING, dataset
from tests.data.batches.test_source import loss

WINDOWS = Windows(length=14, warm_up=4)
SOURCE = Source.of(dataset(), forcing=FORCING, attributes=("elevation",))
CLUSTERS = (np.array([0]), np.array([1, 2, 3]), np.array([4]))


def batches(size=4, order=None):
    return Batches.of(SOURCE, WINDOWS, size, order)


def clustered(size=4, order=None):
    return ClusteredBatches.of(SOURCE, WINDOWS, size, CLUSTERS, order)


def same(one, other):
    np.testing.assert_array_equal(one.sites, other.sites)
    np.testing.assert_array_equal(one.starts, other.starts)
    np.testing.assert_array_equal(one.weights, other.weights)
    np.testing.assert_array_equal(one.observations, other.observations)
    for name in FORCING:
        np.testing.assert_array_equal(one.forcing[name], other.forcing[name])


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(0, 5), st.integers(0, 3))
def test_an_epoch_has_each_window_once(size, seed, number):
    made = batches(size, Shuffled(seed))
    every = made.epoch(number)
    assert every.shape == (len(made), size)
    real = every[every >= 0]
    assert sorted(real.tolist()) == list(range(len(made.cut)))
    assert (every[:-1] >= 0).all()


def test_orders():
    one, again, other = batches(order=Shuffled(1)), batches(order=Shuffled(1)), batches()
    np.testing.assert_array_equal(one.epoch(3), again.epoch(3))
    assert (one.epoch(3) != other.epoch(3)).any()
    assert (one.epoch(3) != one.epoch(4)).any()
    assert batches(order=InOrder()).epoch(5)[0].tolist() == [0, 1, 2, 3]
    cut = one.cut
    assert (np.diff(cut.sites) >= 0).all()


@pytest.mark.parametrize("make", [batches, clustered])
def test_going_on_is_never_having_stopped(make):
    made = make(order=Shuffled(7))
    whole = list(stream(made, epochs=3))
    assert len(whole) == 3 * len(made)
    for stop in range(0, len(whole), 4):
        saved = json.loads(json.dumps(whole[stop][1]))  # as a checkpoint keeps it
        rest = list(stream(make(order=Shuffled(7)), Position(*saved), epochs=3))
        assert len(rest) == len(whole) - stop - 1
        for (one, at), (other, there) in zip(whole[stop + 1 :], rest, strict=True):
            same(one, other)
            assert at == there
    assert whole[-1][1] == Position(3, 0)


def test_without_end_it_goes_on():
    made = batches()
    taken = list(itertools.islice(stream(made), 2 * len(made) + 1))
    assert taken[-1][1] == Position(2, 1)


def test_a_position_of_other_data_is_refused():
    with pytest.raises(InputError, match="position \\(0, 99\\): an epoch has 7 batches"):
        next(stream(batches(), Position(0, 99)))


def test_clusters_of_unequal_size_fill_up():
    made = clustered(order=InOrder())
    assert [len(cut) for cut in made.cuts] == [5, 15, 5]
    assert len(made) == 4
    all_batches = [b for b, _ in stream(made, epochs=1)]
    assert {b.weights.shape for b in all_batches} == {(3, 4, 14, 2)}
    last = all_batches[-1]
    assert last.is_real.tolist() == [[False] * 4, [True] * 3 + [False], [False] * 4]
    assert not last.weights[[0, 2]].any()
    assert np.isfinite(last.forcing["temperature"]).all()
    for member, sites in enumerate(CLUSTERS):
        for batch in all_batches:
            assert np.isin(batch.sites[member], sites).all()


def test_no_loss_of_a_cluster_changes_with_the_others():
    """Each member's loss is that of its sites alone, in batches that need no filling up."""
    made = [b for b, _ in stream(clustered(size=4), epochs=1)]
    for member, sites in enumerate(CLUSTERS):
        alone = ClusteredBatches.of(SOURCE, WINDOWS, 1, [sites])
        expected = np.sum([loss(b) for b, _ in stream(alone, epochs=1)], axis=0)
        errors, weight = 0.0, 0.0
        for batch in made:
            simulated = 1e-4 * batch.forcing["precipitation"][member].astype(float)[..., None]
            errors += np.sum(
                batch.weights[member] * (simulated - batch.observations[member].astype(float)) ** 2
            )
            weight += batch.weights[member].sum(dtype=float)
        np.testing.assert_allclose([errors, weight], expected, rtol=1e-12)


def test_clusters_that_have_nothing_are_refused():
    with pytest.raises(InputError, match="cluster 1 has 0 sites"):
        ClusteredBatches.of(SOURCE, WINDOWS, 4, [np.array([0]), np.array([], int)])
    with pytest.raises(InputError, match="batches of 0 windows"):
        batches(size=0)
