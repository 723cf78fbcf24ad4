"""A small example of every coupling, with every kind of physics that it is made for."""

from functools import cache

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.grids import Column
from diffhydro.coupling import (
    Coupled,
    DynamicParameters,
    Features,
    Fed,
    FluxClosure,
    Inputs,
    Observed,
    OutputCorrection,
    PastDriven,
    PhysicsGuided,
    Prescribed,
    Probes,
    RolledOut,
    Sequence,
    StaticParameters,
    TileParameters,
    WithWater,
    feed,
)
from diffhydro.data.scaling import Scaler
from diffhydro.land.land import Land
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.networks import FlaxHead, Mlp
from diffhydro.soil import VanGenuchten
from diffhydro.soil.pedotransfer import cosby
from diffhydro.soil.richards.fixed import Fixed
from tests.land.climates import Climate, weather

SITES, TIMES, LAG = 3, 16, 5
WEATHER = (
    "precipitation",
    "potential_evaporation",
    "temperature",
    "shortwave",
    "vapour_pressure",
    "leaf_area",
)
PLACE = ("sand", "clay")


class Branches(nn.Module):
    """Both branches of a guided network without recurrence: a window and a day."""

    @nn.compact
    def __call__(self, window, *today):
        flat = window.reshape(*window.shape[:-2], -1)
        return Mlp(hidden=(4,), out=1)(jnp.concatenate([flat, *today], axis=-1))


@cache
def inputs() -> Inputs:
    """Give three sites of different climates, 16 days, with soil moisture of the past."""
    every = [
        weather(Climate(warmth=warmth, storm=15.0), TIMES, seed=i)
        for i, warmth in enumerate((8.0, 14.0, 20.0))
    ]
    series = {name: jnp.stack([getattr(one, name) for one in every]) for name in WEATHER}
    series["transpiration"] = 0.6 * series["potential_evaporation"]
    moisture = 0.25 + 0.1 * np.sin(np.arange(SITES * TIMES).reshape(SITES, TIMES))
    place = {"sand": jnp.array([20.0, 40.0, 70.0]), "clay": jnp.array([30.0, 20.0, 10.0])}
    soil = cosby(**place)
    place |= {"k_sat": soil.k_sat, "b": soil.b}
    return Inputs({**series, "soil_moisture": jnp.asarray(moisture)}, place)


@cache
def scaler() -> Scaler:
    known = {**inputs().series, **inputs().attributes}
    return Scaler.fit({name: np.asarray(x) for name, x in known.items()})


def mlp(features: int, out: int, seed: int = 0, start: float = 1.0) -> FlaxHead:
    network = Mlp(hidden=(4,), out=out, start=start)
    return FlaxHead.create(network, jnp.zeros(features), key=jax.random.key(seed))


def place() -> Features:
    return Features(attributes=PLACE, scaling=scaler())


def days() -> Features:
    return Features(("precipitation", "temperature"), ("sand",), scaling=scaler())


def column() -> Land:
    soil = VanGenuchten(theta_r=0.07, theta_s=0.43, alpha=0.002, n=1.4, k_sat=150.0)
    grid = Column.geometric(depth=1000.0, layers=5)
    fine = Fixed(substeps=4, iterations=20, tolerance=1e-13)
    return Land(ground=SoilColumn(grid=grid, soil=soil, policy=fine))


def layers() -> Upland:
    """Give the ground of the water-balance model: it compiles in a third of the time."""
    return Upland(soil=cosby(sand=43.0, clay=18.0))


def wbm() -> WaterBalance:
    return WaterBalance(upland=layers())


# What a head learns of each physics.
PHYSICS = {
    "six layers": (layers, ("soil.k_sat", "soil.b")),
    "Richards": (column, ("ground.soil.k_sat", "ground.soil.alpha")),
}


def static(name: str = "six layers") -> StaticParameters:
    make, learns = PHYSICS[name]
    return StaticParameters(make(), mlp(2, 2), place(), learns)


def prescribed() -> Prescribed:
    """Give layers whose texture is known at each site, and so their soil."""
    return Prescribed(layers(), {"soil.k_sat": "k_sat", "soil.b": "b"})


