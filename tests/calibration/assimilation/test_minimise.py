"""The search: where it ends, and whether it says so."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.minimise import Stop, minimise
from diffhydro.errors import InputError

VALLEY, BOWL, HOLE, HIGH = range(4)
COSTS = (
    lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2,  # Rosenbrock 1960
    lambda x: jnp.sum(x**2),
    lambda x: jnp.sum(jnp.sqrt(x - 1.0)),
    lambda x: 1e9 + jnp.sum((x - 0.5) ** 2),
)


@cache
def program(stop):
    """Compile all costs at once: most of the time goes into the search around them."""

    def found(which, start):
        return minimise(
            lambda x: jax.lax.switch(which, COSTS, x), start, stop, lambda _, value: value[None]
        )

    return jax.jit(found)


# A gain of zero: steps along a valley gain little.
PATIENT = Stop(gain=0.0)


def search(which, start, stop=PATIENT):
    return program(stop)(jnp.asarray(which), start)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_curved_valley_is_followed_to_its_end(dtype):
    found = search(VALLEY, jnp.asarray([-1.2, 1.0], dtype))
    assert bool(found.converged)
    assert found.place.dtype == dtype
    # The valley's curvature along its floor is 0.4: that is what the gradient's share is worth.
    share = 232.9 * float(jnp.finfo(dtype).eps) ** 0.5 / 0.4
    assert float(jnp.linalg.norm(found.place - 1.0)) < share
    costs = np.asarray(found.history)[: int(found.iterations) + 1, 0]
    assert (np.diff(costs) <= 0).all()
    assert np.isnan(np.asarray(found.history)[int(found.iterations) + 1 :]).all()


@pytest.mark.slow
def test_too_few_steps_are_not_called_converged():
    found = search(VALLEY, jnp.asarray([-1.2, 1.0]), Stop(iterations=3))
    assert not bool(found.converged)
    assert int(found.iterations) == 3


@pytest.mark.slow
def test_at_the_minimum_nothing_is_done():
    found = search(BOWL, jnp.zeros(2))
    assert bool(found.converged)
    assert int(found.iterations) == 0
    np.testing.assert_array_equal(found.place, np.zeros(2))


@pytest.mark.slow
def test_a_cost_that_is_no_number_ends_the_search_unconverged():
    found = search(HOLE, jnp.zeros(2))
    assert not bool(found.converged)
    assert int(found.iterations) == 0


@pytest.mark.slow
def test_a_minimum_of_rounding_is_a_minimum():
    """A cost of 1e9 cannot fall by less than its own rounding, whatever the gradient says."""
    found = search(HIGH, jnp.zeros(2))
    assert bool(found.converged)
    np.testing.assert_allclose(found.place, 0.5, atol=1e-3)


def test_a_stop_without_steps_is_refused():
    with pytest.raises(InputError, match="1 or more"):
        Stop(iterations=0)
