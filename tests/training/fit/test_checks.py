"""What is refused before anything is compiled."""

from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.ensembles import stack
from diffhydro.errors import InputError
from diffhydro.training.fit import ArrayBatches, MemberBatches, Validation, fit, fit_ensemble
from tests.training.fit.models import Line, batches, plain, table

KEY = jax.random.key(0)


class Empty:
    """A fold without windows."""

    def __len__(self):
        return 0

    def epoch(self, number):
        return np.zeros((0, 4), np.int64)

    def read(self, which):
        raise AssertionError


class Filled:
    """A fold all of whose windows fill up."""

    def __len__(self):
        return 1

    def epoch(self, number):
        return np.full((1, 4), -1)

    def read(self, which):
        return batches().read(which)


@pytest.fixture(autouse=True)
def _nothing_is_compiled(monkeypatch):
    def compiled(*given):
        raise AssertionError("it came too far")

    monkeypatch.setattr(import_module("diffhydro.training.fit.fitting"), "start", compiled)


def run(given=None, objective=plain, **more):
    options = {"key": KEY, "epochs": 1} | more
    return fit(Line(), batches() if given is None else given, objective, **options)


@pytest.mark.parametrize("fold", [Empty(), Filled()])
def test_an_empty_fold(fold):
    with pytest.raises(InputError, match="nothing to train on: th"):
        run(fold)


def test_an_empty_fold_to_validate_on():
    with pytest.raises(InputError, match="nothing to validate on: this fold has no windows"):
        run(validation=Validation(Empty()))
    with pytest.raises(InputError, match="nothing to validate on: the fold has no windows"):
        run(validation=Validation(Filled()))


def test_an_empty_fold_of_a_member():
    parts = MemberBatches.of([batches(), Filled()])
    with pytest.raises(InputError, match="the fold of member 1 has no windows"):
        fit_ensemble(stack([Line(), Line()]), parts, plain, key=KEY, epochs=1)


def test_a_batch_larger_than_the_data():
    few = ArrayBatches.of(table(3), 4)
    with pytest.raises(InputError, match="larger than the data, which have 3; make it 3 or small"):
        run(few)
    with pytest.raises(AssertionError, match="too far"):  # a validation may be smaller
        run(validation=Validation(few))
    parts = MemberBatches.of([batches(), few])
    with pytest.raises(AssertionError, match="too far"):  # and so may a single member
        fit_ensemble(stack([Line(), Line()]), parts, plain, key=KEY, epochs=1)


def test_wrong_shapes_are_told_with_the_batch():
    def wrong(model, rows, *, step, key):
        return jnp.sum(rows.arrays["x"] @ jnp.ones((3,))), {}

    with pytest.raises(InputError, match=r"cannot take a batch: .*arrays\['x'\] float64\[4\]"):
        run(objective=wrong)


def test_an_error_of_the_objective_is_its_own():
    def wrong(model, rows, *, step, key):
        raise InputError("no such source")

    with pytest.raises(InputError, match=r"^no such source"):
        run(objective=wrong)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda x: x, "a loss and its terms by name"),
        (lambda x: (jnp.stack([x, x]), {}), "the loss of an objective has to be one"),
        (lambda x: (x, {"size": jnp.stack([x, x])}), "size of an objective has to be one"),
        (lambda x: (x > 0, {}), "the loss of an objective has to be one"),
        (lambda x: (x, {"total": x}), "called total"),
    ],
)
def test_what_is_no_loss(result, words):
    with pytest.raises(InputError, match=words):
        run(objective=lambda model, rows, *, step, key: result(model.slope))
