"""The water of models that have stores: whether any of it comes from nowhere.

A probe at 5 cm may see a rise in a dry spell though the balance is kept, where water moves up from
below. What cannot rise is the water of the whole soil; and what no flux explains is counted in mm.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.ensembles import VMAP, over_members
from diffhydro.coupling import Inputs, Observed
from diffhydro.coupling.fluxes import WATER
from diffhydro.coupling.hybrid import simulate
from diffhydro.evaluation import Witness, violations
from diffhydro.land.budget import budget
from experiments.global_pgdl.ground.places import OFFSET, Stations, series
from experiments.global_pgdl.judged.sites import Tested
from experiments.global_pgdl.learned.freely import Start, offset, start_windows
from experiments.global_pgdl.learned.models import CONSERVING, PB, Models, at

_DIGITS = 2  # of mm: what single precision keeps of half a metre of water


@dataclass(frozen=True, eq=False)
class Water:
    """The water of a model at the sites left out.

    Args:
        gains: Days on which the whole soil gains water in dry spells of its own, `[fold]`.
        missing: What no flux explains over the whole run, mm, `[fold]`.
    """

    gains: np.ndarray
    missing: np.ndarray


def balances(models: Models, stations: Stations, found: Tested, look_back: int) -> dict[str, Water]:
    """Look at the water of the models that have stores, at the sites left out."""
    places = stations.places
    observed = stations.observed[found.rows]
    start = start_windows(observed, places.first, look_back, places.names[found.rows])
    each = Start(start.values[:, None], start.days[:, None])
    inputs = at(places, found.rows[:, None])
    mine = models.take(found.folds)
    theta = np.asarray(jax.jit(over_members(_predicted, VMAP))(mine.pb, inputs))
    known = Inputs(inputs.series, {**inputs.attributes, OFFSET: offset(each, theta)})
    first, times = places.first, places.times
    return {
        PB: _water(mine.pb, inputs, first, times),
        CONSERVING: _water(mine.conserving, known, first, times),
    }


def _predicted(model: Observed, inputs: Inputs) -> jax.Array:
    return model(inputs)


def _water(models: Observed, inputs: Inputs, first: int, times: np.ndarray) -> Water:
    stored, fluxes, missing = _of_members(models, inputs)
    names = np.arange(len(stored)).astype(str)
    named = [
        series(np.asarray(x, np.float64)[:, 0, first:], names, times[first:])
        for x in (stored, *(fluxes[name] for name in WATER))
    ]
    water, *flowing = named
    every = Witness(missing=1.0, rising=1.0)
    rounded = water.round(_DIGITS)
    gains = violations(rounded, rounded, *flowing, witness=every)["days"].values
    return Water(gains, np.abs(np.asarray(missing))[:, 0])


@jax.jit
def _of_members(
    models: Observed, inputs: Inputs
) -> tuple[jax.Array, dict[str, jax.Array], jax.Array]:
    def one(model: Observed, inputs: Inputs) -> tuple[jax.Array, dict[str, jax.Array], jax.Array]:
        run = simulate(model.physics, inputs)
        assert run.profile is not None
        thickness = run.profile.grid.thickness[..., None, :]
        stored = jnp.sum(run.profile.theta * thickness.astype(run.profile.theta.dtype), axis=-1)
        fluxes = {name: getattr(run.fluxes, name) for name in WATER}
        return stored, fluxes, budget(run).residual

    return over_members(one, VMAP)(models, inputs)
