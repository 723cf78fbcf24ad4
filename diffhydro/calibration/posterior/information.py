"""What the data say of free numbers near a place: the curvature of −ln likelihood.

    model × model     2 Jᵀ J, Gauss–Newton, from forward mode through the model
    errors × any      ∂²L/∂z∂z′, exact: what depends on σ, its growth and φ is the loss alone

Parameters of errors need the exact one. Gauss–Newton counts of ln σ only what moves the residuals,
n, and not the logarithm beside them; the information is 2n, and σ would look √2 times as uncertain.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.objective import Normal
from diffhydro.calibration.posterior.rounds import LANES, in_rounds
from diffhydro.calibration.problem import ERRORS, Calibration
from diffhydro.typing import Array


class Local(NamedTuple):
    """−ln likelihood near some places, in float64."""

    loss: np.ndarray  # [lane]
    slope: np.ndarray  # [lane, entry]
    curvature: np.ndarray  # [lane, entry, entry]


def information(
    problem: Calibration, z: np.ndarray, site: np.ndarray, *, lanes: int = LANES
) -> Local:
    """Return loss, slope and curvature of the data alone, without the prior.

    Args:
        z: Places `[lane, entry]`.
        site: Of each.
    """
    data = without_prior(problem)
    found = in_rounds(lambda z, site: _information(data, z, site), z, site, lanes=lanes)
    return Local(*(np.asarray(x, np.float64) for x in found))


def without_prior(problem: Calibration) -> Calibration:
    """Return the likelihood of a problem."""
    return eqx.tree_at(lambda p: p.prior, problem, None, is_leaf=lambda x: x is None)


@eqx.filter_jit
def _information(data: Calibration, z: Array, site: Array) -> Normal:
    found = data.normal(z, site)
    is_error = np.array([name.startswith(f"{ERRORS}.") for name in data.coordinates.names])
    if not is_error.any():
        return found
    rows = _error_slopes(data, z, site)
    columns = jnp.swapaxes(rows, 1, 2)
    exact = jnp.where(is_error[None, None, :], rows, columns)
    either = is_error[:, None] | is_error[None, :]
    return found._replace(curvature=jnp.where(either[None], exact, found.curvature))


def _error_slopes(data: Calibration, z: Array, site: Array) -> Array:
    """Differentiate the slopes of errors' parameters along all entries `[lane, along, of]`."""

    def misfit(z: Array, series: tuple[Array, ...], site: Array) -> Array:
        losses = data.losses_at(z, site)
        parts = [
            t.weight * loss(one, t.observed[site].astype(one.dtype))
            for t, loss, one in zip(data.targets, losses, series, strict=True)
        ]
        return sum(parts, jnp.zeros((), z.dtype))

    def slopes(z: Array) -> Array:
        # The series are held while the loss is differentiated, so that no reverse pass goes
        # through the model, and let go for the derivative of the slope.
        return jax.vmap(jax.grad(misfit))(z, data.simulate(z, site), site)

    def along(direction: Array) -> Any:
        return jax.jvp(slopes, (z,), (jnp.broadcast_to(direction[None], z.shape),))[1]

    each = jnp.eye(z.shape[-1], dtype=z.dtype)
    return jnp.moveaxis(jax.vmap(along)(each), 0, 1)
