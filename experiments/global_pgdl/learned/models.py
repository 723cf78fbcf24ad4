"""All models of all folds: trained in five programs, asked in five."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from diffhydro.coupling import Inputs, Observed, PastDriven, PhysicsGuided
from experiments.global_pgdl.ground.folds import Member
from experiments.global_pgdl.ground.places import Places, Stations
from experiments.global_pgdl.learned import networks, physics, training
from experiments.global_pgdl.learned.freely import Start, rolled, run
from experiments.global_pgdl.learned.once import Once
from experiments.global_pgdl.preset import Network, Preset

PB, DL, FED, COUPLED, CONSERVING = (
    "PB", "DL", "PGDL fed", "PGDL coupled", "PGDL conserving",
)  # fmt: skip
KINDS = (PB, DL, FED, COUPLED, CONSERVING)
Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Models:
    """Models of all members, stacked."""

    pb: Observed
    dl: PastDriven
    fed: PhysicsGuided
    coupled: PhysicsGuided
    conserving: Observed

    def take(self, rows: np.ndarray) -> "Models":
        """Keep some members."""
        every = (self.pb, self.dl, self.fed, self.coupled, self.conserving)
        return Models(*(jax.tree.map(lambda x: x[rows], one) for one in every))


def train(
    stations: Stations, members: Sequence[Member], preset: Preset, out: Path, report: Report
) -> Models:
    """Calibrate PB, then train what stands on it; what lies in `out` already is read.

    Args:
        out: The folder of the run.
    """
    both, alone = preset.coupling, preset.conserving
    folds = [(one.kind, one.region, one.seed, *one.train, -1, *one.test) for one in members]
    own = () if preset.network_fed is None else (preset.network_fed,)
    once = Once.of(out, preset, *own, folds, stations.observed)
    report(f"calibrating PB for {len(members)} folds")
    pb = once(PB, lambda: physics.calibrated(stations, members, preset.physics, preset.depth))
    every = np.tile(np.arange(len(stations)), (len(members), 1))
    simulated, fluxes = physics.water(pb, at(stations.told, every))

    report("training DL")
    dl = once(DL, lambda: train_deep(stations, members, preset.network))
    report("training PGDL, fed")
    fed = once(FED, lambda: train_fed(stations, members, preset.guided, fluxes))
    report("training PGDL, coupled")
    start = networks.coupled(pb, fed, both.trace)
    coupled = once(
        COUPLED,
        lambda: training.train_coupled(start, stations, members, both, preset.guided.error, fluxes),
    )
    report("training PGDL, conserving")
    first = networks.conserving(pb, stations, members, alone)
    conserving = once(
        CONSERVING,
        lambda: training.train_conserving(
            first, stations, members, alone, simulated, preset.look_back
        ),
    )
    return Models(pb, dl, fed, coupled, conserving)


def train_deep(stations: Stations, members: Sequence[Member], how: Network) -> PastDriven:
    """Train DL."""
    models = networks.deep(stations, members, how)
    return training.train_ahead(models, stations, members, how)


def train_fed(
    stations: Stations, members: Sequence[Member], how: Network, fluxes: Mapping[str, np.ndarray]
) -> PhysicsGuided:
    """Train PGDL as published.

    Args:
        fluxes: Of the PB of each member, `[member, site, time]`.
    """
    models = networks.fed(stations, members, how)
    return training.train_ahead(models, stations, members, how, fluxes)


@dataclass(frozen=True, eq=False)
class Said:
    """Predictions `[member, site, time]` by kind of model, and the fluxes of PB."""

    moisture: dict[str, np.ndarray]
    fluxes: dict[str, np.ndarray]


def predict(
    models: Models, inputs: Inputs, start: Start, first: int, kinds: Collection[str] = KINDS
) -> Said:
    """Run models freely from a start window.

    Args:
        inputs: Of each member, `[member, site, time]`.
        start: Likewise, `[member, site, lag]`.
        first: The first day that counts.
        kinds: Those that are wanted; PB runs anyway.
    """
    pb, fluxes = physics.water(models.pb, inputs)
    given = Inputs({**inputs.series, **fluxes}, inputs.attributes)
    runs = {
        PB: lambda: pb,
        DL: lambda: rolled(models.dl, inputs, start, first),
        FED: lambda: rolled(models.fed, given, start, first),
        COUPLED: lambda: rolled_coupled(models.coupled, inputs, start, first),
        CONSERVING: lambda: run(models.conserving, inputs, start, pb),
    }
    return Said({kind: runs[kind]() for kind in KINDS if kind in kinds}, fluxes)


def rolled_coupled(models: PhysicsGuided, inputs: Inputs, start: Start, first: int) -> np.ndarray:
    """Run the coupled model: its physics from the first day of all, its network from `first`."""
    within = Observed(models.fluxes.physics)  # pyright: ignore[reportAttributeAccessIssue]
    _, fluxes = physics.water(within, inputs)
    given = Inputs({**inputs.series, **fluxes}, inputs.attributes)
    return rolled(networks.uncoupled(models), given, start, first)


def at(places: Places, rows: np.ndarray) -> Inputs:
    """Give the inputs at rows `[member, site]`."""
    return jax.tree.map(lambda x: x[rows], places.inputs)
