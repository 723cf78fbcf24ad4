"""A world in which attributes make the soil, and models that have to find out how.

Eighty uplands under weather of all kinds. Texture gives the soil by a pedotransfer function, and
its saturated conductivity depends on the share of stones as well, by a law that no model is told.
Probes at 5 cm see the truth with an error of 0.02.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr

from diffhydro.core.precision import astype
from diffhydro.core.trainable import put
from diffhydro.coupling import Features, Observed, Sequence, StaticParameters
from diffhydro.data.batches import Batches, Shuffled, Source, Windows
from diffhydro.data.scaling import Scaler, log_z_score
from diffhydro.data.splits.fold import Part
from diffhydro.land.forcing import Forcing
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.networks import FlaxHead, Lstm, Mlp
from diffhydro.soil.pedotransfer import cosby
from diffhydro.training.batch_losses import mse
from diffhydro.training.fit import Optimizer, fit
from diffhydro.training.objective import Objective, Term
from tests.land.climates import Climate, weather

TRAIN, UNSEEN, DAYS, WARM_UP = 60, 20, 730, 90
ERROR = 0.02
SERIES = ("precipitation", "temperature", "shortwave", "vapour_pressure", "leaf_area")
PLACE = ("sand", "clay", "stones")
SOIL = ("k_sat", "theta_s", "psi_sat", "b")


def physics() -> WaterBalance:
    """Give the model that nobody calibrated: one soil everywhere."""
    return astype(WaterBalance(upland=Upland(soil=cosby(sand=43.0, clay=18.0))), "float32")


@cache
def world() -> tuple[xr.Dataset, np.ndarray, np.ndarray]:
    """Give weather, attributes and what probes saw; true conductivities; soil moisture itself."""
    rng = np.random.default_rng(5)
    sites = TRAIN + UNSEEN
    every = [
        weather(
            Climate(
                warmth=rng.uniform(6.0, 22.0),
                wetness=rng.uniform(0.15, 0.45),
                storm=rng.uniform(5.0, 14.0),
                leaves=rng.uniform(0.5, 4.0),
            ),
            DAYS,
            seed=i,
        )
        for i in range(sites)
    ]
    sand, clay = rng.uniform(10.0, 80.0, sites), rng.uniform(5.0, 20.0, sites)
    stones = rng.uniform(0.0, 1.0, sites)
    soil = cosby(jnp.asarray(sand), jnp.asarray(clay))
    conductivity = soil.k_sat * jnp.exp(2.0 * jnp.sin(3.0 * jnp.asarray(stones)) - 1.0)
    truth = {name: getattr(soil, name) for name in SOIL[1:]} | {"k_sat": conductivity}
    model = put(physics(), {f"upland.soil.{k}": x.astype("float32") for k, x in truth.items()})
    series = {name: np.stack([np.asarray(getattr(one, name)) for one in every]) for name in SERIES}
    forcing = Forcing(**{name: jnp.asarray(x, "float32") for name, x in series.items()})
    true = Observed(model)
    run = model.simulate(forcing, by_site=[f"upland.soil.{name}" for name in truth])
    moisture = np.asarray(true.instrument(run), np.float64)
    held = {name: (("site", "time"), x) for name, x in series.items()}
    seen = moisture + rng.normal(0.0, ERROR, moisture.shape)
    held["soil_moisture"] = ("site", "time"), seen
    fixed = {"sand": sand, "clay": clay, "stones": stones}
    held |= {name: ("site", x) for name, x in fixed.items()}
    time = np.datetime64("2001-01-01") + np.arange(DAYS)
    dataset = xr.Dataset(held, {"site": np.arange(sites), "time": time.astype("datetime64[ns]")})
    return dataset, np.asarray(conductivity), moisture


def batches(size: int = 20, sites: range = range(TRAIN)) -> Batches:
    part = Part((), np.asarray(sites))
    source = Source.of(world()[0], forcing=SERIES, attributes=PLACE, part=part)
    return Batches.of(source, Windows(DAYS, WARM_UP), size, Shuffled(1))


def scaler() -> Scaler:
    """Fit to the sites of training."""
    mine = world()[0].isel(site=slice(TRAIN))
    known = {name: mine[name].values for name in (*SERIES, *PLACE)}
    return Scaler.fit(known, {"precipitation": log_z_score})


def hybrid() -> Observed:
    head = FlaxHead.create(
        Mlp(hidden=(16, 16), out=4, start=0.1), jnp.zeros(3), key=jax.random.key(0), dtype="float32"
    )
    learns = [f"upland.soil.{name}" for name in SOIL]
    features = Features(attributes=PLACE, scaling=scaler())
    return Observed(StaticParameters(physics(), head, features, learns))


def network() -> Sequence:
    seen = world()[0]["soil_moisture"].values[:TRAIN]
    head = FlaxHead.create(
        Lstm(hidden=32, out=1), jnp.zeros((9, 8)), key=jax.random.key(0), dtype="float32"
    )
    features = Features(SERIES, PLACE, scaling=scaler())
    return Sequence(head, features, mean=float(seen.mean()), spread=float(seen.std()))


def trained(model, epochs: int, rate: float):
    objective = Objective({"moisture": Term(mse("observed"))})
    steps = epochs * len(batches())
    optimizer = Optimizer(optax.cosine_decay_schedule(rate, steps), clip=1.0)
    found = fit(
        model, batches(), objective, key=jax.random.key(1), epochs=epochs, train=["*head*"],
        optimizer=optimizer,
    )  # fmt: skip
    return found
