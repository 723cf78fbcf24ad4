"""Windows of training sites, each with what one start window of its site tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from diffhydro.coupling import Inputs
from diffhydro.data.batches import AbstractBatches
from diffhydro.errors import InputError
from diffhydro.training import Rows, Sample
from experiments.global_pgdl.real.members import Member
from experiments.global_pgdl.real.settings import Network, Physics

SOURCE = "stations"
NOISE = 0.02  # m³/m³, added to a site's standard deviation: what no probe is better than


@dataclass(frozen=True, eq=False)
class DrawnWindows(AbstractBatches):
    """Batches `[member, window, time]`; all members take equally many steps.

    The weight of an observation is one over the variance of its site, so that quiet sites count.

    Args:
        series: Of all members, `[site, time]`.
        own: Of each member, `[member, site, time]`.
        fixed: Attributes, `[site]`.
        started: What start windows tell, `[member, site, draw]`.
        observed: `[site, time]`, NaN where nothing was.
    """

    members: Sequence[Member]
    how: Network | Physics
    series: Mapping[str, np.ndarray]
    observed: np.ndarray
    fixed: Mapping[str, np.ndarray] = field(default_factory=dict)
    own: Mapping[str, np.ndarray] = field(default_factory=dict)
    started: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days = self.observed.shape[1]
        if self.how.length > days:
            raise InputError(
                f"windows of {self.how.length} days of a record of {days}; make them shorter"
            )

    def __len__(self) -> int:
        return self.how.steps

    def epoch(self, number: int) -> np.ndarray:
        """Draw the windows of all batches, `[batch, member, window]`, as site · days + first."""
        days = self.observed.shape[1]
        shape = len(self), self.how.size
        made = []
        for one in self.members:
            rng = np.random.default_rng([number, one.seed, one.fold])
            sites = rng.choice(one.train, shape)
            made.append(sites * days + rng.integers(0, days - self.how.length + 1, shape))
        return np.stack(made, axis=1)

    def read(self, which: np.ndarray) -> Rows:
        """Cut windows."""
        sites, firsts = np.divmod(which, self.observed.shape[1])
        at, row = firsts[..., None] + np.arange(self.how.length), sites[..., None]
        member = np.arange(len(which))[:, None]
        series = {name: x[row, at] for name, x in self.series.items()}
        series |= {name: x[member[..., None], row, at] for name, x in self.own.items()}
        fixed = {name: x[sites] for name, x in self.fixed.items()}
        for name, x in self.started.items():
            drawn = np.random.default_rng([7, int(which.sum())]).integers(
                0, x.shape[-1], sites.shape
            )
            fixed[name] = x[member, sites, drawn]
        seen = self.observed[row, at]
        there = np.isfinite(seen) & (np.arange(self.how.length) >= self.how.warm_up)
        spread = np.nanstd(self.observed, axis=1)[sites] + NOISE
        weight = np.where(there, (0.1 / spread[..., None]) ** 2, 0.0).astype(np.float32)
        told = np.where(there, seen, np.float32(0.0))
        sample = Sample(Inputs(series, fixed), {SOURCE: told}, {SOURCE: weight})
        return Rows(sample, np.ones(which.shape, bool))
