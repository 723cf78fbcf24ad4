"""Laws that every hydraulic form obeys, over soils that span the tables and the reference cases."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import check_bounds, specs, values
from diffhydro.core.trainable import put
from diffhydro.soil.hydraulics import (
    AIR_DRY,
    BroadbridgeWhite,
    BrooksCorey,
    ClappHornberger,
    Gardner,
    Haverkamp,
    MonotoneHydraulics,
    VanGenuchten,
    VanGenuchtenAirEntry,
)

CURVES = ("theta", "capacity", "conductivity", "slope")


def van_genuchten(make, theta_r, theta_s, alpha, n, k_sat, **more):
    return make(theta_r=theta_r, theta_s=theta_s, alpha=alpha, n=n, k_sat=k_sat, **more)


SOILS = {
    "loam": van_genuchten(VanGenuchten, 0.08, 0.43, 0.004, 1.6, 500.0),
    "sand_of_p07": van_genuchten(VanGenuchten, 0.045, 0.43, 0.015, 3.0, 10000.0),
    "negative_l": van_genuchten(VanGenuchten, 0.052, 0.367, 0.0031, 2.638, 4867.0, l=-0.9),
    "clay_near_n_of_1": van_genuchten(VanGenuchten, 0.13, 0.48, 0.00121, 1.08, 160.0),
    "clay_with_air_entry": van_genuchten(VanGenuchtenAirEntry, 0.13, 0.48, 0.00121, 1.1, 160.0),
    "brooks_corey_of_p13": BrooksCorey(
        theta_r=0.0, theta_s=0.476, h_b=630.0, pore_index=0.117370892, k_sat=211.68
    ),
    "brooks_corey_sand": BrooksCorey(
        theta_r=0.02, theta_s=0.417, h_b=73.0, pore_index=0.59, k_sat=5000.0, l=0.5
    ),
    "clapp_hornberger_clay": ClappHornberger(theta_s=0.482, k_sat=110.6, psi_sat=-405.0, b=11.4),
    "clapp_hornberger_sand": ClappHornberger(theta_s=0.395, k_sat=15206.0, psi_sat=-121.0, b=4.05),
    "gardner_of_p06": Gardner(theta_r=0.06, theta_s=0.4, alpha=0.01, k_sat=2400.0),
    "haverkamp_of_p02": Haverkamp(
        theta_r=0.075,
        theta_s=0.287,
        h_theta=369.36,
        beta=3.96,
        h_k=190.81,
        gamma=4.74,
        k_sat=8156.0,
    ),
    "broadbridge_white_of_p14": BroadbridgeWhite(
        theta_r=0.05, theta_s=0.4, lambda_s=150.0, c=1.2, k_sat=500.0
    ),
    "broadbridge_white_sharp": BroadbridgeWhite(
        theta_r=0.05, theta_s=0.4, lambda_s=150.0, c=1.01, k_sat=500.0
    ),
    "network_like_a_loam": MonotoneHydraulics.like(
        van_genuchten(VanGenuchten, 0.08, 0.43, 0.004, 1.6, 500.0)
    ),
}
SUCTION = np.logspace(0, 8, 801)
EDGES = (-1e9, -1e7, -1e4, -100.0, -1.0, -1e-3, -1e-6, -1e-12, -1e-30, 0.0, 1e-30, 1000.0)


@pytest.fixture(params=SOILS, ids=str)
def soil(request):
    return SOILS[request.param]


def single(tree):
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), tree)


def double(tree):
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), tree)


def unsaturated(soil, suction=SUCTION):
    """Heads below air entry, none at it."""
    return jnp.asarray(float(soil.air_entry) - suction)


def edges(soil, dtype):
    entry = float(soil.air_entry)
    return jnp.asarray([*EDGES, entry, entry * 1.0001, entry * 0.9999], dtype)


def test_capacity_and_slope_are_the_derivatives(soil):
    psi = unsaturated(soil)
    curves = soil.curves(psi)
    np.testing.assert_allclose(
        curves.capacity, jax.vmap(jax.grad(soil.theta))(psi), rtol=1e-10, atol=1e-250
    )
    np.testing.assert_allclose(
        curves.slope, jax.vmap(jax.grad(soil.conductivity))(psi), rtol=1e-8, atol=1e-250
    )


def test_each_curve_alone_is_the_joint_one(soil):
    psi = unsaturated(soil)
    curves = soil.curves(psi)
    for name in ("theta", "capacity", "conductivity"):
        np.testing.assert_array_equal(getattr(soil, name)(psi), getattr(curves, name))


def test_water_and_conductivity_grow_with_head(soil):
    psi = jnp.sort(jnp.concatenate([unsaturated(soil), edges(soil, jnp.float64)]))
    curves = soil.curves(psi)
    for values_ in (curves.theta, curves.conductivity):
        assert (jnp.diff(values_) >= -1e-15 * values_[-1]).all()
    assert (curves.capacity >= 0).all()
    assert (curves.slope >= 0).all()
    assert (curves.conductivity > 0).all()


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_saturated_values_are_exact(soil, dtype):
    soil = jax.tree.map(lambda x: x.astype(dtype), soil)
    entry = jnp.asarray(soil.air_entry, dtype)
    curves = soil.curves(jnp.stack([entry, jnp.zeros_like(entry), 1000.0 + jnp.zeros_like(entry)]))
    assert (curves.theta == soil.theta_s).all()
    assert (curves.conductivity == soil.k_sat).all()
    assert (curves.capacity == 0).all()
    assert (curves.slope == 0).all()


def test_theta_and_conductivity_are_continuous_at_air_entry(soil):
    below = soil.curves(jnp.asarray(soil.air_entry - 1e-9))
    np.testing.assert_allclose(below.theta, soil.theta_s, rtol=1e-9)
    # Near n = 1 a picometre of suction empties the largest pore of an unguarded clay.
    singular = isinstance(soil, VanGenuchten) and float(soil.n) < 1.2
    np.testing.assert_allclose(below.conductivity, soil.k_sat, rtol=0.8 if singular else 1e-6)


def test_the_driest_soil_holds_its_residual_water(soil):
    driest = soil.curves(jnp.asarray(-1e100))
    if isinstance(soil, ClappHornberger):
        np.testing.assert_allclose(driest.theta, 1e-3 * soil.theta_s)
        np.testing.assert_allclose(driest.conductivity, 8.64e-8)
        assert driest.slope == 0
        assert driest.capacity == 0
    else:
        held = driest.theta - soil.theta_r
        assert 0 <= held < 0.02 * (soil.theta_s - soil.theta_r)


def test_psi_inverts_theta(soil):
    driest = 1e6 if isinstance(soil, ClappHornberger) else 1e7
    suction = SUCTION
    psi = unsaturated(soil, suction[suction < driest])
    curves = soil.curves(psi)
    # Rounding of θ, carried through dψ/dθ, is all that may be lost.
    lost = 4 * np.finfo(float).eps * soil.theta_s / jnp.maximum(curves.capacity, 1e-300)
    bound = 4 * lost + 1e-11 * jnp.abs(psi)
    resolvable = bound < 1e-3 * jnp.abs(psi)
    error = jnp.abs(soil.psi(curves.theta) - psi)
    assert resolvable.sum() > 100
    assert jnp.max(jnp.where(resolvable, error / bound, 0.0)) < 1


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_psi_at_the_ends(soil, dtype):
    soil = jax.tree.map(lambda x: x.astype(dtype), soil)
    driest = -1.5e6 if isinstance(soil, ClappHornberger) else -AIR_DRY
    theta = jnp.stack([soil.theta_s, soil.theta_s + 0.1, soil.theta_r, soil.theta_r - 0.1])
    entry = jnp.asarray(soil.air_entry, dtype)
    expected = jnp.stack([entry, entry, entry * 0 + driest, entry * 0 + driest])
    np.testing.assert_allclose(soil.psi(theta), expected, rtol=4 * jnp.finfo(dtype).eps)


def test_single_precision_keeps_its_digits(soil):
    """Bound: an exponential loses eps × |its exponent|, so K loses eps × |ln K| and a few more."""
    soil = double(single(soil))
    psi = single(unsaturated(soil, SUCTION + 0.01 * float(-jnp.asarray(soil.air_entry))))
    exact, found = soil.curves(double(psi)), single(soil).curves(psi)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(found))
    eps = float(jnp.finfo(jnp.float32).eps)
    for name in CURVES:
        want, got = getattr(exact, name), double(getattr(found, name))
        scale = {"theta": soil.theta_s, "conductivity": soil.k_sat}.get(name, 1.0)
        tolerance = eps * (12 + jnp.abs(jnp.log(jnp.maximum(want / scale, 1e-300))))
        visible = want / scale > 1e-28
        assert jnp.max(jnp.where(visible, jnp.abs(got / want - 1) / tolerance, 0.0)) < 1, name


def test_gradients_are_finite_in_single_precision(soil):
    def outputs(soil, psi):
        return jnp.stack([getattr(soil.curves(psi), name) for name in CURVES])

    psi = edges(soil, jnp.float32)
    jacobian = jax.jit(jax.vmap(jax.jacrev(outputs, argnums=(0, 1)), in_axes=(None, 0)))
    for leaf in jax.tree.leaves((outputs(single(soil), psi), jacobian(single(soil), psi))):
        assert leaf.dtype == jnp.float32
        assert jnp.isfinite(leaf).all()


def test_gradients_of_psi_are_finite_in_single_precision(soil):
    soil = single(soil)
    low, high = float(soil.theta_r), float(soil.theta_s)
    theta = [-0.1, 0.0, low, low + 1e-7, low + 1e-4, 0.2, high - 1e-4, high - 1e-7, high, 0.7, 1.0]
    gradient = jax.vmap(jax.grad(lambda s, t: s.psi(t), argnums=(0, 1)), in_axes=(None, 0))
    for leaf in jax.tree.leaves(jax.jit(gradient)(soil, jnp.asarray(theta, jnp.float32))):
        assert jnp.isfinite(leaf).all()


@pytest.mark.parametrize("kind", sorted({type(s).__name__: k for k, s in SOILS.items()}.values()))
def test_gradients_match_central_differences(kind):
    """Every declared parameter, and ψ and θ themselves; relative step 3e-6."""
    soil = SOILS[kind]
    assert set(specs(soil)) == set(values(soil))
    names = list(values(soil))
    entry = float(soil.air_entry)
    heads = jnp.asarray([-3e4, -2000.0, 1.3 * entry - 40.0, 0.5 * entry + 30.0])
    contents = soil.theta_r + (soil.theta_s - soil.theta_r) * jnp.asarray([0.2, 0.6, 0.95])

    @jax.jit
    def outputs(point):
        *parameters, wetter = point
        soil = put(SOILS[kind], dict(zip(names, parameters, strict=True)))
        curves = soil.curves(heads * wetter)
        return jnp.concatenate(
            [*(getattr(curves, name) for name in CURVES), soil.psi(contents * wetter)]
        )

    point = jnp.stack([*values(soil).values(), jnp.asarray(1.0)])
    step = jnp.where(point == 0, 1e-6, 3e-6 * jnp.abs(point))
    shifts = jnp.diag(step)
    ahead, behind = (jax.vmap(outputs)(point[None] + sign * shifts) for sign in (1, -1))
    differences = (ahead - behind) / (2 * step[:, None])
    error = jnp.abs(jax.jit(jax.jacfwd(outputs))(point).T - differences)
    # The rounding of the outputs, divided by the step, is the least that can be seen.
    tolerance = 1e-6 * jnp.abs(differences) + 1e-14 * jnp.abs(outputs(point))[None] / step[:, None]
    names.append("psi")
    wrong = {name: row for name, row in zip(names, error > tolerance, strict=True) if row.any()}
    assert not wrong


def test_a_scalar_soil_serves_any_rank_and_a_column_broadcasts():
    soil = SOILS["loam"]
    psi = -jnp.logspace(1, 4, 12).reshape(3, 4)
    columns = jax.tree.map(lambda x: jnp.broadcast_to(x, (1, 4)), soil)
    for a, b in zip(
        jax.tree.leaves(soil.curves(psi)), jax.tree.leaves(columns.curves(psi)), strict=True
    ):
        assert a.shape == b.shape == psi.shape
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_reference_soils_can_be_calibrated():
    for name, soil in SOILS.items():
        if "of_p" in name:
            check_bounds(soil)


@pytest.mark.parametrize("n", [1.05, 1.1, 1.3, 2.7])
def test_van_genuchten_is_straight_within_its_rim_and_itself_below(n):
    soil = van_genuchten(VanGenuchten, 0.08, 0.43, 0.004, n, 500.0)
    rim = float(soil.rim)
    assert 0.1 <= rim <= 1.0
    inside = soil.curves(jnp.asarray([-rim, -0.75 * rim, -0.5 * rim, -0.25 * rim, 0.0]))
    for curve in (inside.theta, inside.conductivity):
        np.testing.assert_allclose(jnp.diff(curve, 2), 0.0, atol=1e-12 * float(curve[-1]))
    assert (inside.slope[1:-1] * rim < soil.k_sat).all()
    below = -jnp.asarray([1.001 * rim, 10.0, 1e4])
    m = 1.0 - 1.0 / n
    full = (1.0 + (-0.004 * below) ** n) ** -m
    np.testing.assert_allclose(soil.theta(below), 0.08 + 0.35 * full, rtol=1e-12)
    psi = jnp.asarray([-0.3 * rim, -rim, -2.0 * rim, -50.0])
    np.testing.assert_allclose(soil.psi(soil.theta(psi)), psi, rtol=1e-6)
