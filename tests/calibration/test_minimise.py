"""Any scalar of free numbers, brought to its minimum."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import minimise
from diffhydro.core.trainable import Free, merge, split
from diffhydro.errors import InputError
from tests.calibration.models import Shares, by_hand, weather


def free(*numbers):
    return Free({"x": jnp.asarray(numbers)}, {"head": {"w": jnp.asarray([3.0, -1.0])}})


def rosenbrock(free):
    x, w = free.parameters["x"], free.networks["head"]["w"]
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2 + jnp.sum((w - 0.5) ** 2)


@pytest.mark.slow
def test_a_curved_valley_is_followed_to_its_end():
    """Numbers of parameters and weights of networks alike."""
    found = minimise(rosenbrock, free(-1.2, 1.0), steps=200, tolerance=1e-12)
    assert bool(found.converged)
    np.testing.assert_allclose(found.free.parameters["x"], 1.0, atol=1e-4)
    np.testing.assert_allclose(found.free.networks["head"]["w"], 0.5, atol=1e-4)
    np.testing.assert_array_equal(found.loss, rosenbrock(found.free))
    course = np.asarray(found.course)
    course = course[np.isfinite(course)]
    np.testing.assert_allclose(course[0], rosenbrock(free(-1.2, 1.0)))
    assert (np.diff(course) <= 0).all()
    assert 10 < len(course) < 200
    assert np.isfinite(found.course[: len(course)]).all()


@pytest.mark.slow
def test_too_few_steps_are_not_called_converged():
    found = minimise(rosenbrock, free(-1.2, 1.0), steps=3, tolerance=1e-12)
    assert not bool(found.converged)
    assert np.isfinite(found.course).sum() == 3
    assert found.loss < found.course[0]


@pytest.mark.slow
def test_a_model_is_fitted_by_hand():
    forcing = weather(sites=1, days=30)
    truth = by_hand(forcing, 0.4, 0.3, (0.2, 0.1), 1.0)[0]
    one = type(forcing)(
        forcing.precipitation[0],
        forcing.potential_evaporation[0],
        temperature=forcing.temperature[0],
    )
    begin, frozen = split(Shares(), ["rain", "air"])

    def misfit(free):
        return jnp.mean((merge(free, frozen).run(one).fluxes.runoff - truth) ** 2)

    found = merge(minimise(misfit, begin, tolerance=1e-9).free, frozen)
    np.testing.assert_allclose([found.rain, found.air], [0.4, 0.3], rtol=1e-3)


def test_a_start_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="expected one finite number"):
        minimise(lambda f: jnp.sum(jnp.log(f.parameters["x"])), free(-1.0))
    with pytest.raises(InputError, match="expected one finite number"):
        minimise(lambda f: f.parameters["x"], free(1.0, 2.0))
