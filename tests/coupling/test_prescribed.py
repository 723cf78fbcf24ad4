"""Parameters known of a place: they are put in as they are, and heads begin there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.trainable import put
from diffhydro.coupling import (
    DynamicParameters,
    Inputs,
    Observed,
    Prescribed,
    StaticParameters,
    bind,
    simulate,
)
from diffhydro.errors import InputError
from tests.coupling.cases import days, inputs, layers, mlp, place, prescribed, shouting


def test_it_is_the_physics_with_these_values_at_each_site():
    given = inputs()
    values = {"soil.k_sat": given.attributes["k_sat"], "soil.b": given.attributes["b"]}
    expected = put(layers(), values).simulate(given.forcing(), by_site=[*values])
    found = simulate(prescribed(), given)
    for x, y in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    "hybrid",
    [
        StaticParameters(prescribed(), mlp(2, 1), place(), ("physics.soil.k_sat",)),
        DynamicParameters(prescribed(), mlp(3, 1), days(), ("physics.soil.k_sat",)),
    ],
    ids=["static", "dynamic"],
)
def test_a_head_that_says_nothing_leaves_every_site_as_it_was(hybrid):
    before = Observed(prescribed())(inputs())
    np.testing.assert_allclose(Observed(shouting(hybrid, 0.0))(inputs()), before, rtol=1e-12)
    moved = Observed(shouting(hybrid, 30.0))(inputs())
    assert float(jnp.max(jnp.abs(moved - before))) > 1e-4


def test_one_site_needs_no_axis():
    given = inputs()
    one = Inputs(
        {name: x[1] for name, x in given.series.items()},
        {name: x[1] for name, x in given.attributes.items()},
    )
    hybrid = StaticParameters(prescribed(), mlp(2, 1), place(), ("physics.soil.k_sat",))
    alone = bind(hybrid, one).model.soil.k_sat
    among = bind(hybrid, given).model.soil.k_sat
    assert alone.shape == ()
    np.testing.assert_allclose(alone, among[1], rtol=1e-12)


def test_a_path_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"soil\.ksat.*soil\.k_sat"):
        Prescribed(layers(), {"soil.ksat": "k_sat"})


def test_an_attribute_that_is_not_there_is_named():
    with pytest.raises(InputError, match="porosity"):
        simulate(Prescribed(layers(), {"soil.theta_s": "porosity"}), inputs())


def test_what_is_known_of_two_tables_is_known_of_one():
    inner = Prescribed(layers(), {"soil.k_sat": "k_sat"})
    expected = bind(prescribed(), inputs())
    found = bind(Prescribed(inner, {"physics.soil.b": "b"}), inputs())
    assert found.by_site == expected.by_site == ("soil.k_sat", "soil.b")
    for x, y in zip(jax.tree.leaves(expected.model), jax.tree.leaves(found.model), strict=True):
        np.testing.assert_array_equal(x, y)


def test_what_is_no_physics_is_refused():
    with pytest.raises(InputError, match="Prescribed"):
        Prescribed(mlp(2, 1), {})
