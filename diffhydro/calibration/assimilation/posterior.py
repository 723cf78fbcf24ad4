"""How sure 4D-Var is: the curvature of the cost at its minimum, and worlds drawn from it.

    P = [I + GᵀG]⁻¹,    G = R^(−1/2) ∂H/∂v,    R the variances of the observations' errors

the covariance of the control vector where the instruments are linear in it about the minimum
(Gauss–Newton; Tarantola 2005, eq. 3.53). Exact for a linear model, a first guess otherwise.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.assimilation.observation import seen, stacked
from diffhydro.calibration.assimilation.variational import Analysis
from diffhydro.calibration.assimilation.window import Window
from diffhydro.errors import InputError
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float, Key


class Normal(eqx.Module):
    """A normal law of the control vector of a window."""

    window: Window
    mean: Float[Array, " control"]
    covariance: Float[Array, "control control"]

    def draw(self, members: int, *, key: Key[Array, ""]) -> tuple[Trajectory, Array]:
        """Run worlds drawn from the law.

        Returns:
            The runs, member first, and what the instruments report of them
            `[series, member, time]`.
        """
        if members < 1:
            raise InputError(f"{members} members were asked for; draw at least one")
        runs, reports = _runs(self, jax.random.split(key, members))
        return runs, jnp.swapaxes(reports, 0, 1)


def prior(window: Window) -> Normal:
    """Return what was thought before anything was observed."""
    start = window.start
    return Normal(window, start, jnp.eye(start.size, dtype=start.dtype))


def posterior(analysis: Analysis) -> Normal:
    """Return what is thought after it; takes a backward run for every value observed."""
    window = analysis.window
    if not any(bool(one.known.any()) for one in window.observations):
        return prior(window)
    known = np.stack([np.asarray(one.known) for one in window.observations])
    return Normal(
        window, analysis.control, _covariance(window, analysis.control, np.nonzero(known))
    )


@eqx.filter_jit
def _covariance(window: Window, place: Array, at: tuple[Any, ...]) -> Array:
    def scaled(v: Array) -> Array:
        reports = window.seen(v)
        return (reports / stacked(window.observations, reports)[1])[at]

    slope = jax.jacrev(scaled)(place)
    together = jnp.matmul(slope.T, slope, precision=jax.lax.Precision.HIGHEST)
    return jnp.linalg.inv(jnp.eye(place.size, dtype=place.dtype) + together)


@eqx.filter_jit
def _runs(law: Normal, keys: Array) -> tuple[Trajectory, Array]:
    share, axes = jnp.linalg.eigh(law.covariance)
    root = axes * jnp.sqrt(jnp.maximum(share, 0.0))[None]

    def one(key: Array) -> tuple[Trajectory, Array]:
        noise = jax.random.normal(key, law.mean.shape, law.mean.dtype)
        run = law.window.run(law.window.world(law.mean + root @ noise))
        return run, seen(law.window.observations, run)

    return jax.vmap(one)(keys)