def dynamic(name: str = "six layers") -> DynamicParameters:
    make, learns = PHYSICS[name]
    return DynamicParameters(make(), mlp(3, 2), days(), learns, reach=2.0)


def closure(name: str = "six layers") -> FluxClosure:
    make, _ = PHYSICS[name]
    layers = {"six layers": 6, "Richards": 5}[name]
    return FluxClosure(make(), mlp(1 + layers, 2))


def guided(fluxes) -> PhysicsGuided:
    shapes = jnp.zeros((LAG, 4)), jnp.zeros(3)
    head = FlaxHead.create(Branches(), *shapes, key=jax.random.key(1))
    return PhysicsGuided(fluxes=fluxes, head=head, today=days(), length=LAG)


def past_driven() -> PastDriven:
    head = FlaxHead.create(Branches(), jnp.zeros((LAG, 4)), key=jax.random.key(2))
    return PastDriven(head=head, recent=days(), length=LAG)


def correction(name: str = "six layers") -> OutputCorrection:
    return OutputCorrection(Observed(PHYSICS[name][0]()), mlp(4, 1), days())


def tile(side: int = 2) -> TileParameters:
    make, learns = PHYSICS["six layers"]
    return TileParameters(make(), mlp(2, 2), place(), learns, side=side)


def maps(side: int = 2) -> Inputs:
    """Give two tiles, under the weather of two sites."""
    given = inputs()
    rng = np.random.default_rng(0)
    place = {name: jnp.asarray(rng.uniform(10.0, 40.0, (2, side, side))) for name in PLACE}
    return Inputs({name: given.series[name][:2] for name in (*WEATHER, "transpiration")}, place)


def fed() -> Inputs:
    return feed(layers(), inputs())


# Every coupling as a predictor, and what it is driven by.
PREDICTORS = {
    **{f"static, {name}": lambda name=name: Observed(static(name)) for name in PHYSICS},
    **{f"dynamic, {name}": lambda name=name: Observed(dynamic(name)) for name in PHYSICS},
    **{f"closure, {name}": lambda name=name: Observed(closure(name)) for name in PHYSICS},
    "static and dynamic": lambda: Observed(
        DynamicParameters(static(), mlp(3, 1), days(), ("physics.soil.psi_sat",)),
        Probes((50.0, 300.0)),
    ),
    "static and closure": lambda: Observed(
        StaticParameters(closure(), mlp(2, 1), place(), ("physics.soil.b",))
    ),
    "static, from prescribed": lambda: Observed(
        StaticParameters(prescribed(), mlp(2, 1), place(), ("physics.soil.k_sat",))
    ),
    "dynamic, from prescribed": lambda: Observed(
        DynamicParameters(prescribed(), mlp(3, 1), days(), ("physics.soil.k_sat",), reach=2.0)
    ),
    "correction": correction,
    "guided, fed": lambda: guided(Fed()),
    "guided, coupled": lambda: guided(Coupled(physics=layers())),
    "guided, coupled, rises with water": lambda: eqx.tree_at(
        lambda m: m.rises, guided(Coupled(physics=layers())), WithWater(trace=0.05)
    ),
    "guided, coupled to a hybrid": lambda: guided(Coupled(physics=static())),
    "static, water balance": lambda: Observed(
        StaticParameters(wbm(), mlp(2, 1), place(), ("upland.soil.k_sat",))
    ),
    "past": past_driven,
    "past, rolled out": lambda: RolledOut(past_driven()),
    "sequence": lambda: Sequence(mlp(3, 1), days()),
    "tile": tile,
}


def driven_by(name: str) -> Inputs:
    return {"tile": maps, "guided, fed": fed}.get(name, inputs)()


def shouting(model, times: float):
    """Make the heads of a model say far too much."""

    def louder(x):
        is_head = isinstance(x, FlaxHead)
        return (
            eqx.tree_at(lambda h: h.params, x, jax.tree.map(lambda w: times * w, x.params))
            if is_head
            else x
        )

    return jax.tree.map(louder, model, is_leaf=lambda x: isinstance(x, FlaxHead))
