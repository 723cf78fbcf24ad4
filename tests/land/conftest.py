"""A column with everything in it, and the weather that brings everything out."""

import jax.numpy as jnp
import pytest

from diffhydro.core.grids import Column
from diffhydro.land.forcing import Forcing
from diffhydro.land.initial import UniformHead
from diffhydro.land.soil_column import SoilColumn
from diffhydro.soil import Atmosphere, Feddes, LinearRoots, Uptake, VanGenuchten
from diffhydro.soil.richards.adaptive import Adaptive


def make_column(policy=None, grid=None, soil=None, **rest):
    """Two horizons, roots across both, a pond, and limits that a week of weather reaches."""
    parts = {
        "top": Atmosphere(air_dry=-2e4, pond_max=5.0),
        "roots": Uptake(LinearRoots(depth=700.0), Feddes(psi_3=-1500.0, psi_4=-60_000.0)),
        "initial": UniformHead(head=-3000.0),
        "specific_storage": 1e-5,
    }
    return SoilColumn(
        grid=grid or Column([20.0, 60.0, 150.0, 170.0, 250.0, 350.0], [0, 0, 0, 1, 1, 1]),
        soil=soil
        or VanGenuchten(
            theta_r=[0.06, 0.09],
            theta_s=[0.42, 0.39],
            alpha=[0.003, 0.0012],
            n=[1.8, 1.6],
            k_sat=[120.0, 40.0],
            l=[0.5, 0.4],
        ),
        policy=Adaptive() if policy is None else policy,
        **(parts | rest),
    )


def make_weather(sites=None):
    """Drying, rain that ponds and runs off, and drying again."""
    weather = Forcing(
        precipitation=[0.0, 18.0, 190.0, 0.0, 0.0, 0.0],
        potential_evaporation=[9.0, 1.0, 0.5, 4.0, 5.0, 6.0],
        transpiration=[3.0, 0.5, 0.5, 3.0, 4.0, 5.0],
    )
    if sites is None:
        return weather
    share = jnp.linspace(0.3, 1.0, sites)[:, None]
    return Forcing(
        precipitation=weather.precipitation[None] * share,
        potential_evaporation=weather.potential_evaporation[None] * share,
        transpiration=weather.transpiration[None] * share,
    )


@pytest.fixture(scope="session")
def column():
    return make_column()


@pytest.fixture(scope="session")
def weather():
    return make_weather()


@pytest.fixture(scope="session")
def course(column, weather):
    return column.run(weather)


@pytest.fixture(scope="session")
def make():
    return make_column


@pytest.fixture(scope="session")
def weather_of():
    return make_weather
