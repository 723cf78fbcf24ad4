"""Gradients against differences: every declared parameter of every land model and law.

Central differences of fourth order, with a step small enough for rounding to be their error. The
weather has rain, snow, melt, drought and heat, so that every parameter acts; the seed is one where
no day lies on a kink (a limit reached to within a difference's step).
"""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import specs
from diffhydro.core.precision import astype
from diffhydro.core.timeloop import NESTED, REMAT, SOLVED
from diffhydro.land.canopy import Canopy
from diffhydro.land.forcing import Forcing
from diffhydro.land.from_below import NoMoreThanInflow
from diffhydro.land.hbv import Capillary, Hbv
from diffhydro.land.interception import ShareOfRain, SharpInterception
from diffhydro.land.potential import Hargreaves, JensenHaise, PenmanMonteith, PriestleyTaylor
from diffhydro.land.routing import GammaHydrograph
from diffhydro.land.runoff import CurveNumber, SubGrid
from diffhydro.land.snow import AgeingAbsorption, DegreeDayMelt, Snowpack
from diffhydro.land.soil_evaporation import DaysSinceRain
from diffhydro.land.surface import Surface
from diffhydro.land.threshold import Smooth
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.land.wetland import Wetland
from diffhydro.soil.frost import Impedance
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.pedotransfer import cosby
from diffhydro.soil.uptake import Feddes
from tests.land.climates import Climate, weather

RTOL = 1e-5
STEP = 3e-6  # of the value: small, so that few days lie on a kink within it
OWN_ERROR = 1e-12  # of the loss, over the step: rounding


def water_balance(is_wetland=0.0, soil=None, **rest):
    upland = Upland(soil=soil or cosby(sand=43.0, clay=18.0), base=0.8, **rest.pop("upland", {}))
    return WaterBalance(upland=upland, is_wetland=is_wetland, **rest)


GENUCHTEN = {"theta_r": 0.07, "theta_s": 0.42, "alpha": 0.002, "n": 1.5, "k_sat": 150.0}
# Stores so small that two months fill them.
SMALL = {"field_capacity": 60.0, "percolation": 0.6, "upper_threshold": 2.0, "gamma": 1.3}
MODELS = {
    "upland": lambda: water_balance(upland={"saturation": 0.45}),
    "upland, sub-grid, days since rain, frost": lambda: water_balance(
        upland={
            "runoff": SubGrid(),
            "dryness": DaysSinceRain(),
            "frost": Impedance(),
            "saturation": 0.8,
        },
        surface=Surface(
            canopy=Canopy(interception=ShareOfRain()),
            snow=Snowpack(melting=DegreeDayMelt(), absorption=AgeingAbsorption()),
        ),
    ),
    "upland, van Genuchten, Feddes, curve number": lambda: water_balance(
        soil=VanGenuchten(**GENUCHTEN),
        upland={
            "runoff": CurveNumber(),
            "stress": Feddes(),
            "from_below": NoMoreThanInflow(),
        },
        surface=Surface(canopy=Canopy(interception=SharpInterception())),
    ),
    "wetland": lambda: water_balance(
        1.0, wetland=Wetland(freeze=Smooth(), standing=20.0, deficit=60.0)
    ),
    "hbv": lambda: Hbv(
        capillary=Capillary(), routing=GammaHydrograph(), threshold=Smooth(), **SMALL
    ),
    "hbv, Penman–Monteith": lambda: Hbv(potential=PenmanMonteith(), threshold=Smooth(), **SMALL),
    "hbv, Priestley–Taylor": lambda: Hbv(potential=PriestleyTaylor(), threshold=Smooth(), **SMALL),
    "hbv, Hargreaves": lambda: Hbv(potential=Hargreaves(), **SMALL),
    "hbv, Jensen–Haise": lambda: Hbv(potential=JensenHaise(), **SMALL),
}
# What the run cannot depend on: the other soil of a cell, or a term the laws leave out.
IDLE = {
    "upland": ("wetland.",),
    "upland, sub-grid, days since rain, frost": ("wetland.",),
    "upland, van Genuchten, Feddes, curve number": ("wetland.",),
    "wetland": ("upland.",),
}


def winter_and_summer():
    """Thirty days of snow and thirty of heat."""
    year = weather(Climate(warmth=12.0, swing=15.0, storm=14.0, humidity=0.45), 220, seed=3)
    return jax.tree.map(lambda x: jnp.concatenate([x[:30], x[180:210]]), year)


