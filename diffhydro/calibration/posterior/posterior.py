"""A posterior that is normal in the free numbers of every site.

    z ~ N(ẑ, Σ),   Σ = R Rᵀ,   p = constrain(z)

Quantiles of a parameter are those of its free number, since one increases with the other. How much
the data say of an entry is told by the width of its interval, beside that of the prior, on the
parameter's own scale: logarithmic where it is declared so.
"""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.coordinates import position
from diffhydro.calibration.posterior.bands import Interval, deviations
from diffhydro.calibration.problem import Calibration
from diffhydro.errors import InputError
from diffhydro.typing import Array

LEVEL = 0.9  # of intervals, unless said otherwise
_HALF = 0.5  # of the prior's width: an interval wider than that does not identify a parameter


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of every site's parameters.

    Attributes:
        problem: With the prior that was used.
        z: The mode `[site, entry]`; NaN at a site without a posterior.
        root: R `[site, entry, entry]`, a square root of the covariance.
        prior_mean: `[site, entry]`.
        prior_deviation: `[site, entry]`.
        log_evidence: ln p(observations) `[site]`, to compare models of the same observations.
        distance: From where the search ended to where Gauss–Newton believes the mode to be, in
            standard deviations `[site]`. Above about a tenth the search had not ended.
        reasons: What is to be known of a site, by its number.
        notes: What is to be known of all.
    """

    problem: Calibration
    z: np.ndarray
    root: np.ndarray
    prior_mean: np.ndarray
    prior_deviation: np.ndarray
    log_evidence: np.ndarray
    distance: np.ndarray
    reasons: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the entries."""
        return self.problem.coordinates.names

    @property
    def is_there(self) -> np.ndarray:
        """Which sites have a posterior."""
        return np.all(np.isfinite(self.root), axis=(1, 2))

    @property
    def covariance(self) -> np.ndarray:
        """Σ `[site, entry, entry]`, of free numbers."""
        return self.root @ np.swapaxes(self.root, 1, 2)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviations of free numbers `[site, entry]`."""
        return np.sqrt(np.sum(self.root**2, axis=2))

    @property
    def correlation(self) -> np.ndarray:
        """Correlations of free numbers `[site, entry, entry]`."""
        outer = self.deviation[:, :, None] * self.deviation[:, None, :]
        return self.covariance / outer

    @property
    def degrees(self) -> np.ndarray:
        """How many parameters the data determine `[site]`: tr(1 − Σ Σ_prior⁻¹), Rodgers 2000."""
        return np.sum(1.0 - (self.deviation / self.prior_deviation) ** 2, axis=1)

    @property
    def values(self) -> np.ndarray:
        """The parameters at the mode `[site, entry]`, which are their medians too."""
        return self.problem.coordinates.table(self.z)

    def interval(self, level: float = LEVEL) -> Interval:
        """Return credible intervals `[site, entry]` in the units of the parameters."""
        return self._interval(self.z, self.deviation, level)

    def prior_interval(self, level: float = LEVEL) -> Interval:
        """Return the same intervals before any observation."""
        return self._interval(self.prior_mean, self.prior_deviation, level)

    def relative_width(self, level: float = LEVEL) -> np.ndarray:
        """Return the width of intervals over that of the prior's `[site, entry]`.

        Both on the declared scale of the parameter, between its bounds.
        """
        after, before = self.interval(level), self.prior_interval(level)
        return self.placed(after).width / self.placed(before).width

    def is_identified(self, level: float = LEVEL, most: float = _HALF) -> np.ndarray:
        """Tell which `[site, entry]` the data determine.

        Those whose interval is at most half as wide as the prior's. A parameter that is known to
        be near a bound counts as identified, although its free number may be anywhere beyond.
        """
        return self.relative_width(level) <= most

    def draw(self, count: int, *, key: Array) -> np.ndarray:
        """Draw free numbers `[member, site, entry]`."""
        if count < 1:
            raise InputError(f"count is {count}; draw at least one member")
        noise = np.asarray(jax.random.normal(key, (count, *self.z.shape)), np.float64)
        return self.z + np.einsum("sij,msj->msi", self.root, noise)

    def placed(self, values: Interval) -> Interval:
        """Return where on its scale a parameter lies: 0 to 1 between two bounds, else as it is."""
        return Interval(*(self._placed(np.asarray(x)) for x in values))

    def _placed(self, values: np.ndarray) -> np.ndarray:
        out = np.array(values, np.float64)
        coordinates = self.problem.coordinates
        for i in np.flatnonzero(coordinates.is_bounded):
            free = coordinates.specs[i].free(jnp.asarray(out[..., i]))
            out[..., i] = position(np.asarray(free))
        return out

    def _interval(self, z: np.ndarray, deviation: np.ndarray, level: float) -> Interval:
        table, wide = self.problem.coordinates.table, deviations(level) * deviation
        return Interval(table(z - wide), table(z + wide))
