"""Steps 4 and 5: all folds of a kind train as one program, and run freely where they never were."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from diffhydro.core.ensembles import member as member_of
from diffhydro.core.ensembles import stack
from diffhydro.coupling import AbstractPredictor, Features, Inputs, Observed
from diffhydro.data.scaling import Scaler, log_z_score
from diffhydro.data.start_windows import StartWindows
from diffhydro.training import Optimizer, fit_ensemble
from experiments.global_pgdl.real.members import Member
from experiments.global_pgdl.real.networks import Kind
from experiments.global_pgdl.real.physics import OBJECTIVE, PB
from experiments.global_pgdl.real.places import OBSERVED, TEXTURE
from experiments.global_pgdl.real.settings import Start
from experiments.global_pgdl.real.windows import DrawnWindows

if TYPE_CHECKING:
    import xarray as xr

Series = Mapping[str, np.ndarray]
_LOWEST = 0.02  # of the rate, at the end of its cosine
_WARM = 10  # one part in so many of the steps, in which the rate rises


@dataclass(frozen=True, eq=False)
class Bench:
    """Sites, folds, and the physics of each fold.

    Args:
        sites: From `places`.
        pb: Calibrated, stacked.
        water: What it holds and moves, `[member, site, time]`.
    """

    sites: "xr.Dataset"
    members: tuple[Member, ...]
    start: Start
    pb: Observed
    water: Series

    def train(self, kind: Kind, seed: int) -> Any:
        """Train a model of a kind for each fold; give them stacked."""
        members = tuple(replace(one, seed=seed) for one in self.members)
        windows = DrawnWindows(
            members,
            kind.how,
            {name: self.sites[name].values for name in kind.series if name in self.sites},
            self.sites[OBSERVED].values,
            {name: self.sites[name].values for name in TEXTURE},
            {name: self.water[name] for name in kind.series if name in self.water},
            self._started(kind, seed),
        )
        keys = [jax.random.fold_in(jax.random.key(seed), one.fold) for one in members]
        models = [
            kind.make(member_of(self.pb, i), _known(kind, windows, i), kind.how, keys[i])
            for i in range(len(members))
        ]
        how, low = kind.how, _LOWEST * kind.how.rate
        rate = optax.warmup_cosine_decay_schedule(
            0.0, how.rate, 1 + how.steps // _WARM, 1 + how.steps, low
        )
        gently = functools.partial(optax.adamw, weight_decay=how.decay)
        return fit_ensemble(
            stack(models), windows, OBJECTIVE, key=jnp.stack(keys), epochs=1, how=kind.side_by_side,
            train=["*head*"], optimizer=Optimizer(rate, gently, clip=1.0),
        ).last_model  # fmt: skip

    def tested(self, kind: Kind, models: Any) -> np.ndarray:
        """Run each fold freely at its test sites, `[site, time]`."""
        found = np.empty(self.sites[OBSERVED].shape, np.float32)
        for number, one in enumerate(self.members):
            if len(one.test):
                there = self.sites.isel(site=one.test)
                water = {name: x[number][one.test] for name, x in self.water.items()}
                model = member_of(models, number)
                found[one.test] = free_run(kind, model, there, water, self.start)
        return found

    def _started(self, kind: Kind, seed: int) -> dict[str, np.ndarray]:
        told = [
            described(kind, self.sites, {name: x[i] for name, x in self.water.items()}, self.start)
            for i in range(len(self.members))
        ]
        windows, data = told[0]
        starts = windows.drawn(data, self.start.draws, seed=seed)
        each = [windows.describe(data, starts) for windows, data in told]
        return {name: np.stack([one[name] for one in each]) for name in each[0]}


def free_run(
    kind: Kind, model: AbstractPredictor, sites: "xr.Dataset", water: Series, start: Start
) -> np.ndarray:
    """Run a model through the whole record of sites, told of nothing but their start windows.

    Args:
        water: What PB holds and moves there, `[site, time]`.
    """
    return np.asarray(_said(model, told(kind, sites, water, start)))


def told(kind: Kind, sites: "xr.Dataset", water: Series, start: Start) -> Inputs:
    """Give what a model is told of sites: the whole record, and their start windows."""
    windows, data = described(kind, sites, water, start)
    known = windows.describe(data, windows.first(data))
    series = {
        name: jnp.asarray(sites[name].values if name in sites else water[name])
        for name in kind.series
    }
    fixed = {name: sites[name].values for name in TEXTURE} | known
    return Inputs(series, {name: jnp.asarray(x) for name, x in fixed.items()})


def described(
    kind: Kind, sites: "xr.Dataset", water: Series, start: Start
) -> tuple[StartWindows, "xr.Dataset"]:
    """Give how a kind describes start windows, and the data it does it with."""
    windows = StartWindows(OBSERVED, kind.along, start.days, start.least)
    mine = {PB: (("site", "time"), water[PB])} if PB in kind.along else {}
    return windows, sites[[n for n in (OBSERVED, *kind.along) if n in sites]].assign(mine)


@eqx.filter_jit
def _said(model: AbstractPredictor, inputs: Inputs) -> jax.Array:
    return model(inputs)


def _known(kind: Kind, windows: DrawnWindows, number: int) -> Features:
    """Scale by the training sites of a fold what its networks read."""
    train = windows.members[number].train
    place = (*windows.fixed, *windows.started)
    held = {n: x[train] for n, x in {**windows.series, **windows.fixed}.items()}
    held |= {n: x[number][train] for n, x in {**windows.own, **windows.started}.items()}
    mine = {name: held[name] for name in (*kind.reads, *place)}
    laws = {name: log_z_score for name in mine if name.startswith("precipitation")}
    return Features(kind.reads, place, Scaler.fit(mine, laws))
