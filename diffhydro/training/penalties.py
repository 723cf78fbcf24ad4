"""What soil physics says of the predicted water contents of a batch.

    bounds        L = mean over all that is real of (θ_r − θ)₊ + (θ − θ_s)₊
    consistency   L = Σw |ψ(θ) − ψ(target)|/ψ_max / Σw

(DeepSoil, Khandelwal et al. 2026, eqs 14–19.) The functions of a pixel are those of
`physics_losses`. Beyond its bounds a water content has no slope of suction: the two belong
together.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.training.batch_losses import AbstractBatchLoss, Reads
from diffhydro.training.counted import (
    array_of,
    check_same,
    entry,
    filled,
    mean,
    observed_of,
    real,
)
from diffhydro.training.physics_losses import beyond_bounds, suction_misfit
from diffhydro.training.sample import REAL, Sample
from diffhydro.typing import Array, Float

Misfit = Callable[[Array, Array, VanGenuchten], Array]


class BeyondBounds(AbstractBatchLoss):
    """By how much water contents lie below θ_r or above θ_s, on average over all that is real.

    >>> from diffhydro.coupling.inputs import Inputs
    >>> soil = VanGenuchten(theta_r=0.1, theta_s=0.4, alpha=0.001, n=1.5, k_sat=100.0)
    >>> sample = Sample(Inputs({}), {}, {"real": jnp.array([1.0, 0.0])}, {"soil": soil})
    >>> round(float(BeyondBounds()(jnp.array([[0.2, 0.5], [9.0, 9.0]]), sample)), 6)  # 0.1/2
    0.05

    Args:
        soil: The entry of `extra` with the soil: one for all, or `[window]`, with the axes of the
            prediction but time, or with all of them.
        where: The entry of the weights with 1 for what is real and 0 for what only fills the shape
            up: `[window]`, `[window, time]` or more. The name of a source is one, too.
    """

    output: str | None = eqx.field(static=True, default=None)
    soil: str = eqx.field(static=True, default="soil")
    where: str = eqx.field(static=True, default=REAL)

    @property
    def reads(self) -> Reads:
        """Give the soil and what is real."""
        return Reads(weights=(self.where,), extras=(self.soil,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        theta = array_of(prediction, self.output)
        weight = real(sample, self.where, theta.shape, theta.dtype)
        soil = _soil_of(sample, self.soil, theta)
        return mean(beyond_bounds(*filled((theta, soil), weight > 0)), weight)


class SuctionConsistency(AbstractBatchLoss):
    """How far suctions are from those of a target, where there is one.

    Args:
        sources: What the target is taken from: the first that saw a place, such as stations before
            a product.
        soil: See `BeyondBounds`.
        misfit: Of water contents and targets in a soil; `log_suction_misfit` counts wet and dry
            pixels alike, `suction_misfit` is the study's own and is ruled by the driest.
    """

    sources: tuple[str, ...] = eqx.field(static=True)
    output: str | None = eqx.field(static=True, default=None)
    soil: str = eqx.field(static=True, default="soil")
    misfit: Misfit = eqx.field(static=True, default=suction_misfit)

    def __check_init__(self) -> None:
        if isinstance(self.sources, str) or not self.sources:
            raise InputError(f"sources are a tuple of names; this is {self.sources!r}")

    @property
    def reads(self) -> Reads:
        """Give the sources and the soil."""
        return Reads(self.sources, extras=(self.soil,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        theta = array_of(prediction, self.output)
        target, weight = jnp.zeros_like(theta), jnp.zeros_like(theta)
        for source in self.sources:
            observed, mine = observed_of(sample, source, theta.dtype)
            check_same(theta.shape, observed.shape, self.output, source)
            is_open = weight == 0
            target = jnp.where(is_open, observed, target)
            weight = jnp.where(is_open, mine, weight)
        soil = _soil_of(sample, self.soil, theta)
        return mean(self.misfit(*filled((theta, target, soil), weight > 0)), weight)


def _soil_of(sample: Sample, name: str, theta: Array) -> VanGenuchten:
    """Give the soil of every place, in the type of the water contents."""
    shape = theta.shape
    fixed = (shape[0], *shape[2:])

    def everywhere(leaf: Any) -> Array:
        leaf = jnp.asarray(leaf, theta.dtype)
        if leaf.shape == shape:
            return leaf
        if leaf.shape == fixed:
            leaf = jnp.expand_dims(leaf, 1)
        elif leaf.shape == shape[:1]:
            leaf = leaf.reshape(-1, *(1,) * (len(shape) - 1))
        elif leaf.ndim:
            raise InputError(
                f"extra {name!r} holds numbers of shape {leaf.shape}; predictions of shape {shape} "
                f"need one number, {shape[:1]}, {fixed} or {shape}"
            )
        return jnp.broadcast_to(leaf, shape)

    return jax.tree.map(everywhere, entry(sample.extra, name, "for the soil, the extra"))
