"""HBV over 1600 columns and two years, forward and with its gradient; and how both grow with time.

The yardstick is a loop with nothing in it but one leaking bucket: what a scan over this weather
costs at least on this machine, in the same run.
"""

from functools import partial

import jax
import jax.numpy as jnp

from benchmarks.harness import Report, Row, Scale, compiled, take_turns
from benchmarks.weather import random_weather
from diffhydro.core.parameters import specs
from diffhydro.core.timeloop import NESTED, PLAIN
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Hbv

COLUMNS, DAYS = 1600, 730
FORWARD, BOTH = 60e6, 15e6  # column-days/s
GROWTH = 1.1
MB = 1e6


def measure(scale: Scale) -> Report:
    every = random_weather(COLUMNS, DAYS)
    weather = Forcing(
        every.precipitation, every.potential_evaporation, temperature=every.temperature
    )
    model = _models(COLUMNS)
    forward, first = compiled(_outflow, model, weather)
    both, second = compiled(_slope, model, weather)
    bucket, _ = compiled(_bucket, weather)
    turns = scale.pick(9, 5)
    programs = {
        "forward": lambda _: forward(model, weather),
        "both": lambda _: both(model, weather),
        "yardstick": lambda _: bucket(weather),
    }
    times = take_turns(turns, programs)
    work = COLUMNS * DAYS
    rate = {name: work / times.median(name) for name in programs}
    rows = [
        Row("forward", rate["forward"] / 1e6, FORWARD / 1e6, True, "M column-days/s"),
        Row("forward + gradient", rate["both"] / 1e6, BOTH / 1e6, True, "M column-days/s"),
        Row("forward over the yardstick's time", times.ratio("forward", "yardstick")),
    ]
    notes = [
        f"{COLUMNS} columns × {DAYS} days, float32, 16 parameters a column, memory nested",
        f"yardstick: one leaking bucket, {rate['yardstick'] / 1e6:.0f} M column-days/s",
    ]
    rows += _growth(scale, notes)
    return Report(rows, notes, {"HBV, forward": first, "HBV, with gradient": second})


def _growth(scale: Scale, notes: list[str]) -> list[Row]:
    """Compare ten years with one."""
    columns = 200
    seconds, memory = {}, {}
    for days in (365, 3650):
        every = random_weather(columns, days, seed=1)
        weather = Forcing(
            every.precipitation, every.potential_evaporation, temperature=every.temperature
        )
        parts = _models(columns), weather
        program, _ = compiled(_slope, *parts)
        run = partial(program, *parts)
        times = take_turns(scale.pick(5, 3), {"run": lambda _, run=run: run()})
        seconds[days] = times.median("run")
        memory[days] = program.memory_analysis().temp_size_in_bytes
    exponent = float(jnp.log10(seconds[3650] / seconds[365]))
    notes.append(
        f"gradient of {columns} columns: {memory[365] / MB:.1f} MB over one year, "
        f"{memory[3650] / MB:.1f} MB over ten"
    )
    return [
        Row("exponent of the gradient's time, one to ten years", exponent, GROWTH, unit=""),
        Row("memory, ten years over one (√10 = 3.2)", memory[3650] / memory[365]),
    ]


def _models(columns: int) -> Hbv:
    one = Hbv()
    return jax.tree.map(lambda x: jnp.full(columns, x, "float32"), one)


def _outflow(model: Hbv, weather: Forcing, memory=PLAIN):
    run = model.simulate(weather, by_site=sorted(specs(model)), columns=None, memory=memory)
    return run.fluxes.runoff


def _slope(model: Hbv, weather: Forcing):
    def misfit(model):
        return jnp.mean(_outflow(model, weather, NESTED) ** 2)

    return jax.value_and_grad(misfit)(model)


def _bucket(weather: Forcing):
    def step(store, rain):
        out = 0.1 * store
        return store + rain - out, out

    rain = weather.precipitation.T
    return jax.lax.scan(step, jnp.zeros_like(rain[0]), rain)[1]
