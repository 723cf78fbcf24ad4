"""What a soil refuses, what it lets pass, and soils that change with depth."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.soil.hydraulics import (
    BroadbridgeWhite,
    BrooksCorey,
    ClappHornberger,
    Gardner,
    Haverkamp,
    Horizons,
    VanGenuchten,
    VanGenuchtenAirEntry,
    at,
)

CONTENTS = {"theta_r": 0.08, "theta_s": 0.43, "k_sat": 500.0}
GOOD = {
    VanGenuchten: {**CONTENTS, "alpha": 0.004, "n": 1.6},
    VanGenuchtenAirEntry: {**CONTENTS, "alpha": 0.004, "n": 1.6},
    BrooksCorey: {**CONTENTS, "h_b": 100.0, "pore_index": 0.5},
    ClappHornberger: {"theta_s": 0.43, "k_sat": 500.0, "psi_sat": -200.0, "b": 5.0},
    Gardner: {**CONTENTS, "alpha": 0.01},
    Haverkamp: {**CONTENTS, "h_theta": 370.0, "beta": 4.0, "h_k": 190.0, "gamma": 4.7},
    BroadbridgeWhite: {**CONTENTS, "lambda_s": 150.0, "c": 1.2},
}
BAD = [
    (VanGenuchten, "n", 1.0, "> 1"),
    (VanGenuchten, "n", 0.9, "> 1"),
    (VanGenuchten, "n", float("nan"), "finite"),
    (VanGenuchten, "n", float("inf"), "finite"),
    (VanGenuchten, "alpha", 0.0, "> 0"),
    (VanGenuchten, "alpha", -0.004, "> 0"),
    (VanGenuchten, "k_sat", -3.0, "> 0"),
    (VanGenuchten, "k_sat", 0.0, "> 0"),
    (VanGenuchten, "theta_r", -0.01, "≥ 0"),
    (VanGenuchten, "theta_r", 0.43, "< theta_s, which is 0.43"),
    (VanGenuchten, "theta_s", 43.0, "≤ 1"),
    (VanGenuchten, "l", float("nan"), "finite"),
    (VanGenuchtenAirEntry, "h_e", 0.0, "> 0"),
    (BrooksCorey, "h_b", -100.0, "> 0"),
    (BrooksCorey, "pore_index", 0.0, "> 0"),
    (ClappHornberger, "psi_sat", 200.0, "< 0"),
    (ClappHornberger, "b", -1.0, "> 0"),
    (ClappHornberger, "theta_s", 0.0, "> 0"),
    (Gardner, "alpha", 0.0, "> 0"),
    (Haverkamp, "h_theta", 0.0, "> 0"),
    (Haverkamp, "gamma", -1.0, "> 0"),
    (BroadbridgeWhite, "c", 1.0, "> 1"),
    (BroadbridgeWhite, "lambda_s", 0.0, "> 0"),
]


@pytest.mark.parametrize(("kind", "name", "value", "allowed"), BAD)
def test_bad_parameters_are_named_with_value_and_range(kind, name, value, allowed):
    with pytest.raises(InputError) as error:
        kind(**{**GOOD[kind], name: value})
    message = str(error.value)
    assert message.startswith(f"{kind.__name__}.{name} is {value:g}")
    assert allowed in message
    assert "\n" not in message


def test_one_bad_value_among_many_is_located():
    with pytest.raises(InputError, match=r"n is 0.8 at \[1\] \(1 of 3 values\)"):
        VanGenuchten(**{**GOOD[VanGenuchten], "n": [1.4, 0.8, 2.0]})
    with pytest.raises(InputError, match=r"theta_r is 0.5 at \[0\] .* theta_s, which is 0.43"):
        VanGenuchten(**{**GOOD[VanGenuchten], "theta_r": [0.5, 0.1]})


def test_a_text_is_no_parameter():
    with pytest.raises(InputError, match=r"n is the text 'many'"):
        VanGenuchten(**{**GOOD[VanGenuchten], "n": "many"})


@pytest.mark.parametrize("kind", GOOD, ids=lambda kind: kind.__name__)
def test_what_has_no_value_yet_passes(kind):
    soil = kind(**GOOD[kind])
    assert jax.eval_shape(lambda: kind(**GOOD[kind])).theta_s.shape == ()
    negative = jax.jit(lambda x: kind(**{**GOOD[kind], "k_sat": x}).k_sat)
    assert negative(jnp.asarray(-1.0)) == -1.0
    assert eqx.tree_at(lambda s: s.k_sat, soil, None).k_sat is None
    kind(**dict.fromkeys(GOOD[kind], jax.ShapeDtypeStruct((3,), jnp.float32)))


def loam_over_clay():
    loam = VanGenuchten(**GOOD[VanGenuchten])
    clay = BrooksCorey(**GOOD[BrooksCorey])
    return loam, clay, Horizons(soils=(loam, clay), counts=(2, 3))


def test_horizons_are_their_soils_stacked():
    loam, clay, column = loam_over_clay()
    psi = -jnp.logspace(1, 4, 5)
    curves = column.curves(psi)
    for found, above, below in zip(
        *(jax.tree.leaves(c) for c in (curves, loam.curves(psi[:2]), clay.curves(psi[2:]))),
        strict=True,
    ):
        np.testing.assert_array_equal(found, jnp.concatenate([above, below]))
    np.testing.assert_array_equal(column.air_entry, [0.0, 0.0, -100.0, -100.0, -100.0])
    np.testing.assert_array_equal(column.k_sat, [500.0] * 5)
    unsaturated = jnp.minimum(psi, -150.0)
    np.testing.assert_allclose(column.psi(column.theta(unsaturated)), unsaturated)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_horizons_over_columns(dtype):
    loam, clay, _ = loam_over_clay()
    loam = jax.tree.map(lambda x: jnp.full((1, 4), x), loam)
    column = Horizons(soils=(loam, clay), counts=(2, 3))
    column = jax.tree.map(lambda x: x.astype(dtype), column)
    curves = column.curves(jnp.full((5, 4), -200.0, dtype))
    assert curves.theta.shape == column.theta_s.shape == column.air_entry.shape == (5, 4)
    assert curves.theta.dtype == column.theta_s.dtype == column.air_entry.dtype == dtype


def test_horizons_say_what_does_not_fit():
    loam, _, column = loam_over_clay()
    with pytest.raises(InputError, match="one soil and at least one node"):
        Horizons(soils=(loam,), counts=(1, 2))
    with pytest.raises(ValueError, match="4 nodes"):
        column.curves(jnp.zeros(4))


def test_at_takes_a_horizon_and_leaves_what_is_shared():
    soil = VanGenuchten(**{**GOOD[VanGenuchten], "n": [1.4, 1.8, 2.2]})
    assert at(soil, 1).n == 1.8
    assert at(soil, 1).alpha.shape == ()
    np.testing.assert_array_equal(at(soil, (0, 0, 2)).n, [1.4, 1.4, 2.2])
    by_site = VanGenuchten(**{**GOOD[VanGenuchten], "n": np.full((3, 7), 1.5)})
    assert at(by_site, np.array([0, 1, 1, 2])).n.shape == (4, 7)
    with pytest.raises(IndexError, match="horizon 3 asked of a soil that has 3"):
        at(soil, 3)
