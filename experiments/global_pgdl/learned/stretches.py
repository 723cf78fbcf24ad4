"""Stretches of days, drawn for every fold from its own training sites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from diffhydro.coupling import Inputs
from diffhydro.data.batches import AbstractBatches
from diffhydro.errors import InputError
from diffhydro.training import Rows, Sample
from experiments.global_pgdl.ground.folds import Member
from experiments.global_pgdl.ground.places import OFFSET, PAST, Stations

STATIONS = "stations"


@dataclass(frozen=True, eq=False)
class Stretches(AbstractBatches):
    """Batches `[member, window, time]`; all members take equally many steps.

    Args:
        length: Days of a window.
        warm_up: Its first days, which are not compared.
        size: Windows of a batch.
        steps: Batches.
        given: Series that each member has of its own, `[member, site, time]`.
        simulated: What PB says, `[member, site, time]`; then windows carry an attribute, by how
            much it is off on `look_back` days of the site, drawn anywhere in its record.
        error: Standard deviation of what the past is moved by, m³/m³: a model that runs on its own
            predictions has a wrong past, and learns here to come back from one.
        reaches_back: Whether windows may begin in the days of spin-up.
    """

    stations: Stations
    members: Sequence[Member]
    length: int
    warm_up: int
    size: int
    steps: int
    seed: int = 0
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    simulated: np.ndarray | None = None
    look_back: int = 1
    error: float = 0.0
    reaches_back: bool = False

    def __post_init__(self) -> None:
        days = len(self.stations.places.times)
        if self._earliest + self.length > days:
            raise InputError(
                f"windows of {self.length} days do not fit into the {days - self._earliest} days "
                "of the record; make them shorter"
            )

    def __len__(self) -> int:
        return self.steps

    def epoch(self, number: int) -> np.ndarray:
        """Draw the windows of all batches, `[batch, member, window]`, as site · days + start."""
        days = len(self.stations.places.times)
        made = np.empty((self.steps, len(self.members), self.size), np.int64)
        for i, one in enumerate(self.members):
            rng = np.random.default_rng([self.seed, number, one.seed, i])
            sites = rng.permuted(np.tile(one.train, (self.steps * self.size, 1)), axis=1)[:, 0]
            starts = rng.integers(self._earliest, days - self.length + 1, len(sites))
            made[:, i] = (sites * days + starts).reshape(self.steps, self.size)
        return made

    def read(self, which: np.ndarray) -> Rows:
        """Cut windows."""
        days = len(self.stations.places.times)
        sites, starts = which // days, which % days
        at = starts[..., None] + np.arange(self.length)
        row = sites[..., None]
        told = self.stations.told.inputs
        series = {name: x[row, at] for name, x in told.series.items()}
        series[PAST] = self.stations.past[row, at] + self._moved(which)
        member = np.arange(len(self.members))[:, None, None]
        series |= {name: x[member, row, at] for name, x in self.given.items()}
        fixed = {name: x[sites] for name, x in told.attributes.items()}
        if self.simulated is not None:
            fixed[OFFSET] = self._offset(sites, which)
        labels = self.stations.labels[row, at]
        there = np.isfinite(labels) & (np.arange(self.length) >= self.warm_up)
        observed = np.where(there, labels, np.float32(0.0))
        sample = Sample(
            Inputs(series, fixed), {STATIONS: observed}, {STATIONS: there.astype(np.float32)}
        )
        return Rows(sample, np.ones(which.shape, bool))

    def _offset(self, sites: np.ndarray, which: np.ndarray) -> np.ndarray:
        assert self.simulated is not None
        days = len(self.stations.places.times)
        rng = np.random.default_rng([self.seed, 1, int(which.sum())])
        starts = rng.integers(self.stations.places.first, days - self.look_back + 1, sites.shape)
        at, row = starts[..., None] + np.arange(self.look_back), sites[..., None]
        member = np.arange(len(self.members))[:, None, None]
        off = self.stations.past[row, at] - self.simulated[member, row, at]
        return off.mean(axis=-1, dtype=np.float32)

    def _moved(self, which: np.ndarray) -> np.ndarray:
        """Draw an error for each window: it lasts, as that of a free run does."""
        rng = np.random.default_rng([self.seed, int(which.sum())])
        return (self.error * rng.standard_normal((*which.shape, 1))).astype(np.float32)

    @property
    def _earliest(self) -> int:
        first = self.stations.places.first
        return max(0, first - self.warm_up) if self.reaches_back else first
