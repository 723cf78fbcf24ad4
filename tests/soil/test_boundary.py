"""Boundaries by themselves: fluxes as functions of the cell beside them."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import check_bounds
from diffhydro.soil.boundary import (
    Atmosphere,
    Drive,
    FluxBottom,
    FluxTop,
    FreeDrainage,
    HeadBottom,
    HeadTop,
    Seepage,
)
from tests.soil.richards.columns import loam

SOIL = loam()
HALF = jnp.asarray(10.0)
PSI = -jnp.logspace(-3, 6, 40)


def drive(surface=0.0, base=0.0) -> Drive:
    return Drive(jnp.asarray(surface), jnp.asarray(base), jnp.asarray(0.0))


def into(top, psi, supply, pond=0.0, step=0.1):
    """Flux into the soil, and what it leaves: pond and runoff."""
    wanted = drive(surface=supply)
    flux = jax.vmap(
        lambda p: top.flux(
            p, SOIL.conductivity(p), HALF, jnp.asarray(pond), jnp.asarray(step), wanted,
            top.held(SOIL, wanted),
        )
    )(psi)  # fmt: skip
    end, runoff = jax.vmap(lambda q: top.settle(q, jnp.asarray(pond), jnp.asarray(step), wanted))(
        flux
    )
    return np.asarray(flux), np.asarray(end), np.asarray(runoff)


def out_of(bottom, psi, base=0.0):
    wanted = drive(base=base)
    held = bottom.held(SOIL, wanted)
    return np.asarray(
        jax.vmap(lambda p: bottom.flux(p, SOIL.conductivity(p), HALF, wanted, held))(psi)
    )


@pytest.mark.parametrize("supply", [0.0, 3.0, 500.0, 5000.0])
@pytest.mark.parametrize("pond", [0.0, 4.0, 10.0])
def test_rain_is_soaked_up_ponded_or_run_off(supply, pond):
    flux, end, runoff = into(Atmosphere(air_dry=-1e5, pond_max=10.0), PSI, supply, pond)
    assert (runoff >= 0).all()
    assert ((end >= 0) & (end <= 10.0)).all()
    step = 0.1
    np.testing.assert_allclose(
        pond + step * supply, step * flux + end + step * runoff, rtol=1e-12, atol=1e-12
    )
    assert (flux <= supply + pond / step + 1e-9).all()


@pytest.mark.parametrize("demand", [1.0, 50.0])
def test_evaporation_is_bounded_by_the_demand_and_by_the_soil(demand):
    top = Atmosphere(air_dry=-1e5, pond_max=10.0)
    flux, end, runoff = into(top, PSI, -demand)
    assert (flux >= -demand).all()
    assert (end == 0).all()
    assert (runoff == 0).all()
    assert flux[0] == -demand
    dry = PSI < -1e5
    assert (flux[dry] <= 0.0).all(), "a soil drier than the air is given water"


def test_a_pond_evaporates_before_the_soil_dries():
    flux, end, _ = into(Atmosphere(air_dry=-1e5, pond_max=50.0), PSI[:3], -10.0, pond=20.0)
    assert (flux > 0).all()
    assert (end < 20.0 - 0.1 * 10.0).all()


def test_ponded_intake_is_darcy_under_the_pond_at_the_end_of_the_step():
    top = Atmosphere(air_dry=-1e5, pond_max=50.0)
    psi = jnp.asarray([-0.5, 0.0, 5.0])
    flux, end, _ = into(top, psi, 2000.0, pond=5.0, step=0.01)
    k = 0.5 * (np.asarray(SOIL.conductivity(psi)) + float(SOIL.k_sat))
    np.testing.assert_allclose(flux, k * ((end - np.asarray(psi)) / float(HALF) + 1.0), rtol=1e-12)


@pytest.mark.exhaustive
@pytest.mark.parametrize("supply", [-20.0, 0.0, 20.0, 900.0])
def test_regimes_meet_without_a_jump(supply):
    """The flux is continuous in the head: no memory, no step at a switch."""
    psi = -jnp.logspace(-2, 6, 200001)
    flux, _, _ = into(Atmosphere(air_dry=-1e5, pond_max=2.0), psi, supply)
    spread = np.abs(np.diff(flux)).max()
    # 1e-4 of relative change in ψ per point; the steepest flux is k_sat·ψ/half near the pond.
    assert spread < 1e-3 * max(np.abs(flux).max(), 1.0)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_gradients_are_finite_in_every_regime(dtype):
    soil, half = jax.tree.map(lambda x: x.astype(dtype), (SOIL, HALF))
    top = Atmosphere(jnp.asarray(-1e5, dtype), jnp.asarray(10.0, dtype))
    step, none = jnp.asarray(0.1, dtype), jnp.zeros((), dtype)

    def flux(psi, supply, pond):
        wanted = Drive(supply, none, none)
        held = top.held(soil, wanted)
        q = top.flux(psi, soil.conductivity(psi), half, pond, step, wanted, held)
        return q + sum(top.settle(q, pond, step, wanted))

    heads, supplies, ponds = (-1e6, -1e5, -100.0, 0.0, 10.0), (-50.0, 0.0, 3.0, 5000.0), (0.0, 10.0)
    points = jnp.asarray(list(itertools.product(heads, supplies, ponds)), dtype)
    grad = jax.jit(jax.vmap(jax.grad(flux, (0, 1, 2))))(*points.T)
    assert np.isfinite(grad).all()


@pytest.mark.parametrize("top", [FluxTop(), HeadTop()], ids=["flux", "head"])
def test_other_tops_keep_no_pond_and_shed_nothing(top):
    _, end, runoff = into(top, PSI, 5.0, pond=0.0)
    assert not end.any()
    assert not runoff.any()


def test_a_flux_top_is_obeyed_whatever_the_soil():
    assert (into(FluxTop(), PSI, -7.0)[0] == -7.0).all()


@pytest.mark.exhaustive
def test_a_head_top_is_darcy():
    flux = into(HeadTop(), jnp.asarray([-100.0]), -50.0)[0]
    k = 0.5 * (SOIL.conductivity(jnp.asarray(-100.0)) + SOIL.conductivity(jnp.asarray(-50.0)))
    np.testing.assert_allclose(flux, k * (50.0 / 10.0 + 1.0), rtol=1e-12)


def test_bottoms():
    np.testing.assert_array_equal(out_of(FreeDrainage(), PSI), SOIL.conductivity(PSI))
    assert (out_of(FluxBottom(), PSI, base=-3.0) == -3.0).all()
    np.testing.assert_allclose(
        out_of(HeadBottom(), jnp.asarray([-40.0]), base=-30.0), 0.0, atol=1e-9
    )
    assert out_of(HeadBottom(), jnp.asarray([-400.0]), base=0.0) < 0.0
    assert out_of(HeadBottom(), jnp.asarray([20.0]), base=0.0) > 0.0


def test_seepage_opens_where_water_stands_and_never_takes_in():
    psi = jnp.concatenate([PSI, jnp.asarray([0.0, 5.0])])
    out = out_of(Seepage(), psi)
    assert (out >= 0).all()
    assert (out[np.asarray(psi) < -float(HALF)] == 0.0).all()
    assert (out[np.asarray(psi) > -float(HALF)] > 0.0).all()


def test_defaults_lie_within_their_bounds():
    check_bounds(Atmosphere())
