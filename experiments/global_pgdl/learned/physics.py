"""Step 4: PB, the water-balance model, calibrated on the training sites of every fold."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax

from diffhydro.calibration.sets import UPLAND, WETLAND
from diffhydro.core.ensembles import VMAP, over_members, stack
from diffhydro.core.precision import astype
from diffhydro.coupling import Inputs, Observed, Probe
from diffhydro.coupling.fluxes import WATER
from diffhydro.coupling.hybrid import simulate
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil.pedotransfer import cosby
from diffhydro.training import Objective, Optimizer, Term, fit_ensemble, mse
from experiments.global_pgdl.ground.folds import Member
from experiments.global_pgdl.ground.places import Stations
from experiments.global_pgdl.learned.stretches import STATIONS, Stretches
from experiments.global_pgdl.preset import Physics

_AT_ONCE = 64  # members whose trajectories are in memory together
CALIBRATED = tuple(dict.fromkeys((*UPLAND, *WETLAND)))  # the sheet's two sets


def uncalibrated(stations: Stations, member: Member, how: Physics, depth: float) -> Observed:
    """Give the model before calibration: the mean texture of the training sites."""
    known = stations.places.inputs.attributes
    sand, clay = (float(known[name][member.train].mean()) for name in ("sand", "clay"))
    wet = float(known["is_wetland"][member.train].mean() > 0.5)
    upland = Upland(soil=cosby(sand=sand, clay=clay), steps_per_day=how.sub_steps)
    model = WaterBalance(upland=upland, is_wetland=jnp.asarray(wet))
    return Observed(astype(model, "float32"), Probe(depth))


def calibrated(
    stations: Stations, members: Sequence[Member], how: Physics, depth: float
) -> Observed:
    """Calibrate all folds, stacked: parameters are shared by the sites of a fold."""
    models = stack([uncalibrated(stations, one, how, depth) for one in members])
    windows = Stretches(
        stations, members, how.length, how.warm_up, how.size, how.steps, reaches_back=True
    )
    rate = optax.cosine_decay_schedule(how.rate, how.steps, alpha=0.05)
    found = fit_ensemble(
        models,
        windows,
        Objective({"moisture": Term(mse(STATIONS))}),
        key=jax.random.key(0),
        epochs=1,
        how=VMAP,
        train=[f"physics.{path}" for path in CALIBRATED],
        optimizer=Optimizer(rate, clip=1.0),
    )
    return found.last_model


@jax.jit
def _of_members(models: Observed, inputs: Inputs) -> tuple[jax.Array, dict[str, jax.Array]]:
    def one(model: Observed, inputs: Inputs) -> tuple[jax.Array, dict[str, jax.Array]]:
        run = simulate(model.physics, inputs)
        return model.instrument(run), {name: getattr(run.fluxes, name) for name in WATER}

    return over_members(one, VMAP)(models, inputs)


def water(models: Observed, inputs: Inputs) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Give soil moisture and fluxes `[member, site, time]` of models run from the first day.

    Args:
        inputs: Of each member, `[member, site, time]`.
    """
    count = len(inputs.series["precipitation"])
    parts = []
    for first in range(0, count, _AT_ONCE):
        # One shape for all: the last members are repeated, and cut off.
        rows = np.minimum(first + np.arange(min(_AT_ONCE, count)), count - 1)
        some = jax.tree.map(lambda x, rows=rows: x[rows], (models, inputs))
        kept = count - first
        parts.append(jax.tree.map(lambda x, kept=kept: np.asarray(x)[:kept], _of_members(*some)))
    theta, fluxes = jax.tree.map(lambda *x: np.concatenate(x), *parts)
    return theta, fluxes
