"""Neighbouring depths that vary against each other.

Water reaches a depth through the soil above it, later and damped. To first order the deeper of two
depths is a lagged smoothing of the upper one, the exponential filter by which root-zone moisture is
had from the surface's (Wagner et al. 1999; recursive form of Albergel et al. 2008):

    u_t = u_{t−1} + K (θ_t − u_{t−1}),   K = 1 − exp(−Δt/T),   u_0 = θ_0

What is penalised is not that the deeper one differs from u, for texture and roots differ with
depth, but that it moves the other way: with changes from one time to the next,

    I = Σ_t (−Δu_t Δv_t)₊ / √((ΣΔu² + Nε²)(ΣΔv² + Nε²)),   0 ≤ I ≤ 1
    L = mean over windows and pairs of (I − usual)₊

u from the upper and v from the deeper depth, N changes. It is smoothed θ that is compared: after
rain the upper one dries while the deeper one still wets, which is no contradiction, and u still
rises then. The measure of the changes themselves makes I free of units, so that it cannot be met by
damping; ε is the change that no probe sees, and keeps series that do not vary from counting. Real
soils are not free of I either: roots drink at depth while rain wets the top. `usual` is what the
observations of the training fold have.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.training.batch_losses import AbstractBatchLoss, Reads
from diffhydro.training.counted import array_of, mean, real
from diffhydro.training.sample import REAL, Sample
from diffhydro.typing import Array, Float


class VerticalCoherence(AbstractBatchLoss):
    """How much neighbouring depths vary against each other, on average over windows and pairs.

    Args:
        delay: T, days, of each pair of neighbours, from the top.
        output: Water contents with a last axis of depth.
        least: ε, m³/m³ per step.
        usual: What is allowed. A loss with `usual` 0 finds it, given observations as a prediction.
        where: See `BeyondBounds`; without an axis of depth.
    """

    delay: tuple[float, ...] = eqx.field(static=True)
    output: str | None = eqx.field(static=True, default=None)
    least: float = eqx.field(static=True, default=1e-3)
    usual: float = eqx.field(static=True, default=0.0)
    where: str = eqx.field(static=True, default=REAL)

    def __check_init__(self) -> None:
        if not self.delay or not all(0 < delay < np.inf for delay in self.delay):
            raise InputError(f"delays are above 0 days, one per pair; these are {self.delay}")
        if not self.least > 0:
            raise InputError(f"the least change is {self.least}; it is above 0")
        if not 0 <= self.usual <= 1:
            raise InputError(f"{self.usual} is allowed; what is usual lies between 0 and 1")

    @property
    def reads(self) -> Reads:
        """Give what is real."""
        return Reads(weights=(self.where,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        theta = array_of(prediction, self.output)
        if theta.ndim < 3 or theta.shape[-1] != len(self.delay) + 1:
            raise InputError(
                f"predictions have shape {theta.shape}; with {len(self.delay)} delays the last "
                f"axis holds {len(self.delay) + 1} depths"
            )
        weight = real(sample, self.where, theta.shape[:-1], theta.dtype)[..., None]
        theta = jnp.where(weight > 0, theta, 0.0)
        rate = sample.inputs.step / np.asarray(self.delay)
        upper = _smoothed_changes(theta[..., :-1], weight > 0, rate)
        pair = jnp.minimum(weight[:, 1:], weight[:, :-1])
        lower = jnp.where(pair > 0, jnp.diff(theta[..., 1:], axis=1), 0.0)
        upper = jnp.where(pair > 0, upper[:, 1:], 0.0)
        against = jnp.sum(pair * jax.nn.relu(-upper * lower), axis=1)
        count = jnp.sum(pair, axis=1)
        has_any = count > 0
        sizes = (jnp.sum(pair * x**2, axis=1) + count * self.least**2 for x in (upper, lower))
        size, other = (jnp.sqrt(jnp.where(has_any, x, 1.0)) for x in sizes)
        each = jax.nn.relu(against / size / other - self.usual)
        return mean(each, jnp.broadcast_to(has_any, each.shape).astype(each.dtype))


class _Filter(NamedTuple):
    level: Array
    waited: Array  # steps since the last real one
    began: Array


def _smoothed_changes(theta: Array, is_real: Array, rates: np.ndarray) -> Array:
    """Give the changes of the exponential filter from step to step, along axis 1."""
    rate = jnp.asarray(rates, theta.dtype).reshape((1,) * (theta.ndim - 2) + (-1,))

    def advance(now: _Filter, given: tuple[Array, Array]) -> tuple[_Filter, Array]:
        value, there = given
        waited = now.waited + 1.0
        gain = -jnp.expm1(-waited * rate)
        moved = jnp.where(now.began, now.level + gain * (value - now.level), value)
        level = jnp.where(there, moved, now.level)
        change = jnp.where(now.began, level - now.level, 0.0)
        waited = jnp.where(there, 0.0, waited)
        return _Filter(level, waited, now.began | there), change

    begin = _Filter(
        jnp.zeros_like(theta[:, 0]), jnp.zeros_like(theta[:, 0, ..., :1]), is_real[:, 0] & False
    )
    series = jnp.moveaxis(theta, 1, 0), jnp.moveaxis(is_real, 1, 0)
    return jnp.moveaxis(jax.lax.scan(advance, begin, series)[1], 0, 1)
