"""What comes up: no more than came in, no water lost, nothing beyond its bounds."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from diffhydro.errors import InputError
from diffhydro.land import AsItFlows, Forcing, NoMoreThanInflow, Upland
from diffhydro.soil.pedotransfer import cosby

SIZE = jnp.array([50.0, 50.0, 100.0, 300.0])
MOST = 0.45
ROUNDING = 1e-12
waters = arrays.arrays(np.float64, 4, elements=st.floats(0.01, MOST))


@settings(deadline=None)
@given(before=waters, after=waters, inflow=st.floats(-5.0, 80.0))
def test_the_top_gains_no_more_than_came_in(before, after, inflow):
    found = np.asarray(NoMoreThanInflow().kept(
        jnp.asarray(before), jnp.asarray(after), jnp.asarray(MOST), SIZE, jnp.asarray(inflow)
    ))  # fmt: skip
    size = np.asarray(SIZE)
    assert found @ size == pytest.approx(after @ size, abs=1e-10)
    assert (found <= MOST + ROUNDING).all()
    assert (found >= np.minimum(before, after) - ROUNDING).all()
    gain = ((found - before) * size)[:2].sum()
    is_full = (found[2:] >= MOST - ROUNDING).all()
    assert is_full or gain <= max(inflow, 0.0) + 1e-10
    if ((after - before) * size)[:2].sum() <= max(inflow, 0.0):
        np.testing.assert_array_equal(found, after)


def lifting(**rest):
    """A soil whose top is dry over wet layers: water comes up."""
    soil = cosby(sand=20.0, clay=30.0)
    return Upland(soil=soil, saturation=0.75, **rest)


def test_soil_moisture_does_not_rise_without_rain():
    drying = np.where(np.arange(120) < 30, 6.0, 0.0)
    rises = {}
    for name, rule in (("free", AsItFlows()), ("held", NoMoreThanInflow())):
        run = lifting(from_below=rule).run(Forcing(np.zeros(120), drying))
        top = np.asarray(run.theta[:, :2]).mean(axis=1)
        rises[name] = np.diff(top).max()
        before, after = (float(x["soil"].sum()) for x in (run.stores_before, run.stores_after))
        out = float(run.fluxes.evaporation.sum() + run.fluxes.drainage.sum())
        assert before - out == pytest.approx(after, abs=1e-8)
        np.testing.assert_allclose(run.fluxes.inflow, 0.0, atol=ROUNDING)
    assert rises["free"] > 1e-3
    assert rises["held"] <= ROUNDING


def test_a_top_without_anything_below_is_refused():
    with pytest.raises(InputError, match="the top of the soil has 0 layers"):
        NoMoreThanInflow(layers=0)
    with pytest.raises(InputError, match="6 layers cannot be the top of a soil of 6"):
        lifting(from_below=NoMoreThanInflow(layers=6)).run(Forcing(np.zeros(3), np.zeros(3)))
