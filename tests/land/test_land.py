"""A ground under a surface: any ground, the same sky."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.errors import InputError
from diffhydro.land import (
    AbstractInterception,
    Canopy,
    Forcing,
    Hbv,
    Land,
    SoilColumn,
    Surface,
    Upland,
    WaterBalance,
    Wetland,
    budget,
    layer_mean,
)
from diffhydro.soil import Feddes, JacksonRoots, Uptake
from diffhydro.soil.pedotransfer import cosby
from tests.land.climates import Climate, weather

SOIL = cosby(sand=43.0, clay=18.0)


def column():
    grid = Column.geometric(depth=2000.0, layers=14)
    return SoilColumn(grid=grid, soil=SOIL, roots=Uptake(JacksonRoots(), Feddes()))


@pytest.fixture(scope="module")
def year():
    return weather(Climate(warmth=9.0, storm=9.0), 365)


@pytest.mark.exhaustive
def test_six_layers_and_a_fine_column_agree_on_a_year(year):
    """The same soil under the same sky: what differs is the solver, the layers and the stress."""
    runs = [Land(ground).run(year) for ground in (Upland(soil=SOIL), column())]
    for run in runs:
        assert float(budget(run).relative) < 1e-12
    coarse, fine = (np.asarray(layer_mean(run, 0.0, 100.0)) for run in runs)
    assert np.corrcoef(coarse[60:], fine[60:])[0, 1] > 0.8
    assert np.abs(coarse - fine)[60:].mean() < 0.05
    aloft = [run.fluxes.interception + run.fluxes.sublimation for run in runs]
    np.testing.assert_allclose(aloft[0], aloft[1], atol=1e-12)


@pytest.mark.exhaustive
def test_a_map_of_uplands_and_wetlands_is_each_alone(year):
    forcing = jax.tree.map(lambda x: jnp.stack([x[:90], x[200:290]]), year)
    flags = jnp.array([0.0, 1.0])
    both = WaterBalance(upland=Upland(soil=SOIL), is_wetland=flags)
    run = both.simulate(forcing, by_site="is_wetland")
    alone = [Land(Upland(soil=SOIL)), Land(Wetland())]
    for site, land in enumerate(alone):
        one = land.run(jax.tree.map(lambda x, site=site: x[site], forcing))
        np.testing.assert_allclose(run.theta[site], one.theta, rtol=1e-12)
        np.testing.assert_allclose(run.fluxes.runoff[site], one.fluxes.runoff, atol=1e-12)


@pytest.mark.exhaustive
def test_a_law_can_be_anything_that_answers(year):
    """A learned law sits where a published one sat, and its weights have a gradient."""

    class Learned(AbstractInterception):
        weight: jax.Array

        def __call__(self, rain, leaf_area):
            return rain * jax.nn.sigmoid(self.weight) * jnp.tanh(leaf_area)

    surface = Surface(canopy=Canopy(interception=Learned(jnp.asarray(-2.0))))
    land = Land(Upland(soil=SOIL), surface)

    def misfit(land):
        return land.run(year[:60]).theta[:, 0].mean()

    slope = eqx.filter_grad(misfit)(land).surface.canopy.interception.weight
    assert np.isfinite(slope)
    assert slope < 0.0


def test_what_a_model_misses_is_said():
    rain = Forcing([1.0, 2.0])
    with pytest.raises(InputError, match="Land needs temperature, shortwave, vapour_pressure"):
        Land(Upland(soil=SOIL)).run(rain)
    with pytest.raises(InputError, match="Hbv needs temperature, potential_evaporation"):
        Hbv().run(rain)
    with pytest.raises(InputError, match="SoilColumn needs potential_evaporation"):
        column().run(rain)


def test_a_cell_is_upland_or_wetland():
    with pytest.raises(InputError, match=r"is_wetland is 0\.4 at 1 of 3 cells"):
        WaterBalance(upland=Upland(soil=SOIL), is_wetland=jnp.array([0.0, 0.4, 1.0]))


def test_a_canopy_works_in_days(year):
    series = {k: v[:4] for k, v in vars(year).items() if hasattr(v, "shape")}
    with pytest.raises(InputError, match=r"the step is 0\.5 days"):
        Land(Wetland()).run(Forcing(**series, step=0.5))


def test_units_are_told_by_their_range():
    for name, value, word in (
        ("temperature", 285.0, "kelvin"),
        ("pressure", 1013.0, "hPa"),
        ("daylight", 12.0, "hours"),
        ("precipitation", -1.0, "negative"),
    ):
        series = {"precipitation": [1.0, 1.0]} | {name: [value, value]}
        with pytest.raises(InputError, match=word):
            Forcing(**series)
    with pytest.raises(InputError, match="relative humidity"):
        Forcing([0.0], temperature=[20.0], vapour_pressure=[12.0])