@cache
def course(name):
    model = MODELS[name]()
    forcing = winter_and_summer()
    flows = ("runoff", "evaporation", "transpiration", "drainage")

    def loss(model):
        run = model.run(forcing)
        total = sum((i + 1.0) * getattr(run.fluxes, x).mean() for i, x in enumerate(flows))
        stored = sum(jnp.sum(jnp.sin(0.01 * x)) for x in run.stores_after.values())
        return total + stored

    return model, forcing, jax.jit(loss), eqx.filter_jit(eqx.filter_grad(loss))(model)


def _reach(model, path):
    for part in path.split("."):
        model = getattr(model, part)
    return model


FIRST = ("upland", "wetland", "hbv")
# The others are the same with other laws: long, and of each only what the first have not.
KNOWN = {path for name in FIRST for path in specs(MODELS[name]()) if ".soil." not in path}
CASES = [
    pytest.param(name, path, marks=() if name in FIRST else pytest.mark.slow)
    for name, make in MODELS.items()
    for path in specs(make())
    if name in FIRST or path not in KNOWN
]


@pytest.mark.parametrize(("name", "path"), CASES)
def test_every_parameter(name, path):
    model, _, loss, gradient = course(name)
    value = _reach(model, path)
    found = float(_reach(gradient, path))

    def at(x):
        return float(loss(eqx.tree_at(lambda m: _reach(m, path), model, jnp.asarray(x))))

    h = STEP * max(abs(float(value)), 0.1)
    one, two = (at(value + k * h) - at(value - k * h) for k in (1, 2))
    wanted = (8.0 * one - two) / (12.0 * h)
    assert found == pytest.approx(wanted, rel=RTOL, abs=OWN_ERROR * abs(at(value)) / h)
    acts = not path.startswith(IDLE.get(name, ()))
    assert found != 0.0 or not acts, f"{path} does nothing in this test, which then shows nothing"


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["upland", "hbv"])
def test_memory_does_not_change_a_gradient(name):
    model, forcing, _, _ = course(name)
    gradients = []
    for memory in (SOLVED, REMAT, NESTED):

        def loss(model, memory=memory):
            return model.run(forcing, memory=memory).fluxes.runoff.mean()

        gradients.append(eqx.filter_grad(loss)(model))
    first, *others = map(jax.tree.leaves, gradients)
    for a, b in ((a, b) for other in others for a, b in zip(first, other, strict=True)):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


EDGES = {
    "no rain": {"precipitation": 0.0},
    "no leaves": {"leaf_area": 0.0},
    "no light": {"shortwave": 0.0, "daylight": 0.0, "extraterrestrial": 0.0},
    "frozen": {"temperature": -25.0, "vapour_pressure": 50.0},
    "hot and dry": {"temperature": 38.0, "vapour_pressure": 300.0, "precipitation": 0.0},
    "flood": {"precipitation": 300.0},
    "dry soil": {"precipitation": 0.0},
    "full soil": {"precipitation": 20.0},
}


@cache
def slope(name, dtype):
    """Compile the gradient of a run once per model and dtype."""

    @eqx.filter_jit
    @eqx.filter_value_and_grad
    def slope(parts):
        model, forcing = parts
        run = model.run(forcing)
        return sum(jnp.sum(x) for x in run.stores_after.values()) + run.fluxes.runoff.sum()

    return slope


@pytest.mark.slow
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize(
    "name",
    [
        # Of variants, what the first models have not is walked by the exhaustive suite.
        pytest.param(n, marks=[pytest.mark.exhaustive] if "," in n else [])
        for n in MODELS
        if not n.startswith("hbv,")
    ],
)
def test_gradients_are_finite_at_the_edges(name, edge):
    dtype = "float32"  # the harder of the two
    model = MODELS[name]()
    if edge in ("dry soil", "full soil") and isinstance(model, WaterBalance):
        start = 0.05 if edge == "dry soil" else 1.0
        model = eqx.tree_at(lambda m: m.upland.saturation, model, jnp.asarray(start))
    forcing = weather(Climate(), 20)
    changed = {k: jnp.full_like(getattr(forcing, k), v) for k, v in EDGES[edge].items()}
    series = {k: v for k, v in vars(forcing).items() if k != "step"}
    forcing = astype(Forcing(**(series | changed)), np.dtype(dtype))
    value, gradient = slope(name, dtype)((astype(model, np.dtype(dtype)), forcing))
    assert np.isfinite(value)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        assert np.isfinite(leaf).all(), jax.tree_util.keystr(path)
