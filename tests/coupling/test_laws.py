"""What holds for couplings whatever their heads say."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import specs, values
from diffhydro.coupling import Inputs, simulate
from diffhydro.land.budget import budget
from tests.coupling.cases import (
    PHYSICS,
    PREDICTORS,
    closure,
    driven_by,
    dynamic,
    inputs,
    shouting,
    static,
)

HYBRIDS = {"static": static, "dynamic": dynamic, "closure": closure}


@pytest.mark.slow
@pytest.mark.parametrize("physics", PHYSICS)
@pytest.mark.parametrize("hybrid", HYBRIDS)
@pytest.mark.parametrize("loud", [1.0, 1e3])
def test_no_water_is_lost(hybrid, physics, loud):
    run = simulate(shouting(HYBRIDS[hybrid](physics), loud), inputs())
    assert np.isfinite(run.theta).all()
    np.testing.assert_allclose(budget(run).residual, 0.0, atol=1e-9)
    np.testing.assert_allclose(
        run.fluxes.precipitation.sum(axis=1), inputs().series["precipitation"].sum(axis=1)
    )


@pytest.mark.parametrize("hybrid", ["static", "dynamic"])
def test_parameters_stay_within_their_bounds(hybrid):
    model = shouting(HYBRIDS[hybrid](), 1e4)
    for path, found in model.parameters(inputs()).items():
        lo, hi = specs(model.physics)[path].bounds
        assert ((found >= lo) & (found <= hi)).all(), path
        assert float(found.min()) < float(found.max()), "heads that shout reach different ends"


@pytest.mark.parametrize("hybrid", ["static", "dynamic"])
def test_a_silent_head_leaves_the_physics_as_it_was(hybrid):
    model = shouting(HYBRIDS[hybrid](), 0.0)
    before = values(model.physics)
    for path, found in model.parameters(inputs()).items():
        np.testing.assert_allclose(found, float(before[path]), rtol=1e-12)


def test_a_dynamic_parameter_that_does_not_vary_is_a_static_one():
    moving = shouting(dynamic(), 0.0)
    bound = moving.bind(inputs())
    moved = bound.model.simulate(bound.drive)
    still = moving.physics.simulate(inputs().forcing())
    np.testing.assert_allclose(moved.theta, still.theta, rtol=1e-12)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("hybrid", ["static", "dynamic"])
def test_many_sites_are_as_many_runs(hybrid):
    model = HYBRIDS[hybrid]()
    together = model.simulate(inputs()).theta
    for site in range(3):
        alone = model.run(jax.tree.map(lambda x, site=site: x[site], inputs()))
        np.testing.assert_allclose(together[site], alone.theta, rtol=1e-11)
    few = model.simulate(inputs(), columns=2).theta
    np.testing.assert_allclose(few, together, rtol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PREDICTORS if name != "tile"])
def test_nothing_looks_ahead(name):
    """What comes on the last days does not change what was said of the days before."""
    model, given = PREDICTORS[name](), driven_by(name)
    later = {key: x.at[:, -3:].add(0.2) for key, x in given.series.items()}
    said, other = model(given), model(Inputs(later, given.attributes))
    np.testing.assert_array_equal(said[:, :-3], other[:, :-3])
    assert not np.array_equal(said[:, -3:], other[:, -3:])


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("name", ["closure, six layers", "guided, coupled"])
def test_single_precision_is_near_double(name):
    def single(tree):
        def one(x):
            is_wide = eqx.is_array(x) and x.dtype == jnp.float64
            return x.astype(jnp.float32) if is_wide else x

        return jax.tree.map(one, tree)

    model, given = PREDICTORS[name](), driven_by(name)
    said = single(model)(single(given))
    assert said.dtype == jnp.float32
    np.testing.assert_allclose(said, model(given), atol=2e-4)
