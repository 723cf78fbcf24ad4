"""Parameters that sites share: one for all, one for a cluster, one for a site, mixed.

Every site keeps its own vector of free numbers; an index says which numbers of all, `[number]`,
they are. Losses of sites are averaged, and their slopes and curvatures added where they belong.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.coordinates import Coordinates
from diffhydro.calibration.objective import AbstractObjective, Lanes, Normal, Places
from diffhydro.calibration.prior import AbstractPrior
from diffhydro.calibration.problem import Calibration
from diffhydro.core.trainable import unknown
from diffhydro.errors import InputError
from diffhydro.typing import Array, Int

SITES = 256  # side by side


def numbering(
    coordinates: Coordinates,
    sites: int,
    *,
    shared: Sequence[str] = (),
    by_cluster: Sequence[str] = (),
    clusters: np.ndarray | None = None,
) -> np.ndarray:
    """Number the free numbers of all sites `[site, entry]`.

    Args:
        shared: Paths or patterns of what all sites share.
        by_cluster: Of what the sites of a cluster share; the rest is every site's own.
        clusters: A label for each site.
    """
    common, grouped = _matching(coordinates, shared), _matching(coordinates, by_cluster)
    if common & grouped:
        raise InputError(f"{', '.join(sorted(common & grouped))} is both shared and by cluster")
    if grouped and (clusters is None or len(clusters) != sites):
        raise InputError(f"{', '.join(sorted(grouped))} by cluster needs a label for each site")
    labels = np.zeros(sites, int)
    if clusters is not None:
        labels = np.unique(clusters, return_inverse=True)[1]
    index, first = np.empty((sites, len(coordinates)), int), 0
    for i, name in enumerate(coordinates.names):
        path = name.split("[")[0]
        who = np.arange(sites)
        who = np.zeros(sites, int) if path in common else labels if path in grouped else who
        index[:, i] = first + who
        first += int(who.max()) + 1
    return index


def entries(index: np.ndarray) -> np.ndarray:
    """Give the entry of a site's vector that every number of all stands for, `[number]`."""
    entry = np.empty(int(index.max()) + 1, int)
    entry[index] = np.arange(index.shape[1])
    return entry


class Together(AbstractObjective):
    """A calibration of all sites at once.

    Args:
        sites: The calibration; its prior pulls the numbers of all, once each.
        index: From `numbering`.
    """

    sites: Calibration
    index: Int[Array, "site entry"]
    prior: AbstractPrior | None
    numbers: int = eqx.field(static=True)

    def __init__(self, sites: Calibration, index: np.ndarray) -> None:
        entry = entries(index)
        # A spread may differ between entries: of a number it is that of the entry it stands for.
        self.prior = None if sites.prior is None else sites.prior.of(jnp.asarray(entry))
        self.sites = eqx.tree_at(lambda c: c.prior, sites, None, is_leaf=lambda x: x is None)
        self.index = jnp.asarray(index)
        self.numbers = len(entry)

    def before(self) -> Array:
        """Return the numbers of all before: the mean of the sites that share them."""
        each = self.sites.before()
        total = self._added(jnp.zeros(self.numbers, each.dtype), each)
        return total / self._added(jnp.zeros(self.numbers, each.dtype), jnp.ones_like(each))

    def of_sites(self, z: Lanes) -> Array:
        """Return the vectors `[site, lane, entry]` of every site."""
        return jnp.moveaxis(z[:, self.index], 0, 1)

    def loss(self, z: Lanes, site: Places) -> Array:
        """Return the mean of the sites' losses; `site` is not looked at."""
        return jax.lax.map(lambda z: jnp.mean(self._each(self.sites.loss, z)), z) + self._pull(z)

    def gradient(self, z: Lanes, site: Places) -> tuple[Array, Array]:
        """Return loss and gradient of the mean."""

        def one(z: Array) -> tuple[Array, Array]:
            losses, slopes = self._each(self.sites.gradient, z)
            return jnp.mean(losses), self._added(jnp.zeros_like(z), slopes) / len(self.index)

        loss, slope = jax.lax.map(one, z)
        pull = jax.grad(lambda z: jnp.sum(self._pull(z)))(z)
        return loss + self._pull(z), slope + pull

    def normal(self, z: Lanes, site: Places) -> Normal:
        """Return loss, gradient and curvature of the mean."""
        count = len(self.index)

        def one(z: Array) -> Normal:
            found: Normal = self._each(self.sites.normal, z)
            square = jnp.zeros((*z.shape, *z.shape), z.dtype)
            rows, columns = self.index[:, :, None], self.index[:, None, :]
            return Normal(
                jnp.mean(found.loss),
                self._added(jnp.zeros_like(z), found.gradient) / count,
                square.at[rows, columns].add(found.curvature) / count,
            )

        found = jax.lax.map(one, z)
        prior = self.prior
        if prior is None:
            return found
        pull = jax.grad(lambda z: jnp.sum(self._pull(z)))(z)
        centre = self.before().astype(z.dtype)
        bend = jax.vmap(lambda z: jnp.diag(prior.curvature(z, centre)))(z)
        return Normal(found.loss + self._pull(z), found.gradient + pull, found.curvature + bend)

    def _each(self, function: Any, z: Array) -> Any:
        """Evaluate all sites, some side by side."""
        count = len(self.index)
        rounds = -(-count // SITES)
        size = -(-count // rounds)
        # The last round is filled up with the last site, whose results are cut off.
        which = jnp.minimum(jnp.arange(rounds * size), count - 1).reshape(rounds, size)
        found = jax.lax.map(lambda site: function(z[self.index[site]], site), which)
        return jax.tree.map(lambda x: x.reshape(rounds * size, *x.shape[2:])[:count], found)

    def _added(self, to: Array, each: Array) -> Array:
        return to.at[self.index].add(each.astype(to.dtype))

    def _pull(self, z: Lanes) -> Array:
        prior = self.prior
        if prior is None:
            return jnp.zeros(z.shape[:1], z.dtype)
        centre = self.before().astype(z.dtype)
        return jax.vmap(lambda z: prior.penalty(z, centre))(z)


def _matching(coordinates: Coordinates, patterns: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        mine = {p for p in coordinates.paths if fnmatchcase(p, pattern)}
        mine |= {p for p in coordinates.paths if fnmatchcase(p, f"{pattern}.*")}
        if not mine:
            raise InputError(f"among what is calibrated, {unknown(pattern, coordinates.paths)}")
        found |= mine
    return found
