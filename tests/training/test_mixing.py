"""Mixed sources: as often as asked, from any position the same, each through its own epochs."""

import json
from math import sqrt

import jax
import numpy as np
import pytest

from diffhydro.core.ensembles import stack
from diffhydro.data.batches import START, Position, Shuffled, stream
from diffhydro.errors import InputError
from diffhydro.training.fit import ArrayBatches, MemberBatches, fit_ensemble
from diffhydro.training.mixing import MixedBatches
from tests.training.fit.models import Line, batches, plain


def source(first, rows, size=2, seed=0):
    return ArrayBatches.of(np.arange(first, first + float(rows)), size, Shuffled(seed))


def mixed(p=0.7, length=None, seed=0):
    sources = {"simulated": source(0, 9), "stations": source(100, 5, 2, 1)}
    return MixedBatches.of(sources, {"simulated": p}, length=length, seed=seed)


def values(given, position=START, epochs=4):
    return [batch.arrays[batch.is_real].tolist() for batch, _ in stream(given, position, epochs)]


@pytest.mark.parametrize("p", [0.0, 0.2, 0.8, 1.0])
def test_sources_come_as_often_as_asked(p):
    draws = mixed(p, length=4000).epoch(0)[:, 0]
    share = float((draws == 0).mean())
    assert abs(share - p) <= 4.0 * sqrt(p * (1.0 - p) / 4000)


def test_draws_do_not_depend_on_each_other():
    draws = mixed(0.5, length=4000).epoch(3)[:, 0]
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 4.0 / sqrt(4000)


def test_each_source_walks_through_its_own_epochs():
    given = mixed(0.6)
    found = values(given, epochs=12)
    for first, rows, size, seed in ((0, 9, 2, 0), (100, 5, 2, 1)):
        mine = [x for x in found if (x[0] >= 100) == (first == 100)]
        alone = values(source(first, rows, size, seed), epochs=20)
        assert len(mine) > len(source(first, rows, size, seed))
        assert mine == alone[: len(mine)]


def test_going_on_is_never_having_stopped():
    whole = list(stream(mixed(), epochs=5))
    for stop in range(0, len(whole), 3):
        saved = json.loads(json.dumps(whole[stop][1]))
        rest = values(mixed(), Position(*saved), 5)
        assert rest == [batch.arrays[batch.is_real].tolist() for batch, _ in whole[stop + 1 :]]


def test_seeds_and_epochs_differ():
    assert values(mixed()) == values(mixed())
    assert values(mixed()) != values(mixed(seed=1))
    one = mixed(0.5, length=50)
    assert one.epoch(0)[:, 0].tolist() != one.epoch(1)[:, 0].tolist()


def test_the_length_of_an_epoch():
    assert len(mixed()) == 5 + 3
    assert len(mixed(1.0)) == 5
    assert len(mixed(0.0)) == 3
    assert len(mixed(length=17)) == 17 == len(mixed(length=17).epoch(2))


def test_more_than_two():
    sources = {name: source(100 * i, 8) for i, name in enumerate("abc")}
    given = MixedBatches.of(sources, {"a": 0.2, "b": 0.5}, length=6000)
    assert given.probabilities == (0.2, 0.5, 0.3)
    share = np.bincount(given.epoch(0)[:, 0]) / 6000
    np.testing.assert_allclose(share, given.probabilities, atol=4.0 * sqrt(0.25 / 6000))


def test_one_that_is_never_drawn_is_never_drawn():
    sources = {name: source(100 * i, 8) for i, name in enumerate("abc")}
    for never in "abc":
        others = {name: 0.5 for name in "abc" if name != never} | {never: 0.0}
        draws = MixedBatches.of(sources, others, length=3000).epoch(0)[:, 0]
        assert "abc".index(never) not in draws


def test_members_are_mixed_together():
    parts = {
        name: MemberBatches.of([batches(8, 4, seed), batches(5, 4, seed + 1)])
        for name, seed in (("simulated", 0), ("stations", 5))
    }
    given = MixedBatches.of(parts, {"simulated": 0.5})
    assert {x.is_real.shape for x, _ in stream(given, epochs=2)} == {(2, 4)}
    found = fit_ensemble(stack([Line(), Line()]), given, plain, key=jax.random.key(0), epochs=2)
    assert len(found.history) == 4


class Nothing:
    """A source without windows."""

    def __len__(self):
        return 0

    def epoch(self, number):
        return np.zeros((0, 2), int)

    def read(self, which):
        raise AssertionError


@pytest.mark.parametrize(
    ("more", "probability", "words"),
    [
        ({}, {"simulated": 1.5}, "probability of simulated is 1.5; expected 0 to 1"),
        ({}, {"simulated": -0.1}, "expected 0 to 1"),
        ({}, {"simulated": float("nan")}, "expected 0 to 1"),
        ({}, {"simulated": 0.5, "stations": 0.6}, "add up to 1.1"),
        ({}, {"simulated": 0.5, "stations": 0.4}, "add up to 0.9"),
        ({}, {"simulate": 0.5}, "no source 'simulate'; there are simulated, stations"),
        ({}, {}, "simulated and stations have no probability"),
        ({"stations": Nothing()}, {"simulated": 0.5}, "stations is empty"),
        ({"stations": source(0, 3, 4)}, {"simulated": 0.5}, "larger than the source stations"),
    ],
)
def test_errors(more, probability, words):
    sources = {"simulated": source(0, 9), "stations": source(100, 5)} | more
    with pytest.raises(InputError, match=words):
        MixedBatches.of(sources, probability)


def test_no_sources_and_no_length():
    with pytest.raises(InputError, match="no sources"):
        MixedBatches.of({}, {})
    with pytest.raises(InputError, match="0 batches"):
        mixed(length=0)
