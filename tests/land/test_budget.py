import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.precision import astype
from diffhydro.land.budget import _compensated, budget
from diffhydro.land.trajectory import Fluxes, Trajectory


def _run(dtype="float64"):
    fluxes = Fluxes(
        precipitation=[10.0, 0.0],
        infiltration=[7.0, -1.0],
        runoff=[2.0, 0.0],
        evaporation=[1.0, 1.0],
        transpiration=[0.5, 0.5],
        drainage=[0.25, 0.25],
    )
    before = {"soil": [100.0, 0.0, 50.0], "pond": 1.0}
    after = {"soil": [103.0, 0.0, 52.0], "pond": 0.5}
    run = Trajectory(fluxes, None, None, None, None, before, after)
    return jax.tree.map(lambda x: jnp.asarray(x, dtype), run, is_leaf=lambda x: type(x) is list)


def test_the_sums_are_right():
    book = budget(_run())
    assert (float(book.precipitation), float(book.drainage)) == (10.0, 0.5)
    assert {k: float(v) for k, v in book.storage_change.items()} == {"soil": 5.0, "pond": -0.5}
    assert float(book.residual) == 10.0 - 2.0 - 1.0 - 2.0 - 0.5 - 4.5
    assert float(book.throughput) == 0.5 * (10 + 2 + 1 + 2 + 0.5 + 5.5)
    assert float(book.relative) == 0.0


def test_the_table_names_everything():
    text = str(budget(_run()))
    for name in ("precipitation", "evaporation", "change of soil", "change of pond", "residual"):
        assert name in text
    assert len({len(line.split("mm")[0]) for line in text.splitlines()}) == 1


def test_many_sites_have_an_entry_each():
    many = jax.tree.map(lambda x: jnp.stack([x, 2.0 * x]), _run())
    book = budget(many)
    np.testing.assert_array_equal(book.precipitation, [10.0, 20.0])
    np.testing.assert_array_equal(book.residual, [0.0, 0.0])
    assert "mean of 2 sites" in str(book)


def test_a_traced_budget_is_the_same_and_has_a_gradient():
    run = _run()
    traced = jax.jit(lambda r: budget(r).residual)(run)
    assert float(traced) == float(budget(run).residual)
    grad = jax.grad(lambda r: budget(r).relative)(astype(run, "float32"))
    assert bool(jnp.isfinite(grad.fluxes.precipitation).all())


@pytest.mark.parametrize("order", [1, -1])
def test_compensated_sums_keep_what_plain_ones_lose(order):
    terms = np.asarray([1e8, *[0.01] * 10_000, -1e8][::order], np.float32)
    exact = terms.astype(np.float64).sum()
    # All hundredths are lost by a plain sum. What is carried along is itself rounded 10 000 times.
    assert abs(float(jnp.asarray(terms).sum()) - exact) > 10.0
    assert abs(float(jax.jit(_compensated)(jnp.asarray(terms))) - exact) < 1e-2
