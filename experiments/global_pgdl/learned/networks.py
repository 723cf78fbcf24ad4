"""Step 5: DL, PGDL as published, PGDL coupled, and the variant that cannot violate the balance.

All are made for all folds at once, stacked.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.ensembles import member, stack
from diffhydro.coupling import (
    Coupled,
    Features,
    Fed,
    Observed,
    PastDriven,
    PhysicsGuided,
    StaticParameters,
    WithWater,
)
from diffhydro.coupling.fluxes import WATER
from diffhydro.data.scaling import Scaler, log_z_score
from diffhydro.land import AbstractFromBelow, NoMoreThanInflow
from diffhydro.networks import FlaxHead, Lstm, Mlp, TwoBranches
from diffhydro.networks.dropout import EveryTime
from experiments.global_pgdl.ground.folds import Member
from experiments.global_pgdl.ground.places import OFFSET, STATIC, WEATHER, Stations
from experiments.global_pgdl.preset import Conserving, Network

# Numbers that tell nothing of any fold: a middling soil, a moderate rain, a usual error.
MOISTURE, FLUX, ERROR = (0.2, 0.08), 5.0, 0.05
# No parameter of the canopy's light: by it snow would melt on other days, and water would enter the
# soil in what are dry spells of PB.
LEARNED = (
    "upland.soil.theta_s",
    "upland.soil.k_sat",
    "upland.soil.psi_sat",
    "upland.soil.b",
    "surface.canopy.conductance.g_max",
    "wetland.porosity",
    "wetland.driest",
    "wetland.drainage",
)


def scaling(stations: Stations, one: Member) -> Scaler:
    """Fit to the training sites of a fold."""
    told = stations.told.inputs
    known = {name: told.series[name][one.train] for name in WEATHER}
    known |= {name: told.attributes[name][one.train] for name in STATIC}
    known[OFFSET] = np.array([-ERROR, ERROR], np.float32)
    return Scaler.fit(known, {"precipitation": log_z_score})


def deep(stations: Stations, members: Sequence[Member], how: Network) -> PastDriven:
    """Make DL: an LSTM over past soil moisture and drivers."""
    network = Lstm(how.hidden, 1, every_time=False, dropout=EveryTime(how.dropout))
    features = 1 + len(WEATHER) + len(STATIC)
    heads = _heads(network, members, np.zeros((how.look_back, features), np.float32))

    def one(scaler: Scaler) -> PastDriven:
        drivers = Features(WEATHER, STATIC, scaler)
        return PastDriven(member(heads, 0), drivers, how.look_back, unit=MOISTURE)

    made = stack([one(scaling(stations, fold)) for fold in members])
    return eqx.tree_at(lambda m: m.head, made, heads)


def fed(stations: Stations, members: Sequence[Member], how: Network) -> PhysicsGuided:
    """Make PGDL as published: fluxes of a calibrated PB in one branch, drivers in the other."""
    network = TwoBranches(how.hidden, how.widths, dropout=how.dropout)
    window = np.zeros((how.look_back, 1 + len(WATER)), np.float32)
    today = np.zeros(len(WEATHER) + len(STATIC), np.float32)
    heads = _heads(network, members, window, today)

    def one(scaler: Scaler) -> PhysicsGuided:
        drivers = Features(WEATHER, STATIC, scaler)
        head = member(heads, 0)
        return PhysicsGuided(Fed(), head, drivers, how.look_back, unit=MOISTURE, flux_unit=FLUX)

    made = stack([one(scaling(stations, fold)) for fold in members])
    return eqx.tree_at(lambda m: m.head, made, heads)


def coupled(pb: Observed, guided: PhysicsGuided, trace: float) -> PhysicsGuided:
    """Put the calibrated physics into the graph of the network that was fed by it.

    What it predicts may rise only where its own physics lets water in.
    """
    made = Coupled(physics=pb.physics), WithWater(trace=trace)
    return eqx.tree_at(lambda m: (m.fluxes, m.rises), guided, made)


def uncoupled(models: PhysicsGuided) -> PhysicsGuided:
    """Let a coupled network read fluxes from its inputs, for a physics that has run before."""
    return eqx.tree_at(lambda m: m.fluxes, models, Fed())


def conserving(
    pb: Observed, stations: Stations, members: Sequence[Member], how: Conserving
) -> Observed:
    """Let a network move parameters of PB: what is predicted is what its stores hold.

    It reads the place, and by how much PB was off in the start window. Its top 10 cm gain no more
    than enters from above: soil moisture does not rise in a dry spell.
    """
    names = (*STATIC, OFFSET)
    network = Mlp(how.widths, len(LEARNED), start=0.05)
    heads = _heads(network, members, np.zeros(len(names), np.float32))

    def one(i: int, fold: Member) -> Observed:
        place = Features((), names, scaling(stations, fold))
        physics = eqx.tree_at(
            lambda m: m.upland.from_below, member(pb, i).physics, NoMoreThanInflow(),
            is_leaf=lambda x: isinstance(x, AbstractFromBelow),
        )  # fmt: skip
        return Observed(StaticParameters(physics, member(heads, 0), place, LEARNED), pb.instrument)

    made = stack([one(i, fold) for i, fold in enumerate(members)])
    return eqx.tree_at(lambda m: m.physics.head, made, heads)


def _heads(network: Any, members: Sequence[Member], *example: np.ndarray) -> FlaxHead:
    """Draw the weights of all members; those of one do not depend on which others there are."""

    def number(one: Member) -> int:
        return int(one.test[0]) if len(one.test) else 10_000 + one.region

    keys = [jax.random.fold_in(jax.random.key(one.seed), number(one)) for one in members]
    make = eqx.filter_vmap(lambda key: FlaxHead.create(network, *example, key=key, dtype="float32"))
    return make(jnp.stack(keys))
