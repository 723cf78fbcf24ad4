"""What the physics costs inside a training step: study A's network fed, and coupled.

Both steps see 64 sites of a year. The fed one reads the fluxes of a water balance that ran before;
the coupled one runs it, and passes gradients through it to its parameters.
"""

import jax
import jax.numpy as jnp
import optax

from benchmarks.harness import Report, Row, Scale, compiled, take_turns
from benchmarks.water_balance import make
from benchmarks.weather import random_weather
from diffhydro.core.precision import astype
from diffhydro.core.trainable import merge, split
from diffhydro.coupling import Coupled, Features, Fed, Inputs, PhysicsGuided, feed
from diffhydro.land.surface import Surface
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.networks import FlaxHead, TwoBranches
from diffhydro.soil.pedotransfer import cosby

SITES, LAG, HIDDEN, WIDTHS = 64, 14, 64, (32,)
COSTS = 4.0
SERIES = ("precipitation", "shortwave", "temperature", "vapour_pressure", "leaf_area")


def measure(scale: Scale) -> Report:
    days = scale.pick(365, 60)
    inputs = _inputs(days)
    physics = astype(
        WaterBalance(upland=Upland(soil=cosby(43.0, 18.0)), surface=Surface()), "float32"
    )
    fed = feed(physics, inputs)
    programs, first = {}, {}
    for name, fluxes, given in (
        ("fed", Fed(), fed),
        ("coupled", Coupled(physics=physics), inputs),
    ):
        step, arguments = _step(fluxes, given)
        program, seconds = compiled(step, *arguments)
        programs[name] = lambda _, program=program, arguments=arguments: program(*arguments)
        first[f"training step, {name}"] = seconds
    alone, seconds = compiled(_physics_alone, physics, inputs)
    programs["physics"] = lambda _: alone(physics, inputs)
    first["water balance, with gradient"] = seconds
    times = take_turns(scale.pick(7, 3), programs)
    rows = [
        Row("a coupled step / a fed one", times.ratio("coupled", "fed"), COSTS),
        Row("water balance and its gradient alone / a fed step", times.ratio("physics", "fed")),
        Row("a fed step", times.median("fed"), unit="core-s"),
    ]
    notes = [
        f"{SITES} sites × {days} days, windows of {LAG} days every day, LSTM of {HIDDEN}, float32"
    ]
    return Report(rows, notes, first)


def _inputs(days: int) -> Inputs:
    weather = random_weather(SITES, days)
    series = {name: getattr(weather, name).astype("float32") for name in SERIES}
    moisture = 0.25 + 0.1 * jax.random.normal(jax.random.key(0), (SITES, days))
    soil = make(SITES).upland.soil
    return Inputs(
        {**series, "soil_moisture": moisture.astype("float32")},
        {"theta_s": soil.theta_s.astype("float32"), "b": soil.b.astype("float32")},
    )


def _step(fluxes, inputs: Inputs):
    features = Features(SERIES, ("theta_s", "b"))
    example = jnp.zeros((LAG, 1 + len(fluxes.names))), jnp.zeros(features.count)
    head = FlaxHead.create(
        TwoBranches(HIDDEN, WIDTHS), *example, key=jax.random.key(1), dtype=jnp.float32
    )
    model = PhysicsGuided(fluxes=fluxes, head=head, today=features, length=LAG)
    free, frozen = split(model, train="*")
    optimizer = optax.adam(1e-3)

    def step(free, state, inputs):
        def misfit(free):
            said = merge(free, frozen)(inputs)
            return jnp.mean((said - inputs.series["soil_moisture"])[:, LAG:] ** 2)

        value, slope = jax.value_and_grad(misfit)(free)
        change, state = optimizer.update(slope, state, free)
        return optax.apply_updates(free, change), state, value

    return step, (free, optimizer.init(free), inputs)


def _physics_alone(physics, inputs: Inputs):
    free, frozen = split(physics, train="*")

    def total(free):
        return jnp.sum(Coupled(physics=merge(free, frozen))(inputs))

    return jax.value_and_grad(total)(free)
