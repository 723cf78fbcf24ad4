"""What a calibration found: every start at every site, and the best of them."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.coordinates import on_bound, position
from diffhydro.calibration.problem import ERRORS, Calibration
from diffhydro.calibration.search import CAPPED, CONVERGED, STUCK
from diffhydro.core.trainable import put
from diffhydro.land.model import AbstractModel
from diffhydro.typing import Array

_AT_ONCE = 256


@dataclass(frozen=True)
class Fitted:
    """Searches that have ended.

    Attributes:
        problem: What was fitted.
        z: Free numbers `[site, start, entry]`.
        loss: `[site, start]`.
        status: `[site, start]`, see `search.ENDINGS`.
        evaluations: `[site, start]`.
        course: The lowest loss so far, `[site, start, round]`; NaN after the end.
        reasons: Why a site has no result, by its number.
    """

    problem: Calibration
    z: np.ndarray
    loss: np.ndarray
    status: np.ndarray
    evaluations: np.ndarray
    course: np.ndarray
    reasons: dict[int, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what was fitted."""
        return self.problem.coordinates.names

    @property
    def ended_well(self) -> np.ndarray:
        """Which searches `[site, start]` found a place."""
        ended = np.isin(self.status, (CONVERGED, STUCK, CAPPED))
        return np.logical_and(ended, np.isfinite(self.loss))

    @property
    def is_fitted(self) -> np.ndarray:
        """Which sites have a result."""
        return np.any(self.ended_well, axis=1)

    @property
    def best(self) -> np.ndarray:
        """The start of lowest loss of every site."""
        return np.argmin(np.where(self.ended_well, self.loss, np.inf), axis=1)

    @property
    def best_z(self) -> np.ndarray:
        """The free numbers of the best start `[site, entry]`; those before where nothing ended."""
        best = np.take_along_axis(self.z, self.best[:, None, None], axis=1)[:, 0]
        return np.where(self.is_fitted[:, None], best, np.asarray(self.problem.before()))

    @property
    def best_loss(self) -> np.ndarray:
        """The loss of the best start; NaN where nothing ended."""
        lowest = np.take_along_axis(self.loss, self.best[:, None], axis=1)[:, 0]
        return np.where(self.is_fitted, lowest, np.nan)

    @property
    def values(self) -> np.ndarray:
        """The fitted values `[site, entry]`."""
        return self.problem.coordinates.table(self.best_z)

    @property
    def positions(self) -> np.ndarray:
        """Where they lie between their bounds, 0 to 1."""
        return position(self.best_z)

    @property
    def on_bound(self) -> np.ndarray:
        """Which `[site, entry]` sit on the lower (−1) or the upper bound (1)."""
        return on_bound(self.best_z) * self.problem.coordinates.is_bounded

    def numbers(self) -> dict[str, Array]:
        """Return what differs between sites after the fit, `[site, ...]`, by path."""
        z = jnp.asarray(self.best_z)
        fitted = jax.vmap(self.problem.coordinates.values)(z)
        all_of_them = self.problem.own | fitted
        return {p: x for p, x in all_of_them.items() if not p.startswith(f"{ERRORS}.")}

    def model(self) -> tuple[AbstractModel, tuple[str, ...]]:
        """Return the model of all sites, and what of it is by site, for `simulate`."""
        numbers = self.numbers()
        return put(self.problem.model, numbers), tuple(numbers)

    def site_model(self, site: int) -> AbstractModel:
        """Return the model of one site."""
        return self.problem.model_at(jnp.asarray(self.best_z[site]), site)

    def curvature(self) -> np.ndarray:
        """Return the Gauss–Newton curvature `[site, entry, entry]` of the loss."""
        count = len(self.best_z)
        parts = []
        for first in range(0, count, _AT_ONCE):
            # One shape serves all: the last sites are repeated, and cut off.
            which = np.minimum(first + np.arange(min(_AT_ONCE, count)), count - 1)
            found = _curvature(self.problem, jnp.asarray(self.best_z[which]), jnp.asarray(which))
            parts.append(np.asarray(found)[: count - first])
        return np.concatenate(parts)


def correlation(curvature: np.ndarray) -> np.ndarray:
    """Return correlations of free numbers, NaN where the loss does not feel one of them.

    The curvature's inverse is proportional to their covariance where the fit is good.
    """
    out = np.full(curvature.shape, np.nan)
    for found, bend in zip(out.reshape(-1, *out.shape[-2:]), _squares(curvature), strict=True):
        felt = np.diag(bend) > 1e-10 * np.abs(bend).max()
        if not felt.any():
            continue
        part = bend[np.ix_(felt, felt)]
        root = np.sqrt(np.diag(part))
        inverse = np.linalg.pinv(part / np.outer(root, root), hermitian=True, rcond=1e-9)
        spread = np.sqrt(np.maximum(np.diag(inverse), np.finfo(float).tiny))
        found[np.ix_(felt, felt)] = inverse / np.outer(spread, spread)
    return out


def _squares(curvature: np.ndarray) -> np.ndarray:
    return curvature.reshape(-1, *curvature.shape[-2:]).astype(np.float64)


@eqx.filter_jit
def _curvature(problem: Calibration, z: Array, site: Array) -> Any:
    return problem.normal(z, site).curvature
