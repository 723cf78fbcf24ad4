"""Sums of squares whose minima are known, many of them in one compiled program."""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.independent import Found, line_up, search
from diffhydro.calibration.objective import AbstractObjective, Normal
from diffhydro.typing import Array

Function = Callable[[Array], Array]


class Squares(AbstractObjective):
    """The sum of the squares of a function of free numbers and of the place."""

    residuals: Callable[[Array, Array], Array] = eqx.field(static=True)

    def loss(self, z, site):
        return jax.vmap(self._one)(z, site)

    def gradient(self, z, site):
        return jax.vmap(jax.value_and_grad(self._one))(z, site)

    def normal(self, z, site):
        loss, gradient = self.gradient(z, site)
        jacobian = jax.vmap(jax.jacfwd(self.residuals))(z, site)
        return Normal(loss, gradient, 2.0 * jnp.einsum("lrj,lrk->ljk", jacobian, jacobian))

    def _one(self, z, site):
        return jnp.sum(self.residuals(z, site) ** 2)


def each(functions: Sequence[Function]) -> Squares:
    """Give every place a function of its own."""
    return Squares(lambda z, site: jax.lax.switch(site, list(functions), z))


def descend(problem: AbstractObjective, method, starts, lanes=256) -> Found:
    """Search from one start at each place."""
    starts, place = jnp.asarray(starts), np.arange(len(starts))
    return search(problem, method, starts, place, line_up(method, starts, place, lanes))


def bowl(matrix, centre, floor=1.0) -> Function:
    """Return residuals of |A (z − c)|² + floor."""
    matrix, centre = np.asarray(matrix), np.asarray(centre)

    def residuals(z):
        moved = (z - centre.astype(z.dtype))[None]
        # A matrix product would round by how many lanes there are.
        found = jnp.sum(matrix.astype(z.dtype) * moved, axis=1)
        return jnp.append(found, jnp.full_like(z[:1], floor**0.5))

    return residuals


def banana(z):
    """Rosenbrock (1960): a valley that bends towards (1, 1); the third number is not felt."""
    return jnp.stack([10.0 * (z[1] - z[0] ** 2), 1.0 - z[0], *[0.0 * z[0]] * (len(z) - 1)])


def logarithm(z):
    """A root at e⁻² − 1, and no number from −1 downwards, where steep steps lead."""
    # Guarded, so that a place with another function does not get this one's slope.
    is_one = z[:1] > -1.0
    found = jnp.where(is_one, jnp.log(jnp.where(is_one, 1.0 + z[:1], 1.0)) + 2.0, jnp.nan)
    return jnp.append(found, 0.0 * z)


def nothing(z):
    """No number anywhere."""
    return jnp.append(jnp.full_like(z[:1], jnp.nan), z)
