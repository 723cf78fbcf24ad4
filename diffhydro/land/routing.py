"""Outflow on its way to the gauge: a gamma-shaped unit hydrograph (Feng et al. 2022).

    a′ = max(a, 0) + 0.1,  τ = max(b, 0) + 0.5,  w_k ∝ t_k^(a′−1) exp(−t_k/τ),  t_k = k + ½,  Σw = 1
    Q(t) = Σ_k w_k q(t − k),    k = 0 … 14 days

What has left the model and not reached the gauge is a store, so the budget closes with routing too.
"""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.parameters import parameter
from diffhydro.typing import Array, Float


class AbstractRouting(eqx.Module):
    """A way to the gauge."""

    @abstractmethod
    def init(self, like: Float[Array, ""]) -> Array | None:
        """Give what is under way before the first day."""

    @abstractmethod
    def weights(self) -> Array | None:
        """Give what does not change with time."""

    @abstractmethod
    def __call__(
        self, waiting: Array | None, outflow: Float[Array, ""], weights: Array | None
    ) -> tuple[Float[Array, ""], Array | None]:
        """Send the outflow of a step, and give what arrives in it and what is then under way."""


class NoRouting(AbstractRouting):
    """Outflow is at the gauge the same day."""

    def init(self, like: Float[Array, ""]) -> None:
        return None

    def weights(self) -> None:
        return None

    def __call__(self, waiting, outflow, weights):
        return outflow, None


class GammaHydrograph(AbstractRouting):
    """Outflow arrives over `length` days."""

    shape: Float[Array, ""] = parameter(
        unit="-",
        bounds=(0.0, 2.9),
        default=1.0,
        description="shape of the unit hydrograph, a",
        source="Feng et al. 2022",
    )
    scale: Float[Array, ""] = parameter(
        unit="day",
        bounds=(0.0, 6.5),
        default=1.0,
        description="scale of the unit hydrograph, b",
        source="Feng et al. 2022",
    )
    length: int = eqx.field(static=True, default=15)

    def init(self, like: Float[Array, ""]) -> Float[Array, " step"]:
        return jnp.zeros((self.length - 1,), like.dtype)

    def weights(self) -> Float[Array, " step"]:
        """Give the share that arrives after k days."""
        shape = jnp.maximum(self.shape, 0.0) + 0.1
        scale = jnp.maximum(self.scale, 0.0) + 0.5
        times = jnp.arange(self.length, dtype=shape.dtype) + 0.5
        logs = (shape - 1.0) * jnp.log(times) - times / scale
        free = jnp.exp(logs - jnp.max(logs))
        return free / jnp.sum(free)

    def __call__(self, waiting: Any, outflow: Any, weights: Any) -> tuple[Array, Array]:
        none = jnp.zeros_like(waiting[:1])
        arriving = jnp.concatenate([waiting, none]) + weights * outflow
        return arriving[0], arriving[1:]
