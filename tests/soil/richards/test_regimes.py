"""Boundaries inside runs: which regime acts, and the limits none may cross."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.soil.boundary import FluxBottom, FluxTop, FreeDrainage, HeadBottom, HeadTop
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from tests.soil.richards.columns import (
    air,
    depths,
    drives,
    filled,
    lay,
    loam,
    march,
    roots,
)

GO = eqx.filter_jit(march)
ROUNDING = 1e-9  # mm: residual 1e-9 times the thickness of the layers, summed
POLICIES = [Fixed(24, 20), Adaptive(error=1e-3, sweeps=1, most=10**5)]
both = pytest.mark.parametrize("policy", POLICIES, ids=["fixed", "adaptive"])


@both
def test_a_column_at_rest_stays_at_rest(policy):
    """Hydrostatic above its water table, no rain: a balance of gravity and suction, kept for ever."""  # noqa: E501
    mesh, problem = lay(loam(), FluxTop(), HeadBottom())
    run = GO(mesh, problem, filled(mesh, problem, depths(mesh) - 1000.0), drives(mesh, [0.0] * 5),
             policy, 30.0)  # fmt: skip
    np.testing.assert_allclose(run.after.psi, depths(mesh) - 1000.0, atol=1e-5)
    assert float(np.abs(run.amounts.drainage).max()) < 1e-6


@both
def test_the_pond_fills_overflows_and_empties(policy):
    mesh, problem = lay(loam(k_sat=20.0), air(pond_max=15.0), FreeDrainage())
    supply = [100.0, 100.0, 0.0, -4.0, -4.0, -4.0]
    water = filled(mesh, problem, -2000.0)
    pond = []
    for rain in supply:
        run = GO(mesh, problem, water, drives(mesh, [rain]), policy)
        water = run.after
        pond.append(float(water.pond))
        assert 0.0 <= pond[-1] <= 15.0
        runoff = float(run.amounts.runoff[0])
        assert runoff >= 0.0
        assert (runoff > 0.0) == (rain > 0.0)
    assert pond[1] == pytest.approx(15.0)
    assert pond[2] < 15.0
    assert pond[-1] == 0.0


@both
def test_nothing_ponds_where_all_runs_off(policy):
    mesh, problem = lay(loam(k_sat=20.0), air(), FreeDrainage())
    run = GO(mesh, problem, filled(mesh, problem, -2000.0), drives(mesh, [100.0] * 3), policy)
    assert float(run.after.pond) == 0.0
    total = run.amounts.infiltration + run.amounts.runoff
    np.testing.assert_allclose(total, 100.0, rtol=1e-9)
    assert (np.asarray(run.amounts.runoff) > 0).all()


@both
@pytest.mark.parametrize("psi", [-1e5, -1.0001e5, -5e5, -1e6])
def test_the_air_gives_no_water(policy, psi):
    """A soil as dry as the air, or drier, takes nothing in without rain."""
    mesh, problem = lay(loam(), air(air_dry=-1e5), FluxBottom())
    run = GO(mesh, problem, filled(mesh, problem, psi), drives(mesh, [0.0] * 3), policy, 10.0)
    assert float(run.amounts.infiltration.sum()) <= 0.0


@both
def test_a_held_head_draws_what_darcy_says(policy):
    """Saturated between two heads: a linear profile and one flux, K·(1 + Δh/L)."""
    mesh, problem = lay(loam(k_sat=100.0), HeadTop(), HeadBottom(), specific_storage=1e-6)
    drive = drives(mesh, [200.0] * 2, base=50.0)
    run = GO(mesh, problem, filled(mesh, problem, 10.0), drive, policy, 5.0)
    flux = 100.0 * (1.0 + 150.0 / 1000.0)
    np.testing.assert_allclose(run.amounts.infiltration[1], 5.0 * flux, rtol=1e-8)
    np.testing.assert_allclose(run.amounts.drainage[1], 5.0 * flux, rtol=1e-8)


@both
def test_free_drainage_goes_to_the_conductivity(policy):
    """Under steady rain the foot comes to K(ψ) = rain."""
    mesh, problem = lay(loam(), FluxTop(), FreeDrainage())
    run = GO(mesh, problem, filled(mesh, problem, -500.0), drives(mesh, [5.0] * 5), policy, 100.0)
    assert float(run.amounts.drainage[-1]) == pytest.approx(500.0, rel=1e-6)
    np.testing.assert_allclose(
        problem.medium.curves(mesh.split(run.after.psi)).conductivity, 5.0, rtol=1e-4
    )


@both
def test_roots_take_at_most_the_demand_and_leave_the_dry_alone(policy):
    mesh, problem = lay(loam(), air(), FluxBottom(), uptake=roots())
    drive = drives(mesh, [0.0] * 60, transpiration=5.0)
    run = GO(mesh, problem, filled(mesh, problem, -500.0), drive, policy)
    taken = np.asarray(run.amounts.uptake)
    assert (taken <= 5.0 + ROUNDING).all()
    assert (taken >= 0.0).all()
    assert taken[-1] < 1.0
    assert float(run.after.psi.min()) > -8.4e4  # the wilting point and half its rounded corner


def test_a_full_closed_column_with_ponded_rain_sheds_all_of_it():
    mesh, problem = lay(loam(), air(pond_max=10.0), FluxBottom())
    run = GO(mesh, problem, filled(mesh, problem, -300.0), drives(mesh, [200.0] * 4), POLICIES[1])
    full = float(jnp.sum(mesh.volume) * loam().theta_s)
    assert float(run.after.stored.sum()) == pytest.approx(full, rel=1e-6)
    assert float(run.after.pond) == pytest.approx(10.0)
    assert float(run.amounts.runoff[-1]) == pytest.approx(200.0, rel=1e-6)
    assert float(run.amounts.infiltration[-1]) == pytest.approx(0.0, abs=1e-6)
    assert float(run.effort.forced.sum()) == 0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_columns_of_very_few_layers(count):
    mesh, problem = lay(loam(), air(), FreeDrainage(), column=Column.uniform(300.0, count))
    run = GO(mesh, problem, filled(mesh, problem, -1000.0), drives(mesh, [20.0, -3.0]), POLICIES[1])
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(run))
    assert float(run.effort.forced.sum()) == 0
