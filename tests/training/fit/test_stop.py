"""The best and the end, by the metric that was asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.trainable import split
from diffhydro.errors import InputError
from diffhydro.training.fit import Optimizer, Stop, Validation, fit
from diffhydro.training.fit.state import PATIENT, RUNNING, TOTAL
from diffhydro.training.fit.step import start
from diffhydro.training.fit.stop import judge
from tests.training.fit.models import Line, batches, plain, same

KEY = jax.random.key(0)
FREE, _ = split(Line(), "*")


def course(stop, values):
    """Judge a course of values, with other free numbers at each; give all states."""
    state = start(None, Optimizer(), (TOTAL,), np.dtype(float), FREE, KEY)
    states = []
    for i, value in enumerate(values):
        moved = jax.tree.map(lambda x, i=i: jnp.full_like(x, float(i)), FREE)
        walk = state.walk
        descent = type(walk.descent)(moved, walk.descent.optimizer, None, None, walk.descent.step)
        walk = type(walk)(descent, walk.seen, walk.position, walk.ending, walk.sums, walk.amount)
        state = type(state)(
            walk, state.best, state.best_score, state.mark, state.since_best, state.key
        )
        state = judge(None, stop, state, jnp.asarray(value, float))
        states.append(state)
    return states


def best(state):
    return int(state.best.parameters["slope"])


def test_low_is_good():
    states = course(Stop(patience=9), [3.0, 1.0, 2.0, 0.5, 0.5])
    assert [best(state) for state in states] == [0, 1, 1, 3, 3]
    assert [float(state.best_score) for state in states] == [-3.0, -1.0, -1.0, -0.5, -0.5]
    assert [int(state.since_best) for state in states] == [0, 0, 1, 0, 1]


def test_high_is_good():
    states = course(Stop(is_high=True), [0.1, 0.7, 0.2])
    assert [best(state) for state in states] == [0, 1, 1]
    assert float(states[-1].best_score) == 0.7


def test_it_stops_after_patience_and_stays():
    states = course(Stop(patience=2), [1.0, 2.0, 1.5, 0.1, 0.0])
    assert [int(state.walk.ending) for state in states] == [RUNNING, RUNNING] + [PATIENT] * 3
    assert best(states[-1]) == 0
    same(
        (states[2].best, states[2].best_score, states[2].since_best),
        (states[4].best, states[4].best_score, states[4].since_best),
    )


def test_without_patience_it_never_stops():
    states = course(Stop(), [1.0] * 5)
    assert int(states[-1].walk.ending) == RUNNING


def test_small_gains_are_kept_but_do_not_count():
    """They add up, though: the third is a gain over what last counted."""
    states = course(Stop(patience=3, least=0.15), [1.0, 0.9, 0.8, 0.75])
    assert [best(state) for state in states] == [0, 1, 2, 3]
    assert [int(state.since_best) for state in states] == [0, 1, 0, 1]


def test_no_number_is_no_gain():
    states = course(Stop(patience=2), [1.0, np.nan, np.inf])
    assert [best(state) for state in states] == [0, 0, 0]
    assert int(states[-1].walk.ending) == PATIENT
    assert float(states[-1].best_score) == -1.0


def test_any_metric_may_be_watched():
    def scored(model, rows, *, step, key):
        """An efficiency that is best at the first validation."""
        return -model.slope, {"skill": -jnp.abs(model.slope - 1.05)}

    stop = Stop("validation.skill", patience=2, is_high=True)
    got = fit(
        Line(), batches(), plain, key=KEY, epochs=30, stop=stop, optimizer=Optimizer(0.02),
        validation=Validation(batches(), scored, every=2),
    )  # fmt: skip
    assert got.stopped_because == "no gain in validation.skill for 2 scores"
    scores = got.history.column("validation.skill")
    assert np.isnan(scores[::2]).all()
    seen = scores[1::2]
    assert int(np.argmax(seen)) == len(seen) - 3
    np.testing.assert_allclose(got.state.best_score, seen.max(), rtol=1e-12)
    np.testing.assert_allclose(-abs(float(got.model.slope) - 1.05), seen.max(), rtol=1e-12)


def test_the_metric_has_a_default():
    names = ("training.total", "validation.total")
    assert Stop().watched(names, True) == "validation.total"
    assert Stop().watched(names, False) == "training.total"
    assert Stop("training.total").watched(names, True) == "training.total"


@pytest.mark.parametrize(
    ("given", "words"),
    [({"patience": 0}, "at least 1 score"), ({"least": -1.0}, "0 or more")],
)
def test_errors(given, words):
    with pytest.raises(InputError, match=words):
        Stop(**given)
