"""The fallow column and SWIM's curves against the worked examples."""

from operator import attrgetter

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.errors import InputError
from diffhydro.land.budget import budget
from diffhydro.land.fallow import Fallow, FallowState, surface_humidity_factor
from diffhydro.land.forcing import Forcing
from diffhydro.land.observe import probe
from diffhydro.land.trajectory import Profile
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.hydraulics.swim import SwimCurves
from diffhydro.soil.pedotransfer import rosetta
from tests.examples import assert_agrees, examples


def fallow(example, dtype):
    soil = VanGenuchten(
        theta_r=example["theta_r"],
        theta_s=example["theta_s"],
        alpha=example["alpha_per_cm"] / 10.0,
        n=example["n"],
        k_sat=10.0 * example["K_s_cm_d"],
    )
    grid = Column(10.0 * np.asarray(example["dz_cm"]))
    steps = round(24 / example["dt_h"])
    return astype(Fallow(soil=soil, grid=grid, steps_per_day=steps), dtype)


@examples("fallow_column_day")
def test_fallow_column_day(example, expected, dtype):
    model = fallow(example, dtype)
    start = FallowState(jnp.asarray(example["theta"], dtype))
    forcing = Forcing(jnp.asarray([example["P_mm"]], dtype), jnp.asarray([example["PE_mm"]], dtype))
    run = model.run(forcing, start)
    assert_agrees(run.theta[0], expected["theta_new"], dtype)
    assert_agrees(run.fluxes.evaporation[0], expected["E_mm"], dtype, scale=1.0)
    assert_agrees(run.fluxes.runoff[0], expected["runoff_mm"], dtype, scale=1.0)
    assert_agrees(run.fluxes.drainage[0], expected["drainage_mm"], dtype, scale=1.0)
    assert_agrees(probe(run, 200.0)[0], expected["theta_20cm"], dtype)


@examples("theta_20cm")
def test_theta_at_20_cm(example, expected, dtype):
    """The fallow's fourth and fifth layers have their centres at 17.5 and 25 cm."""
    model = astype(Fallow(soil=rosetta(40.0, 40.0, 20.0)), dtype)
    run = model.run(Forcing(jnp.zeros(1, dtype), jnp.zeros(1, dtype)))
    theta = jnp.full((1, 10), 0.9, dtype)
    theta = theta.at[0, 3].set(example["theta_17_5cm"]).at[0, 4].set(example["theta_25cm"])
    told = eqx.tree_at(lambda r: r.profile, run, Profile(run.profile.grid, theta, None))
    assert_agrees(probe(told, 200.0)[0], expected["theta_20cm"], dtype)


@examples("swim_surface_evaporation")
def test_swim_surface_evaporation(example, expected, dtype):
    factor = surface_humidity_factor(jnp.asarray(10.0 * example["psi_surface_cm"], dtype))
    assert_agrees(example["E_pot"] * factor, expected["E"], dtype, scale=1.0)


@examples("swim_curves")
def test_swim_curves(example, expected, dtype):
    curves = SwimCurves(
        ll15=example["LL15"],
        dul=example["DUL"],
        sat=example["SAT"],
        k_sat=example["KS_mm_d"],
        k_dul=example["KDul_mm_d"],
        psi_dul=10.0 * example["psi_dul_cm"],
    )
    curves = astype(curves, dtype)
    theta = curves.theta(jnp.asarray(10.0 * example["psi_cm"], dtype))
    assert_agrees(theta, expected["theta"], dtype, scale=1.0 if dtype == np.float32 else 1e-6)
    if dtype == np.float64:  # in float32 a power of 13 magnifies the rounding of θ
        assert_agrees(curves.conductivity(theta), expected["K_mm_d"], dtype, scale=1e-12)


@pytest.mark.exhaustive
def test_a_fallow_keeps_its_water_and_has_gradients():
    model = Fallow(soil=rosetta(40.0, 40.0, 20.0))
    rain = jnp.array([0.0, 30.0, 0.0, 90.0, 0.0, 0.0, 5.0, 0.0])
    forcing = Forcing(rain, jnp.full(8, 4.0))
    assert float(budget(model.run(forcing)).relative) < 1e-13

    def misfit(soil):
        return Fallow(soil=soil).run(forcing).theta[:, 0].mean()

    slope = jax.grad(misfit)(model.soil)
    for name in ("theta_r", "theta_s", "alpha", "n", "k_sat"):
        value, h = getattr(model.soil, name), 1e-6
        up, down = (eqx.tree_at(attrgetter(name), model.soil, value * (1.0 + e)) for e in (h, -h))
        wanted = (misfit(up) - misfit(down)) / (2.0 * h * value)
        assert float(getattr(slope, name)) == pytest.approx(float(wanted), rel=1e-5, abs=1e-9)


def test_a_fallow_refuses_what_it_cannot_do():
    with pytest.raises(InputError, match="multiple of 4"):
        Fallow(soil=rosetta(40.0, 40.0, 20.0), steps_per_day=10)
