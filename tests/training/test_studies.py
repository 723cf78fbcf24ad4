"""The objectives of studies against the formulas of their sheets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.training.objective import Objective, Term
from diffhydro.training.penalties import SuctionConsistency
from diffhydro.training.schedules import LinearSchedule
from diffhydro.training.studies import convlstm, deepsoil_root_zone, deepsoil_surface, gsm3
from tests.training.catalogue import batch, quick, replace
from tests.training.test_batch_losses import root, uncorrelated


def given():
    prediction, sample = batch(11)
    return prediction["theta"], replace(
        sample,
        observed=sample.observed | {"product": sample.observed["satellite"]},
        weights=sample.weights | {"product": sample.weights["satellite"]},
    )


def run(objective, *steps, change=lambda sample: sample):
    """Give the total and the terms at some steps, 0 if none is named."""
    theta, sample = given()
    theta, sample = jax.tree.map(jnp.asarray, (theta, change(sample)))
    program = quick(lambda step: objective(lambda inputs, key: theta, sample, step=step))
    found = [jax.tree.map(float, program(step)) for step in steps or (0,)]
    return found if steps else found[0]


def seen(source):
    theta, sample = given()
    weight = sample.weights[source]
    return tuple(x[weight > 0] for x in (theta, sample.observed[source], weight))


def test_gsm3_adds_two_errors():
    total, values = run(gsm3())
    expected = {name: root(*seen(name)) for name in ("satellite", "stations")}
    assert values == pytest.approx(expected, rel=1e-12)
    assert total == pytest.approx(sum(expected.values()), rel=1e-12)


def test_convlstm_takes_an_error_and_rewards_correlation():
    total, values = run(convlstm(rewarded="stations"))
    off, unlike = root(*seen("product")), uncorrelated(*seen("stations"))
    assert values == pytest.approx({"error": off, "correlation": unlike}, rel=1e-12)
    assert total == pytest.approx(0.5 * off + 0.1 * 0.5 * unlike, rel=1e-12)
    total, _ = run(convlstm(rewarded="stations", alpha=0.3, beta=2.0))
    assert total == pytest.approx(0.3 * off + 0.2 * unlike, rel=1e-12)
    with pytest.raises(InputError, match="weights are 0 or more"):
        convlstm(alpha=-0.5)


def test_deepsoil_goes_from_errors_to_physics():
    for made in (deepsoil_surface, lambda alpha: deepsoil_root_zone(alpha, labels="stations")):
        objective = made(LinearSchedule(1.0, 0.0, steps=8))
        (start, values), (middle, _), (end, _) = run(objective, 0, 2, 8)
        assert start == pytest.approx(values["error"], rel=1e-12)
        rest = values["suction"] + 10.0 * values.get("bounds", 0.0)
        assert end == pytest.approx(rest, rel=1e-12)
        assert middle == pytest.approx(0.75 * start + 0.25 * end, rel=1e-12)
        for wrong in (-0.1, 1.5):
            with pytest.raises(InputError, match="between 0 and 1"):
                made(wrong)


def test_deepsoil_at_the_surface_takes_suctions_of_stations_first():
    _, both = run(deepsoil_surface(0.5))
    suction = Objective({"alone": Term(SuctionConsistency(("stations", "product")))})
    assert run(suction)[0] == pytest.approx(both["suction"], rel=1e-14)

    def without_stations(sample):
        none = np.zeros_like(sample.weights["stations"])
        return replace(sample, weights=sample.weights | {"stations": none})

    _, one = run(deepsoil_surface(0.5), change=without_stations)
    assert one["error"] == pytest.approx(both["error"], rel=1e-14)
    assert one["suction"] != pytest.approx(both["suction"], rel=1e-3)
