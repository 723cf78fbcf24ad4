"""Water is never lost: ten years of any soil, climate and parameters inside their bounds."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diffhydro.core.parameters import specs
from diffhydro.core.precision import astype
from diffhydro.land.from_below import NoMoreThanInflow
from diffhydro.land.hbv import Capillary, Hbv
from diffhydro.land.routing import GammaHydrograph
from diffhydro.land.runoff import CurveNumber, NoRunoff, SaturationPower, SubGrid
from diffhydro.land.snow import AgeingAbsorption, BiomeBgcMelt, Snowpack
from diffhydro.land.soil_evaporation import DaysSinceRain, Unlimited
from diffhydro.land.surface import Surface
from diffhydro.land.threshold import Sharp, Smooth
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.land.wetland import Wetland
from diffhydro.soil.frost import Impedance
from diffhydro.soil.pedotransfer import cosby
from diffhydro.soil.redistribution import THETA_MIN
from tests.land.climates import Climate, weather

YEARS = 10
DAYS = 365 * YEARS
DAILY = 1e-9  # mm, float64
IN_TOTAL = 0.05  # mm in ten years, float32


def water_balance(is_wetland=0.0, **rest):
    return WaterBalance(
        upland=Upland(soil=cosby(sand=43.0, clay=18.0), **rest.pop("upland", {})),
        is_wetland=is_wetland,
        **rest,
    )


MODELS = {
    "upland": water_balance,
    "upland, other laws": lambda: water_balance(
        upland={"runoff": SubGrid(), "dryness": DaysSinceRain(), "frost": Impedance(), "base": 0.3},
        surface=Surface(snow=Snowpack(melting=BiomeBgcMelt(), absorption=AgeingAbsorption())),
    ),
    "upland, sharp": lambda: water_balance(
        upland={
            "runoff": CurveNumber(),
            "dryness": Unlimited(),
            "base": 0.0,
            "from_below": NoMoreThanInflow(),
        },
        surface=Surface(snow=Snowpack(threshold=Sharp())),
    ),
    "wetland": lambda: water_balance(1.0, wetland=Wetland(freeze=Smooth(), standing=50.0)),
    "hbv": lambda: Hbv(capillary=Capillary(), routing=GammaHydrograph()),
}
climates = st.builds(
    Climate,
    latitude=st.floats(-75.0, 75.0),
    warmth=st.floats(-15.0, 28.0),
    swing=st.floats(0.0, 25.0),
    wetness=st.floats(0.0, 0.9),
    storm=st.floats(0.1, 40.0),
    leaves=st.floats(0.0, 7.0),
    humidity=st.floats(0.1, 0.9),
)


# Full soil on an impervious base, at rest: a day's rounding is then the same every day.
SODDEN = Climate(warmth=0.0, swing=0.0, wetness=0.75, storm=16.0, leaves=0.0, humidity=0.5)


@cache
def program(name, dtype):
    """Compile a run that gives the errors of every day, once per model and dtype."""
    model = astype(MODELS[name](), np.dtype(dtype))
    paths = sorted(path for path in specs(model) if path not in ("upland.saturation",))

    def errors(numbers, forcing):
        changed = eqx.tree_at(lambda m: [_reach(m, path) for path in paths], model, numbers)
        run = changed.run(forcing)
        flux = run.fluxes
        stored = jax.vmap(lambda state: _sum(changed.stores(state)))(run.states)
        before = jnp.concatenate([_sum(run.stores_before)[None], stored[:-1]])
        out = [flux.runoff, flux.evaporation, flux.transpiration, flux.drainage]
        out += [x for x in (flux.interception, flux.sublimation) if x is not None]
        return flux.precipitation, out, stored, before, run.profile

    return model, paths, jax.jit(errors)


def _reach(model, path):
    for name in path.split("."):
        model = getattr(model, name)
    return model


def _sum(stores):
    return sum(jnp.sum(x) for x in stores.values())


def _run(name, dtype, climate, seed):
    model, paths, run = program(name, dtype)
    rng = np.random.default_rng(seed)
    declared = specs(model)
    numbers = [
        jnp.full_like(_reach(model, path), declared[path].constrain(rng.uniform(-4.0, 4.0)))
        for path in paths
    ]
    forcing = weather(climate, DAYS, seed, np.dtype(dtype))
    fallen, out, stored, before, profile = run(numbers, forcing)
    wide = [np.asarray(x, np.float64) for x in (fallen, stored, before, *out)]
    fallen, stored, before, out = *wide[:3], wide[3:]
    error = fallen - sum(out) - (stored - before)
    soil = dict(zip(paths, numbers, strict=True))
    return error, profile, soil


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(climate=climates, seed=st.integers(0, 2**31))
def test_every_day_closes(name, climate, seed):
    error, profile, soil = _run(name, "float64", climate, seed)
    assert np.isfinite(error).all()
    assert np.abs(error).max() <= DAILY
    _stays_within(name, profile, soil, 1e-12)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(climate=climates, seed=st.integers(0, 2**31))
@example(climate=SODDEN, seed=1)
def test_ten_years_close_in_single_precision(name, climate, seed):
    error, profile, soil = _run(name, "float32", climate, seed)
    assert np.isfinite(error).all()
    assert abs(error.sum()) <= IN_TOTAL
    _stays_within(name, profile, soil, 1e-6)


def _stays_within(name, profile, soil, slack):
    if profile is None:
        return
    theta = np.asarray(profile.theta, np.float64)
    if name == "wetland":
        least, most = float(soil["wetland.driest"]), float(soil["wetland.porosity"])
    else:
        least, most = THETA_MIN, float(soil["upland.soil.theta_s"])
    assert theta.min() >= least - slack
    assert theta.max() <= most + slack


@pytest.mark.exhaustive
def test_no_runoff_law_still_sheds_what_cannot_enter():
    model = water_balance(upland={"runoff": NoRunoff(), "base": 0.0})
    forcing = weather(Climate(wetness=0.9, storm=30.0), 365)
    run = model.run(forcing)
    assert float(run.fluxes.runoff.sum()) > 1000.0
    power = water_balance(upland={"runoff": SaturationPower(), "base": 0.0}).run(forcing)
    assert float(power.fluxes.runoff[:60].sum()) > float(run.fluxes.runoff[:60].sum())
