"""What is particular to one form: limits, equalities between forms, and published expressions."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import values
from diffhydro.soil.hydraulics import BrooksCorey, VanGenuchtenAirEntry
from diffhydro.soil.hydraulics.broadbridge_white import dryness_at
from diffhydro.soil.hydraulics.elementary import log1p_fraction, one_minus_exp
from tests.soil.test_hydraulics import CURVES, SOILS, single


def test_campbell_is_brooks_and_corey_without_limits():
    campbell = SOILS["clapp_hornberger_sand"]
    same = BrooksCorey(
        theta_r=0.0,
        theta_s=campbell.theta_s,
        h_b=-campbell.psi_sat,
        pore_index=1.0 / campbell.b,
        k_sat=campbell.k_sat,
        l=1.0,
    )
    psi = -jnp.logspace(0, 4.5, 50)
    for name in CURVES:
        np.testing.assert_allclose(
            getattr(campbell.curves(psi), name), getattr(same.curves(psi), name), rtol=1e-12
        )


def test_a_vanishing_air_entry_is_the_classic_soil():
    classic = SOILS["loam"]
    fields = {name: getattr(classic, name) for name in values(classic)}
    soil = VanGenuchtenAirEntry(**fields, h_e=1e-9)
    psi = -jnp.logspace(0, 5, 50)
    for name in CURVES:
        np.testing.assert_allclose(
            getattr(soil.curves(psi), name), getattr(classic.curves(psi), name), rtol=1e-5
        )


def test_air_entry_bounds_the_slope_at_saturation():
    clay = SOILS["clay_with_air_entry"]
    psi = clay.air_entry - jnp.logspace(-6, 2, 50)
    assert jnp.max(clay.curves(psi).slope) < clay.k_sat / clay.h_e


def test_broadbridge_and_white_as_published():
    """The paper's form in T, where it does not cancel."""
    soil = SOILS["broadbridge_white_of_p14"]
    t = jnp.linspace(0.05, 0.95, 50)
    c = soil.c
    head = soil.lambda_s * (1 - 1 / t - jnp.log((c - t) / ((c - 1) * t)) / c)
    theta = soil.theta_r + t * (soil.theta_s - soil.theta_r)
    np.testing.assert_allclose(soil.theta(head), theta, rtol=1e-12)
    np.testing.assert_allclose(soil.psi(theta), head, rtol=1e-10)
    np.testing.assert_allclose(
        soil.conductivity(head), soil.k_sat * (c - 1) * t**2 / (c - t), rtol=1e-11
    )


@pytest.mark.parametrize("c", [1.0001, 1.01, 1.5, 11.0])
def test_broadbridge_and_white_converge_at_every_head(c):
    scaled = jnp.logspace(-10, 8, 400)
    y = dryness_at(scaled, jnp.asarray(c))
    residual = y + jnp.log1p(c / (c - 1) * y) / c - scaled
    assert jnp.max(jnp.abs(residual) / scaled) < 1e-14


def test_short_elementary_functions():
    t = single(np.linspace(0, 1, 10001))
    np.testing.assert_allclose(log1p_fraction(t), np.log1p(np.float64(t)), rtol=2.5e-7)
    y = single(np.concatenate([[0.0], np.logspace(-30, 2, 10001)]))
    shut, rest = one_minus_exp(y)
    np.testing.assert_allclose(shut, -np.expm1(-np.float64(y)), rtol=5e-7)
    np.testing.assert_allclose(rest, np.exp(-np.float64(y)), rtol=2.5e-7, atol=2e-38)
