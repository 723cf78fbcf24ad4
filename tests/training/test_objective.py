"""Objectives: sums of named terms, one call of the model, and errors before it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.predictor import AbstractScheduled
from diffhydro.data.batches import Batch
from diffhydro.errors import InputError
from diffhydro.training.batch_losses import AbstractBatchLoss, Reads, mae, mse
from diffhydro.training.objective import Objective, Term
from diffhydro.training.penalties import BeyondBounds
from diffhydro.training.sample import Sample
from diffhydro.training.schedules import LinearSchedule, one_minus
from tests.training.catalogue import replace


class Line(eqx.Module):
    """A model that counts how often it is called, while it is traced."""

    slope: jax.Array
    calls: list = eqx.field(static=True, default_factory=list)

    def __call__(self, inputs, *, key=None):
        self.calls.append(key)
        return self.slope * inputs.series["x"]


class Vector(AbstractBatchLoss):
    @property
    def reads(self):
        return Reads()

    def __call__(self, prediction, sample):
        return prediction[0]


def sample():
    x = jnp.asarray([[1.0, 2.0], [3.0, 4.0]])
    seen = {"stations": 2.0 * x, "satellite": x}
    return Sample(Inputs({"x": x}), seen, {name: jnp.ones((2, 2)) for name in seen})


def objective(alpha):
    return Objective(
        {"near": Term(mse("stations"), alpha), "far": Term(mae("satellite"), one_minus(alpha))}
    )


def test_the_total_is_the_weighted_sum_and_values_are_logged_without_weights():
    alpha = LinearSchedule(1.0, 0.0, steps=10)
    square, size = 7.5, 5.0  # of a slope of 3
    for step in (0, 3, 10):
        total, values = objective(alpha)(Line(jnp.asarray(3.0)), sample(), step=step)
        assert {name: float(x) for name, x in values.items()} == {"near": square, "far": size}
        share = 1.0 - step / 10
        assert float(total) == pytest.approx(share * square + (1.0 - share) * size, rel=1e-14)


def test_the_model_is_called_once_with_the_key():
    model, key = Line(jnp.asarray(3.0)), jax.random.key(0)
    objective(0.5)(model, sample(), step=0, key=key)
    assert model.calls == [key]


class Growing(AbstractScheduled):
    def at(self, step):
        return Line(jnp.asarray(step, float))


def test_a_model_that_changes_in_training_is_taken_at_the_step():
    for step, expected in ((2, 0.0), (3, 7.5)):
        _, values = objective(0.5)(Growing(), sample(), step=step)
        assert float(values["near"]) == expected


def test_steps_are_traced_and_gradients_are_of_the_total():
    made = objective(LinearSchedule(1.0, 0.0, steps=4))
    traced = []

    @eqx.filter_jit
    def slope(value, step):
        traced.append(step)
        return jax.grad(lambda v: made(Line(v), sample(), step=step)[0])(value)

    start = jnp.asarray(3.0)
    for step in range(5):
        # d/da of mean (a − 2)² x², and of mean |a − 1| x.
        expected = (1.0 - step / 4) * 15.0 + step / 4 * 2.5
        found = slope(start, jnp.asarray(step, jnp.int32))
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert len(traced) == 1


def test_an_objective_passes_through_a_plain_compiler():
    made = objective(LinearSchedule(1.0, 0.0, steps=4))
    given = jnp.asarray(3.0), sample()
    compiled = jax.jit(lambda o, v, s, i: o(Line(v), s, step=i))
    total, _ = compiled(made, *given, jnp.asarray(1, jnp.int32))
    np.testing.assert_allclose(total, made(Line(given[0]), given[1], step=1)[0], rtol=1e-14)


def test_weights_can_differ_among_members():
    def total(weight):
        made = Objective({"near": Term(mse("stations"), weight)})
        return made(Line(jnp.asarray(3.0)), sample(), step=0)[0]

    np.testing.assert_allclose(jax.vmap(total)(jnp.asarray([0.0, 2.0])), [0.0, 15.0])


def test_schedules_of_optax_are_weights(loose_promotion):
    made = objective(optax.linear_schedule(1.0, 0.0, 10))
    found = made(Line(jnp.asarray(3.0)), sample(), step=jnp.asarray(5, jnp.int32))[0]
    assert float(found) == pytest.approx(6.25)


def test_single_precision_stays_so():
    single = jax.tree.map(lambda x: x.astype(jnp.float32), sample())
    made = objective(LinearSchedule(1.0, 0.0, steps=4))
    total, values = made(Line(jnp.asarray(3.0, jnp.float32)), single, step=1)
    assert total.dtype == jnp.float32
    assert {x.dtype for x in values.values()} == {jnp.dtype(jnp.float32)}


def refused(made, given, match):
    model = Line(jnp.asarray(3.0))
    with pytest.raises(InputError, match=match):
        jax.eval_shape(lambda s: made(model, s, step=0)[0], given)
    return model


def test_a_source_that_is_not_there_is_refused_before_the_model_runs():
    made = Objective({"good": Term(mse("stations")), "bad": Term(mse("gauges"))})
    model = refused(
        made, sample(), r"term 'bad': the source 'gauges'.*there is satellite, stations"
    )
    assert model.calls == []
    with pytest.raises(InputError, match="'gauges'"):
        made.check(sample())


def test_weights_and_extras_that_are_not_there_are_refused():
    made = Objective({"bounds": Term(BeyondBounds())})
    refused(made, sample(), r"term 'bounds': the weights 'real'.*there is satellite, stations")
    given = replace(sample(), weights=sample().weights | {"real": jnp.ones(2)})
    refused(made, given, r"term 'bounds': the extra 'soil'.*there is none")


def test_shapes_that_do_not_match_are_refused_by_the_name_of_the_term():
    given = replace(sample(), observed={"stations": jnp.ones((2, 3))})
    given = replace(given, weights={"stations": jnp.ones((2, 3))})
    made = Objective({"near": Term(mse("stations"))})
    refused(
        made, given, r"term 'near': the prediction has shape \(2, 2\) and stations has \(2, 3\)"
    )
    refused(Objective({"v": Term(Vector())}), sample(), r"term 'v' gives an array of shape \(2,\)")


def test_weights_that_are_none_are_refused():
    for wrong in (-1.0, np.nan, np.inf, np.asarray([1.0, -1.0])):
        with pytest.raises(InputError, match="weights are 0 or more"):
            Term(mse("stations"), wrong)
    made = Objective({"near": Term(mse("stations"), lambda step: -1.0)})
    with pytest.raises(InputError, match=r"'near' at step 0 has the weight -1"):
        made.check(sample())
    given = replace(sample(), weights=sample().weights | {"satellite": -jnp.ones((2, 2))})
    with pytest.raises(InputError, match=r"weights of 'satellite' go down to -1"):
        objective(0.5).check(given)
    objective(0.5).check(sample())


def test_names_of_terms():
    with pytest.raises(InputError, match="no terms"):
        Objective({})
    with pytest.raises(InputError, match="rename"):
        Objective({"total": Term(mse("stations"))})


def test_a_batch_says_which_steps_are_real():
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    batch = Batch(
        {"precipitation": rows}, {}, rows, np.ones_like(rows), np.arange(3),
        np.zeros(3, "datetime64[D]"), np.array([True, True, False]),
        np.array([[True, True], [True, False], [False, False]]),
    )  # fmt: skip
    made = Sample.of(batch)
    np.testing.assert_array_equal(made.weights["real"], [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    assert made.weights["real"].dtype == jnp.float32
    assert Sample.of(batch, dtype=jnp.float64).weights["real"].dtype == jnp.float64
