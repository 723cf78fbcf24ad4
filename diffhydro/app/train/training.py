"""Train all folds and seeds of a configuration, as one program."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from diffhydro.app.train.build import (
    batches_of,
    model_of,
    objective_of,
    optimizer_of,
    trained_paths,
)
from diffhydro.app.train.config import TrainConfig
from diffhydro.app.train.folds import folds_of, stops_by
from diffhydro.app.train.table import Table
from diffhydro.core.ensembles import member, stack
from diffhydro.core.model_file import FILE, save
from diffhydro.data.batches import Batches
from diffhydro.data.splits import Fold
from diffhydro.errors import InputError
from diffhydro.training import (
    MemberBatches,
    Stop,
    TrainedEnsemble,
    Validation,
    computing_in,
    fit_ensemble,
)

MODELS = "models"


@dataclass(frozen=True)
class Member:
    """One network: of a fold, and of a seed."""

    fold: Fold
    seed: int

    @property
    def name(self) -> str:
        """What it is called in files."""
        return f"{self.fold.name}, seed {self.seed}"


@dataclass(frozen=True)
class Outcome:
    """A training that has ended."""

    members: tuple[Member, ...]
    trained: TrainedEnsemble

    def model(self, i: int) -> Any:
        """Give the best model of a member."""
        return member(self.trained.model, i)


def members_of(config: TrainConfig, table: Table) -> tuple[Member, ...]:
    """Give every fold with every seed."""
    training = config.training
    seeds = range(training.seed, training.seed + training.seeds)
    return tuple(Member(fold, s) for fold in folds_of(config.hold_out, table) for s in seeds)


def train(
    config: TrainConfig,
    table: Table,
    *,
    out: Path | None = None,
    saver: Any = None,
    on_epoch: Any = None,
) -> Outcome:
    """Train; with a saver that has some of this run, go on from there."""
    members = members_of(config, table)
    models, batches, held = [], [], []
    for one in members:
        key = jax.random.key(one.seed)
        model = model_of(config, table, one.fold.train, key)
        models.append(computing_in(model, _low(config)))
        batches.append(_cut(config, table, one, "train"))
        held.append(None if stops_by(one.fold) is None else _cut(config, table, one, "validate"))
    together = MemberBatches.of(batches)
    epochs = config.training.epochs
    found = fit_ensemble(
        stack(models),
        together,
        objective_of(config),
        key=jax.random.key(config.training.seed),
        epochs=epochs,
        train=trained_paths(config.training),
        optimizer=optimizer_of(config.training, max(1, epochs * len(together))),
        validation=_validation(held),
        stop=Stop(patience=config.training.patience),
        out=out,
        saver=saver,
        on_epoch=on_epoch,
        told=_told(config, members),
    )
    return Outcome(members, found)


def keep_models(config: TrainConfig, outcome: Outcome, out: Path) -> None:
    """Write one model file, and where there are several models one of each."""
    told = _told(config, outcome.members)
    if len(outcome.members) == 1:
        save(out / FILE, outcome.model(0), told | {"members": None})
        return
    save(out / FILE, outcome.trained.model, told)
    (out / MODELS).mkdir(exist_ok=True)
    for i, one in enumerate(outcome.members):
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in one.name)
        save(out / MODELS / f"{name}.dh", outcome.model(i), told | {"members": None})


def _told(config: TrainConfig, members: tuple[Member, ...]) -> dict[str, Any]:
    return {"config": config.model_dump(mode="json"), "members": [one.name for one in members]}


def _low(config: TrainConfig) -> str | None:
    precision = config.training.precision
    return None if precision == "float32" else precision


def _cut(config: TrainConfig, table: Table, one: Member, use: str) -> Batches:
    fold = one.fold
    part = fold.train if use == "train" else stops_by(fold)
    assert part is not None
    found = batches_of(config, table, part, fold.test, one.seed)
    if len(found) == 0:
        seen = int(np.isfinite(table.observed.values[part.sites]).sum())
        raise InputError(
            f"fold {fold.name} has no window of {config.windows.length} days to {use} on: its "
            f"{len(part.sites)} sites have {seen} observations; shorter windows, or fewer folds, "
            "leave more"
        )
    return found


def _validation(held: list[Batches | None]) -> Validation | None:
    there = [one for one in held if one is not None]
    return Validation(MemberBatches.of(there)) if len(there) == len(held) else None
