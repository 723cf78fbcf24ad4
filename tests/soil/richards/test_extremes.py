"""Gradients in single precision where soils are full, empty, or hit by too much at once."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.precision import astype
from diffhydro.soil.boundary import FluxBottom, FreeDrainage, HeadBottom, Seepage
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.uptake import LinearRoots
from tests.soil.richards.columns import air, loam
from tests.soil.richards.test_gradients import Scene, grown, layers, observer, rows
from tests.soil.test_hydraulics import SOILS

EXTREMES = {
    "saturated": Scene(loam(), air(pond_max=50.0), HeadBottom(), None, rows([500.0, 0.0], 600.0),
                       50.0, 20.0, 1e-6),
    "saturated_closed": Scene(loam(), air(pond_max=50.0), FluxBottom(), None, rows([500.0, -5.0]),
                              0.0, 20.0),
    "air_dry": Scene(loam(), air(-1e5), FreeDrainage(), grown(LinearRoots(depth=500.0)),
                     rows([-10.0, -10.0], 0.0, 5.0), -1e5),
    "no_rain": Scene(loam(), air(), FreeDrainage(), grown(LinearRoots(depth=500.0)),
                     rows([0.0, 0.0], 0.0, 0.0)),
    "bone_dry_sand_in_a_storm": Scene(SOILS["sand_of_p07"], air(-1e6), FreeDrainage(), None,
                                      rows([800.0, 0.0]), -1e6),
    "clay_in_a_storm": Scene(SOILS["clay_near_n_of_1"], air(pond_max=10.0), Seepage(), None,
                             rows([200.0, 0.0]), -10.0),
    "brooks_corey_at_air_entry": Scene(SOILS["brooks_corey_of_p13"], air(), Seepage(), None,
                                       rows([100.0, -5.0]), -630.0),
}  # fmt: skip


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize(
    "policy", [Fixed(8, 4), Fixed(1, 1), Adaptive()], ids=["fixed", "one", "adaptive"]
)
@pytest.mark.parametrize("name", EXTREMES)
def test_gradients_are_finite_at_the_extremes(name, policy):
    scene = EXTREMES[name]
    scene = scene._replace(drive=astype(scene.drive, jnp.float32))
    inputs, observe = observer(scene, policy, layers())
    grad, run = eqx.filter_jit(jax.grad(observe, has_aux=True))(inputs)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(run))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(grad))
