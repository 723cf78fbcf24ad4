"""Step 6: all folds of a kind are trained as one program."""

import functools
from collections.abc import Mapping, Sequence
from typing import TypeVar

import jax
import numpy as np
import optax

from diffhydro.core.ensembles import VMAP
from diffhydro.coupling import Observed, PastDriven, PhysicsGuided
from diffhydro.coupling.fluxes import WATER
from diffhydro.training import DryingOnly, Objective, Optimizer, Term, fit_ensemble, mse
from experiments.global_pgdl.ground.folds import Member
from experiments.global_pgdl.ground.places import Stations
from experiments.global_pgdl.learned.physics import CALIBRATED
from experiments.global_pgdl.learned.stretches import STATIONS, Stretches
from experiments.global_pgdl.preset import Conserving, Coupling, Network

OBJECTIVE = Objective({"moisture": Term(mse(STATIONS))})
Ahead = TypeVar("Ahead", PastDriven, PhysicsGuided)
_LOWEST = 0.05  # of the rate, at the end of its cosine


def train_ahead(
    models: Ahead,
    stations: Stations,
    members: Sequence[Member],
    how: Network,
    given: Mapping[str, np.ndarray] | None = None,
) -> Ahead:
    """Train models that look back, one day ahead, with an observed past.

    Args:
        given: Series of each member, `[member, site, time]`, such as the fluxes of its PB.
    """
    windows = Stretches(
        stations, members, how.length, how.look_back, how.size, how.steps, given=given or {},
        error=how.error,
    )  # fmt: skip
    rate = optax.cosine_decay_schedule(how.rate, how.steps, alpha=_LOWEST)
    gently = functools.partial(optax.adamw, weight_decay=how.decay)
    return fit_ensemble(
        models, windows, OBJECTIVE, key=_keys(members), epochs=1, train="head",
        optimizer=Optimizer(rate, kind=gently, clip=1.0),
    ).last_model  # fmt: skip


def train_coupled(
    models: PhysicsGuided,
    stations: Stations,
    members: Sequence[Member],
    how: Coupling,
    error: float,
    fluxes: Mapping[str, np.ndarray],
) -> PhysicsGuided:
    """Train network and physics together, from where each of them was.

    Args:
        error: By which the past is moved, m³/m³.
        fluxes: Of the calibrated PB, `[member, site, time]`: they tell when a spell is dry.
    """
    windows = Stretches(
        stations, members, how.length, how.warm_up, how.size, how.steps, given=fluxes, error=error,
        reaches_back=True,
    )  # fmt: skip
    rates = {"parameters": how.physics_rate, "networks": how.rate}
    return fit_ensemble(
        models, windows, _with_drying(how), key=_keys(members), epochs=1, how=VMAP,
        train=["head", *(f"fluxes.physics.{path}" for path in CALIBRATED)],
        optimizer=Optimizer(rates, clip=1.0),
    ).last_model  # fmt: skip


def _with_drying(how: Coupling) -> Objective:
    rises = DryingOnly(WATER[0], WATER[1:], trace=how.trace)
    return Objective({**OBJECTIVE.terms, "drying": Term(rises, how.drying)})


def train_conserving(
    models: Observed,
    stations: Stations,
    members: Sequence[Member],
    how: Conserving,
    simulated: np.ndarray,
    look_back: int,
) -> Observed:
    """Train the network that moves parameters.

    Args:
        simulated: What PB says at all sites, `[member, site, time]`.
        look_back: Days of the start window.
    """
    windows = Stretches(
        stations, members, how.length, how.warm_up, how.size, how.steps, simulated=simulated,
        look_back=look_back, reaches_back=True,
    )  # fmt: skip
    rate = optax.cosine_decay_schedule(how.rate, how.steps, alpha=_LOWEST)
    gently = functools.partial(optax.adamw, weight_decay=how.decay)
    return fit_ensemble(
        models, windows, OBJECTIVE, key=_keys(members), epochs=1, how=VMAP, train="physics.head",
        optimizer=Optimizer(rate, kind=gently, clip=1.0),
    ).last_model  # fmt: skip


def _keys(members: Sequence[Member]) -> jax.Array:
    return jax.random.split(jax.random.key(members[0].seed), len(members))
