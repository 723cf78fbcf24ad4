"""Models with a window of their past, one step ahead and rolled out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.coupling import Coupled, Fed, Inputs, RolledOut, one_ahead, roll_out
from diffhydro.coupling.window import Known
from diffhydro.errors import InputError
from tests.coupling.cases import LAG, TIMES, fed, guided, inputs, layers, past_driven

KEY = jax.random.key(0)


def rolled(model, given: Inputs, **options):
    start = given.series["soil_moisture"][:, :LAG]
    return roll_out(model, given.between(1, TIMES), start, **options)


def test_one_ahead_reads_the_past_and_the_present():
    """Against windows that are cut by hand."""
    model, given = past_driven(), inputs()
    said = one_ahead(model, given)
    past, recent = given.series["soil_moisture"], model.recent.through_time(given)
    for time in (LAG, 11, TIMES - 1):
        window = past[:, time - LAG : time]
        known = Known(recent[:, time - LAG + 1 : time + 1], None)
        np.testing.assert_allclose(said[:, time], model.ahead(window, known), rtol=1e-12)


def test_a_teacher_who_always_speaks_makes_it_one_ahead():
    model, given = past_driven(), inputs()
    taught = rolled(model, given, teacher=1.0, key=KEY)
    np.testing.assert_allclose(taught, one_ahead(model, given)[:, LAG:], rtol=1e-12)


@pytest.mark.parametrize("fluxes", [Fed(), Coupled(physics=layers())], ids=["fed", "coupled"])
def test_rolled_out_each_prediction_replaces_the_oldest(fluxes):
    """Against a loop by hand; of the past only the first days are seen."""
    model, given = guided(fluxes), fed()
    blind = {
        **given.series,
        "soil_moisture": given.series["soil_moisture"].at[:, LAG:].set(jnp.nan),
    }
    said = rolled(model, Inputs(blind, given.attributes))
    known = model.known(given.between(1, TIMES))
    window = given.series["soil_moisture"][:, :LAG]
    for i in range(TIMES - LAG):
        now = Known(known.recent[:, i : i + LAG], known.today[:, i + LAG - 1])
        one = model.ahead(window, now)
        np.testing.assert_allclose(said[:, i], one, rtol=1e-10)
        window = jnp.concatenate([window[:, 1:], one[:, None]], axis=1)


def test_a_teacher_speaks_as_often_as_asked():
    """Where every prediction is 0 and every observation 1, the windows tell who spoke."""
    model, given = past_driven(), inputs()
    silent = jax.tree.map(jnp.zeros_like, model.head)
    model = type(model)(head=silent, recent=model.recent, length=LAG, unit=(0.0, 1.0))

    class Listening(type(model)):
        """Says what was put into the window last, by its sign: 2 for an observation."""

        def ahead(self, window, known, *, key=None):
            return jnp.where(window[..., -1] > 0.5, -2.0, -3.0)

    listening = Listening(head=silent, recent=model.recent, length=LAG, unit=(0.0, 1.0))
    ones = Inputs({**given.series, "soil_moisture": jnp.ones((3, TIMES))}, given.attributes)

    def said(key):
        return rolled(listening, ones, teacher=0.3, key=key)

    answers = jax.jit(jax.vmap(said))(jax.random.split(KEY, 100))
    spoken = np.asarray(answers[..., 1:] == -2.0)
    assert abs(spoken.mean() - 0.3) < 4.0 * np.sqrt(0.21 / spoken.size)


def test_the_schedule_of_a_teacher():
    model = RolledOut(past_driven(), teacher=lambda step: 1.0 - 0.1 * step)
    given = inputs()
    ahead = one_ahead(past_driven(), given)
    np.testing.assert_allclose(model.at(0)(given, key=KEY)[:, LAG:], ahead[:, LAG:], rtol=1e-12)
    free = model.at(30)(given, key=KEY)
    np.testing.assert_allclose(free, RolledOut(past_driven())(given), rtol=1e-12)
    np.testing.assert_array_equal(free[:, :LAG], given.series["soil_moisture"][:, :LAG])
    with pytest.raises(InputError, match="ask for the model `at` a step"):
        model(given, key=KEY)


@pytest.mark.slow
def test_fed_with_its_own_fluxes_it_is_the_coupled_one():
    np.testing.assert_allclose(
        guided(Fed())(fed()), guided(Coupled(physics=layers()))(inputs()), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: rolled(past_driven(), inputs(), teacher=0.5), "give a key"),
        (lambda: RolledOut(past_driven(), teacher=1.5), "probability, from 0 to 1"),
        (lambda: RolledOut(guided), "only a model with a window"),
        (lambda: one_ahead(past_driven(), inputs().between(0, 3)), "3 times are too few"),
        (
            lambda: roll_out(past_driven(), inputs(), jnp.ones((3, 2))),
            "the start has 2 times; the model looks back 5",
        ),
        (
            lambda: one_ahead(past_driven(), Inputs({"precipitation": jnp.ones((1, 9))})),
            "'soil_moisture' is not among the series precipitation",
        ),
    ],
)
def test_refusals(wrong, says):
    with pytest.raises(InputError, match=says):
        wrong()
