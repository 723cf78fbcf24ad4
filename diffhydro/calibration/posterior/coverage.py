"""Do bands hold what they promise? The share of observations inside, beside the nominal one.

Only observations that the calibration has not seen say so: `unseen` leaves out the others.
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.calibration.posterior.bands import LEVELS, Bands, check_levels
from diffhydro.calibration.posterior.posterior import Posterior
from diffhydro.calibration.problem import Calibration
from diffhydro.errors import InputError


@dataclass(frozen=True, eq=False)
class Coverage:
    """How often intervals held what they should.

    Attributes:
        levels: Nominal probabilities.
        share: Of what lay inside `[level, group]`, NaN for a group without any; groups are sites,
            or parameters.
        count: How many there were `[group]`.
    """

    levels: tuple[float, ...]
    share: np.ndarray
    count: np.ndarray

    @property
    def pooled(self) -> np.ndarray:
        """The share of all together `[level]`: with `levels`, the calibration curve."""
        inside = np.where(self.count > 0, self.share, 0.0) * self.count
        return inside.sum(axis=1) / self.count.sum()

    @property
    def worst(self) -> float:
        """The largest difference between pooled and nominal shares."""
        return float(np.abs(self.pooled - self.levels).max())


def coverage(bands: Bands, held_out: np.ndarray) -> Coverage:
    """Return how often held-out observations lay in bands of observations.

    Args:
        held_out: `[site, time]`, NaN where there is nothing.
    """
    held_out = np.asarray(held_out)
    if held_out.shape != bands.centre.shape:
        raise InputError(
            f"held-out observations have shape {held_out.shape}, the bands {bands.centre.shape}; "
            "both are [site, time] of the calibration"
        )
    # A site without a posterior has no band, and nothing lies inside or outside of it.
    held_out = np.where(np.isfinite(bands.centre), held_out, np.nan)
    count = np.isfinite(held_out).sum(axis=1)
    if not count.any():
        raise InputError("no observation is held out; leave some out of the targets, as NaN")
    return _coverage(bands.levels, bands.observed.holds(held_out).sum(axis=2), count)


def unseen(problem: Calibration, name: str, observed: np.ndarray) -> np.ndarray:
    """Return the observations `[site, time]` that a calibration has not used for a target."""
    names = [target.name for target in problem.targets]
    if name not in names:
        raise InputError(f"there is no target {name!r}; there are {', '.join(names)}")
    used = np.isfinite(np.asarray(problem.targets[names.index(name)].observed))
    return np.where(used, np.nan, np.asarray(observed))


def parameter_coverage(
    posterior: Posterior, truth: np.ndarray, levels: tuple[float, ...] = LEVELS
) -> Coverage:
    """Return how often credible intervals held the truth, in a twin experiment.

    Args:
        truth: Values of the parameters `[site, entry]`; NaN where it is not known.

    Returns:
        Shares of sites, by entry.
    """
    levels = check_levels(levels)
    truth = np.where(posterior.is_there[:, None], np.asarray(truth, np.float64), np.nan)
    if truth.shape != posterior.z.shape or not np.isfinite(truth).any():
        raise InputError(f"truth has shape {truth.shape}; expected numbers {posterior.z.shape}")
    inside = np.stack([posterior.interval(x).holds(truth).sum(axis=0) for x in levels])
    return _coverage(levels, inside, np.isfinite(truth).sum(axis=0))


def _coverage(levels: tuple[float, ...], inside: np.ndarray, count: np.ndarray) -> Coverage:
    share = np.where(count > 0, inside / np.maximum(count, 1), np.nan)
    return Coverage(levels, share, count)
