"""Draws from the posterior itself, by chains, and whether they can be trusted."""

from dataclasses import dataclass

import numpy as np

from diffhydro.calibration.posterior.bands import Interval, check_levels
from diffhydro.calibration.posterior.posterior import LEVEL
from diffhydro.calibration.problem import Calibration
from diffhydro.errors import InputError


@dataclass(frozen=True, eq=False)
class Chains:
    """Draws from the posteriors of some sites.

    Attributes:
        problem: Whose posterior it is.
        sites: Numbers of the sites.
        z: Free numbers `[site, chain, draw, entry]`.
        divergent: Share of draws whose trajectory lost its energy `[site, chain]`; any at all say
            that a corner was not reached.
        acceptance: Mean over draws `[site, chain]`.
        steps: Gradients per draw `[site, chain]`.
        r_hat: Of halves of chains `[site, entry]`.
        effective: Effective number of draws `[site, entry]`.
    """

    problem: Calibration
    sites: np.ndarray
    z: np.ndarray
    divergent: np.ndarray
    acceptance: np.ndarray
    steps: np.ndarray
    r_hat: np.ndarray
    effective: np.ndarray

    @property
    def all_draws(self) -> np.ndarray:
        """Draws of all chains `[member, site, entry]`."""
        sites, _, _, entries = self.z.shape
        return np.moveaxis(self.z, 0, 2).reshape(-1, sites, entries)

    @property
    def mean(self) -> np.ndarray:
        """Means of free numbers `[site, entry]`."""
        return self.z.mean(axis=(1, 2))

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviations of free numbers `[site, entry]`."""
        return self.z.std(axis=(1, 2), ddof=1)

    def members(self, count: int) -> np.ndarray:
        """Return some draws, evenly spaced along the chains, `[member, site, entry]`."""
        every = self.all_draws
        if not 1 <= count <= len(every):
            raise InputError(f"count is {count}; there are 1 to {len(every)} draws to take")
        return every[np.linspace(0, len(every) - 1, count).round().astype(int)]

    def interval(self, level: float = LEVEL) -> Interval:
        """Return credible intervals `[site, entry]` in the units of the parameters."""
        (level,) = check_levels([level])
        ends = np.quantile(self.all_draws, [0.5 - 0.5 * level, 0.5 + 0.5 * level], axis=0)
        return Interval(*self.problem.coordinates.table(ends))

    def converged(self, most: float = 1.01, least: float = 100.0) -> np.ndarray:
        """Tell which sites have R̂ and effective draws of every entry as they should be."""
        mixed, enough = self.r_hat <= most, self.effective >= least
        return np.all(mixed & enough, axis=1)
