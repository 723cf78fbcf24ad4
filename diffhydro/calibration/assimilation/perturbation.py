"""Weather that every member of an ensemble sees differently, from day to day in a related way.

    ε(t) = ρ ε(t − 1) + √(1 − ρ²) η(t),   ρ = exp(−Δt/τ),   η ~ N(0, 1)

    Factor    x exp(σ ε − σ²/2)      for what cannot be negative, such as rain; its mean is x
    Shift     x + σ ε                for the rest, within what the series can be on Earth

(First-order autoregression, as Reichle, Crow & Keppenne 2008 have it for soil moisture.) Series are
perturbed independently of each other.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.calibration.assimilation.part import nearest
from diffhydro.calibration.assimilation.uncertainty import rained
from diffhydro.errors import InputError
from diffhydro.land.forcing import RANGES, Forcing
from diffhydro.typing import Array, Float, Key

Noise = dict[str, Float[Array, " member"]]


class AbstractPerturbation(eqx.Module):
    """How a series is wrong."""

    days: eqx.AbstractVar[float]

    @abstractmethod
    def of(self, name: str, x: Float[Array, ""], noise: Float[Array, ""]) -> Float[Array, ""]:
        """Return a value of a series with its noise, which is standard normal."""


class Factor(AbstractPerturbation):
    """Wrong by a log-normal factor with the mean 1.

    Args:
        spread: Standard deviation of the logarithm.
        days: Over which noise is forgotten, τ; 0 for days of their own.
    """

    spread: float
    days: float = 0.0

    def __check_init__(self) -> None:
        _check(self.spread, self.days)

    def of(self, name: str, x: Float[Array, ""], noise: Float[Array, ""]) -> Float[Array, ""]:
        return x * _factor(self.spread, noise).astype(x.dtype)


class Shift(AbstractPerturbation):
    """Wrong by a normal amount.

    Args:
        spread: Standard deviation, in the unit of the series.
        days: Over which noise is forgotten, τ; 0 for days of their own.
    """

    spread: float
    days: float = 0.0

    def __check_init__(self) -> None:
        _check(self.spread, self.days)

    def of(self, name: str, x: Float[Array, ""], noise: Float[Array, ""]) -> Float[Array, ""]:
        shifted = x + self.spread * noise.astype(x.dtype)
        allowed = RANGES.get(name)
        # A hard limit: no gradient goes through an ensemble.
        return shifted if allowed is None else jnp.clip(shifted, allowed.least, allowed.most)


class Perturbations(eqx.Module):
    """What of the weather is uncertain, by series.

    >>> wrong = Perturbations(precipitation=Factor(0.3, days=2.0), temperature=Shift(1.0))
    >>> sorted(wrong.series)
    ['precipitation', 'temperature']
    """

    series: dict[str, AbstractPerturbation]

    def __init__(self, **series: AbstractPerturbation) -> None:
        known: dict[str, Any] = {
            name: None for name in Forcing.__dataclass_fields__ if name not in ("step", "melt")
        }
        for name, how in series.items():
            if name not in known:
                raise InputError(f"no series to perturb is called {nearest(name, known)}")
            if name == "precipitation" and not isinstance(how, Factor):
                raise InputError("precipitation is perturbed by a Factor: a Shift rains every day")
        # In the order that a tree of arrays gives a dictionary, so that each keeps its noise.
        self.series = dict(sorted(series.items()))

    def first(self, members: int, dtype: Any, *, key: Key[Array, ""]) -> Noise:
        """Draw the noise before the first day."""
        keys = jax.random.split(key, len(self.series))
        return {
            name: jax.random.normal(k, (members,), dtype)
            for name, k in zip(self.series, keys, strict=True)
        }

    def next(self, noise: Mapping[str, Array], step: float, *, key: Key[Array, ""]) -> Noise:
        """Return the noise a step later."""
        keys = jax.random.split(key, len(self.series))
        after = {}
        for (name, how), k in zip(self.series.items(), keys, strict=True):
            share = math.exp(-step / how.days) if how.days > 0 else 0.0
            fresh = jax.random.normal(k, noise[name].shape, noise[name].dtype)
            after[name] = share * noise[name] + math.sqrt(1.0 - share**2) * fresh
        return after

    def weather(self, now: Forcing, noise: Mapping[str, Array]) -> Forcing:
        """Return the instant as one member sees it."""
        for name, how in self.series.items():
            x = getattr(now, name)
            if isinstance(how, Factor) and name == "precipitation":
                now = rained(now, _factor(how.spread, noise[name]))
            else:
                now = eqx.tree_at(
                    lambda f, n=name: getattr(f, n), now, how.of(name, x, noise[name])
                )
        return now

    def require(self, forcing: Forcing) -> None:
        """Raise InputError if a series to perturb is not there."""
        forcing.require(self.series, "the perturbation of the weather")


def _factor(spread: float, noise: Array) -> Array:
    return jnp.exp(spread * noise - 0.5 * spread**2)


def _check(spread: float, days: float) -> None:
    if not (spread > 0 and days >= 0):
        raise InputError(
            f"a perturbation has the spread {spread} and is forgotten in {days} days; the spread "
            "is a standard deviation above zero, the days are 0 or more"
        )
