"""The water-balance model over 1600 columns: a six-layer solve 24 times a day.

The yardstick is a loop of as many sub-steps with nothing in it but the three transcendentals that a
layer cannot do without.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.harness import Report, Row, Scale, compiled, take_turns
from benchmarks.weather import random_weather
from diffhydro.core.precision import astype
from diffhydro.core.timeloop import PLAIN, SOLVED
from diffhydro.land.forcing import Forcing
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil.pedotransfer import cosby

COLUMNS = 1600
BATCH = 400
FORWARD = 0.4e6  # column-days/s
RATIO = 3.0
SUBSTEPS, LAYERS = 24, 6


def measure(scale: Scale) -> Report:
    days = scale.pick(730, 60)
    weather = random_weather(COLUMNS, days)
    model = make(COLUMNS)
    forward, first = compiled(_moisture, model, weather)
    both, second = compiled(_slope, model, weather)
    yardstick, _ = compiled(lambda x: _transcendentals(x, days), jnp.full((6, BATCH), 0.5))
    programs = {
        "forward": lambda _: forward(model, weather),
        "both": lambda _: both(model, weather),
        "yardstick": lambda _: yardstick(jnp.full((6, BATCH), 0.5)),
    }
    times = take_turns(scale.pick(3, 3), programs)
    work = COLUMNS * days
    rate = {name: work / times.median(name) for name in ("forward", "both")}
    share = times.ratio("yardstick", "forward") * COLUMNS / BATCH
    rows = [
        Row("forward", rate["forward"] / 1e6, FORWARD / 1e6, True, "M column-days/s"),
        Row("(forward + gradient) / forward", times.ratio("both", "forward"), RATIO),
        Row("rate reached / allowed by 3 transcendentals a layer", share),
    ]
    notes = [
        f"{COLUMNS} columns × {days} days, {BATCH} side by side, float32; "
        f"{rate['both'] / 1e6:.2f} M column-days/s with the gradient, which keeps what was solved",
    ]
    return Report(rows, notes, {"WBM, forward": first, "WBM, with gradient": second})


def make(columns: int, seed: int = 0) -> WaterBalance:
    """Make upland cells of random texture."""
    rng = np.random.default_rng(seed)
    sand = jnp.asarray(rng.uniform(10.0, 80.0, columns))
    clay = jnp.asarray(rng.uniform(5.0, 20.0, columns))
    return astype(WaterBalance(upland=Upland(soil=cosby(sand, clay))), "float32")


def _moisture(model: WaterBalance, weather: Forcing, memory=PLAIN):
    run = model.simulate(weather, by_site="upland.soil", columns=BATCH, memory=memory)
    return run.theta[..., 0]


def _slope(model: WaterBalance, weather: Forcing):
    def misfit(soil):
        upland = Upland(soil=soil, grid=model.upland.grid)
        changed = WaterBalance(upland, model.wetland, model.surface, model.is_wetland)
        return jnp.mean(_moisture(astype(changed, "float32"), weather, SOLVED) ** 2)

    return jax.value_and_grad(misfit)(model.upland.soil)


def _transcendentals(x, days: int):
    def step(x, _):
        s = jnp.log(x)
        return 0.5 * (jnp.exp(s) + jnp.exp(-s) * x * x), None

    return lax.scan(step, x, None, length=days * SUBSTEPS)[0]
