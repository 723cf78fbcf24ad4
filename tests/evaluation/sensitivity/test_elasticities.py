"""Slopes through time: of a power law, and against differences."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.core.parameters import specs, values
from diffhydro.core.trainable import put
from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import Study, elasticities
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Hbv
from diffhydro.land.observe import probe
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.threshold import Smooth
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil import Fixed, VanGenuchten
from diffhydro.soil.pedotransfer import cosby
from tests.evaluation.sensitivity.known import RAIN, Power, rainy, runoff
from tests.land.climates import Climate, weather

WET = np.asarray(RAIN) > 0
STEP = 1e-4  # of the value; the error of the differences is its fourth power


@pytest.fixture(scope="module")
def power():
    return elasticities(Study(Power(), rainy()), runoff)


def test_the_elasticity_of_a_power_law_is_its_exponent(power):
    wanted = np.asarray([1.7, 2.0, -0.5, 0.0])
    assert power.names == ("gain", "shares[0]", "shares[1]", "shift")
    found = power.elasticity[:, WET]
    np.testing.assert_allclose(found, np.broadcast_to(wanted[:, None], found.shape), rtol=1e-12)


def test_where_nothing_flows_the_elasticity_is_nothing(power):
    np.testing.assert_array_equal(power.elasticity[:, ~WET], 0.0)


def test_scaled_slopes(power):
    y = power.series
    np.testing.assert_allclose(power.ranged[0], 1.7 * y / 2.0 * 99.99, rtol=1e-12)
    np.testing.assert_allclose(power.scaled[0], 1.7 * y * np.log(1e4), rtol=1e-12)
    np.testing.assert_allclose(power.scaled[1], power.ranged[1], rtol=1e-12)
    assert np.isinf(power.scaled[3]).all()


def test_the_table_begins_with_the_largest(power):
    lines = str(power).splitlines()
    assert lines[0].split() == ["value", "mean", "|E|", "least", "E", "most", "E"]
    assert [line.split()[0] for line in lines[1:]] == ["shares[0]", "gain", "shares[1]", "shift"]


def test_a_series_of_zeros_has_finite_elasticities():
    dry = elasticities(Study(Power(), Forcing([0.0, 0.0])), runoff)
    np.testing.assert_array_equal(dry.elasticity, 0.0)


def test_a_floor_holds_down_what_is_nearly_dry():
    study = Study(Power(), Forcing([1e-9, 1.0]), "gain")
    np.testing.assert_allclose(elasticities(study, runoff, floor=0.0).elasticity, 1.7, rtol=1e-12)
    assert abs(elasticities(study, runoff).elasticity[0, 0]) < 1e-5


def _differences(model, forcing, path, observe):
    value = values(model)[path]
    h = STEP * max(abs(float(value)), 0.1)

    @eqx.filter_jit
    def at(x):
        return observe(put(model, {path: x}).run(forcing))

    one, two = (at(value + k * h) - at(value - k * h) for k in (1, 2))
    return (8.0 * one - two) / (12.0 * h)


@pytest.mark.slow
def test_slopes_against_differences():
    model = Hbv(threshold=Smooth(), field_capacity=60.0, percolation=0.6, upper_threshold=2.0)
    forcing = weather(Climate(warmth=2.0, swing=0.0, storm=14.0), 60, seed=3)
    found = elasticities(Study(model, forcing), runoff)
    wrong = []
    for name, slope in zip(found.names, found.slopes, strict=True):
        wanted = _differences(model, forcing, name, runoff)
        # The difference rounds by ε y/h: near 1e-10 of the largest slope.
        if not np.allclose(slope, wanted, rtol=1e-5, atol=1e-7 * np.abs(wanted).max() + 1e-9):
            wrong.append((name, np.abs(slope - wanted).max()))
    assert wrong == []
    assert np.abs(found.slopes).max(axis=1).min() > 0


def moisture(run):
    return probe(run, 50.0)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_slopes_of_the_water_balance_against_differences():
    model = WaterBalance(upland=Upland(soil=cosby(sand=43.0, clay=18.0), saturation=0.45))
    forcing = weather(Climate(warmth=12.0, storm=14.0), 30, seed=3)
    study = Study(
        model, forcing, ["upland.soil.k_sat", "upland.soil.b", "surface.soil.conductance"]
    )
    found = elasticities(study, moisture)
    for name, slope in zip(found.names, found.slopes, strict=True):
        wanted = _differences(model, forcing, name, moisture)
        np.testing.assert_allclose(
            slope, wanted, rtol=1e-4, atol=1e-6 * np.abs(wanted).max(), err_msg=name
        )
    assert set(found.names) <= set(specs(model))


@pytest.mark.exhaustive
@pytest.mark.slow
def test_slopes_of_a_richards_column_against_differences():
    soil = VanGenuchten(theta_r=0.07, theta_s=0.43, alpha=0.002, n=1.5, k_sat=150.0)
    policy = Fixed(substeps=6, iterations=40, tolerance=1e-13)
    model = SoilColumn(grid=Column([40.0, 60.0, 150.0, 250.0]), soil=soil, policy=policy)
    forcing = Forcing([0.0, 18.0, 2.0, 0.0, 6.0, 0.0], [4.0, 1.0, 1.0, 4.0, 2.0, 4.0])
    found = elasticities(Study(model, forcing, "soil"), moisture)
    for name, slope in zip(found.names, found.slopes, strict=True):
        wanted = _differences(model, forcing, name, moisture)
        np.testing.assert_allclose(
            slope, wanted, rtol=1e-5, atol=1e-6 * np.abs(wanted).max(), err_msg=name
        )


def test_refused():
    study = Study(Power(), rainy())
    with pytest.raises(InputError, match=r"need a series \[time\], got shape \(\)"):
        elasticities(study, lambda run: jnp.sum(run.fluxes.runoff))
    with pytest.raises(InputError, match="floor is -1"):
        elasticities(study, runoff, floor=-1.0)
