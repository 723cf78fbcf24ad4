import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.land.initial import UniformHead, WaterContents, WaterTable
from diffhydro.soil import VanGenuchten


def test_uniform_head(make):
    state = make(initial=UniformHead(head=-500.0)).init_state()
    np.testing.assert_array_equal(state.psi, np.full(7, -500.0))
    assert float(state.pond) == 0.0


def test_a_water_table_is_hydrostatic_also_where_the_soil_changes(make):
    model = make(initial=WaterTable(depth=600.0))
    state = model.init_state()
    # Six centres and the face between the third and the fourth layer.
    depths = np.asarray([10.0, 50.0, 155.0, 230.0, 315.0, 525.0, 825.0])
    np.testing.assert_allclose(state.psi, depths - 600.0, rtol=1e-12)


def test_pressed_water_is_stored_but_not_seen(make):
    model = make(initial=WaterTable(depth=0.0))
    state = model.init_state()
    theta_s = np.repeat([0.42, 0.39], 3)
    pressed = 1e-5 * np.asarray(model.grid.centres)
    layers = np.asarray([0, 1, 2, 4, 5, 6])
    np.testing.assert_allclose(
        state.stored[layers], model.grid.thickness * (theta_s + pressed), rtol=1e-12
    )
    seen = model.profile(_one_step(state)).theta[0]
    np.testing.assert_allclose(seen, theta_s, rtol=1e-12)


def test_water_contents_are_met(make):
    theta = np.asarray([0.1, 0.2, 0.3, 0.2, 0.3, 0.35])
    model = make(initial=WaterContents(theta))
    np.testing.assert_allclose(
        model.profile(_one_step(model.init_state())).theta[0], theta, rtol=1e-10
    )


@pytest.mark.parametrize(("given", "met"), [(0.9, 0.42), (0.0, 0.06)])
def test_water_contents_outside_the_pores_start_at_the_limit(make, given, met):
    model = make(initial=WaterContents(given))
    seen = model.profile(_one_step(model.init_state())).theta[0, 0]
    assert float(seen) == pytest.approx(met, abs=3e-3)  # at −1e7 mm S_e is 0.006


def test_soils_of_a_tuple_start_alike(make):
    one = VanGenuchten(theta_r=0.06, theta_s=0.42, alpha=0.003, n=1.5, k_sat=120.0)
    theta = WaterContents(0.25)
    state = make(soil=(one, one), initial=theta).init_state()
    np.testing.assert_allclose(state.psi, np.full(7, float(state.psi[0])), rtol=1e-12)


def _one_step(state):
    return jax.tree.map(lambda x: jnp.asarray(x)[None], state)
