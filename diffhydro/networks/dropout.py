"""What a recurrent network leaves out while it is trained.

Values that stay are divided by the share that stays, so that means are kept.
"""

import abc
import dataclasses

import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, Key


class AbstractDropout(abc.ABC):
    """Where a recurrent layer leaves values out. Arrays are `[time, batch, feature]`."""

    @abc.abstractmethod
    def inputs(self, x: Float[Array, "time batch feature"], key: Key[Array, ""]) -> Array:
        """Return inputs of which some are left out."""

    @abc.abstractmethod
    def state(self, h: Float[Array, "batch hidden"], key: Key[Array, ""]) -> Array | None:
        """Return what the state is multiplied by wherever it recurs, at all times, or None."""

    @abc.abstractmethod
    def outputs(self, h: Float[Array, "time batch hidden"], key: Key[Array, ""]) -> Array:
        """Return outputs of which some are left out."""


@dataclasses.dataclass(frozen=True)
class EveryTime(AbstractDropout):
    """Leave out a share of the outputs, drawn anew at every time."""

    share: float = 0.0

    def __post_init__(self) -> None:
        _check(share=self.share)

    def inputs(self, x: Float[Array, "time batch feature"], key: Key[Array, ""]) -> Array:
        return x

    def state(self, h: Float[Array, "batch hidden"], key: Key[Array, ""]) -> None:
        return None

    def outputs(self, h: Float[Array, "time batch hidden"], key: Key[Array, ""]) -> Array:
        return h if self.share == 0 else h * mask(key, self.share, h.shape, h.dtype)


@dataclasses.dataclass(frozen=True)
class Variational(AbstractDropout):
    """Leave out the same values at all times of a sequence (Gal & Ghahramani 2016).

    Args:
        of_inputs: Share of the input features.
        of_state: Share of the state, where it recurs.
        of_outputs: Share of the outputs.
    """

    of_inputs: float = 0.0
    of_state: float = 0.0
    of_outputs: float = 0.0

    def __post_init__(self) -> None:
        _check(**dataclasses.asdict(self))

    def inputs(self, x: Float[Array, "time batch feature"], key: Key[Array, ""]) -> Array:
        return _for_all_times(x, self.of_inputs, key)

    def state(self, h: Float[Array, "batch hidden"], key: Key[Array, ""]) -> Array | None:
        return None if self.of_state == 0 else mask(key, self.of_state, h.shape, h.dtype)

    def outputs(self, h: Float[Array, "time batch hidden"], key: Key[Array, ""]) -> Array:
        return _for_all_times(h, self.of_outputs, key)


def mask(key: Key[Array, ""], share: float, shape: tuple[int, ...], dtype) -> Array:
    """Return 0 with some probability, and else the factor that keeps the mean."""
    kept = jax.random.bernoulli(key, 1.0 - share, shape)
    return jnp.where(kept, jnp.asarray(1.0 / (1.0 - share), dtype), jnp.zeros((), dtype))


def _for_all_times(x: Array, share: float, key: Key[Array, ""]) -> Array:
    return x if share == 0 else x * mask(key, share, (1, *x.shape[1:]), x.dtype)


def _check(**shares: float) -> None:
    for name, share in shares.items():
        if not 0.0 <= share < 1.0:
            raise InputError(f"dropout leaves out a share in [0, 1); {name} is {share}")
