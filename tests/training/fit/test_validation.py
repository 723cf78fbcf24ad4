"""Scores beside training: all windows alike, nothing random."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.ensembles import VMAP, stack
from diffhydro.core.trainable import split
from diffhydro.errors import InputError
from diffhydro.training.fit import ArrayBatches, MemberBatches, Validation
from diffhydro.training.fit.feed import as_sample
from diffhydro.training.fit.validation import validate
from tests.training.fit.models import Line, batches, square, table

STEP = jnp.asarray(3, jnp.int32)


def scores(model, validation, how=None, step=STEP):
    free, frozen = split(model, "*")
    return validate(how, validation, square, as_sample, frozen, free, step)


def misfit(model, rows):
    return float(np.mean((model.slope * rows["x"] + model.offset - rows["y"]) ** 2))


@pytest.mark.parametrize("size", [3, 4, 10])
def test_all_windows_count_alike(size):
    """However they are batched, and though the last batch is filled up."""
    found = scores(Line(), Validation(ArrayBatches.of(table(10), size)))
    assert found["validation.misfit"] == pytest.approx(misfit(Line(), table(10)), rel=1e-12)
    assert set(found) == {"validation.total", "validation.misfit", "validation.size"}
    # The objective knows the step.
    assert found["validation.size"] == pytest.approx(4e-3, rel=1e-12)


def test_an_objective_of_its_own():
    def bias(model, rows, *, step, key):
        assert key is None
        counts = rows.is_real.astype(float)
        error = jnp.sum(counts * (model(rows.arrays["x"]) - rows.arrays["y"])) / jnp.sum(counts)
        return error**2, {"bias": error}

    found = scores(Line(), Validation(batches(), bias))
    rows = table(10)
    assert found["validation.bias"] == pytest.approx(np.mean(rows["x"] - rows["y"]), rel=1e-9)


def test_members_have_their_own():
    models = stack([Line(), Line(3.0)])
    parts = MemberBatches.of([batches(10, 4), batches(5, 4, 1)])
    found = scores(models, Validation(parts), VMAP, jnp.zeros(2, jnp.int32))
    expected = [misfit(Line(), table(10)), misfit(Line(3.0), table(5, 1))]
    np.testing.assert_allclose(found["validation.misfit"], expected, rtol=1e-12)


def test_what_a_batch_without_windows_gives_does_not_matter():
    def broken_when_empty(model, rows, *, step, key):
        total = model.slope * jnp.sum(rows.is_real.astype(float))
        total = total / total
        return total, {}

    free, frozen = split(stack([Line(), Line(3.0)]), "*")
    parts = MemberBatches.of([batches(10, 4), batches(3, 4, 1)])
    validation = Validation(parts, broken_when_empty)
    found = validate(VMAP, validation, square, as_sample, frozen, free, jnp.zeros(2, jnp.int32))
    np.testing.assert_array_equal(found["validation.total"], [1.0, 1.0])


def test_when_it_is_due():
    every = Validation(batches(), every=3)
    assert [every.is_due(epoch) for epoch in range(7)] == [False, False, True] * 2 + [False]


def test_errors():
    with pytest.raises(InputError, match="every 0 epochs"):
        Validation(batches(), every=0)
