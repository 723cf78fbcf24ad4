"""Derivative-based global measures, and what they say of Sobol's indices.

    ν = E[(∂f/∂u)²],   ς = ½ E[u(1−u) (∂f/∂u)²],   w = E[u(1−u) ∂f/∂u],   D = Var f

    3w²/D ≤ S ≤ S_T ≤ min(ν/π², ς)/D

with u uniform in the unit cube, S a parameter's share of the variance by itself and S_T with all
its interactions. The upper bounds are Poincaré's inequality (Sobol & Kucherenko 2009; Kucherenko &
Iooss 2017) and the weighted one (Kucherenko & Song 2016); the lower is the part of f that is linear
in u (integrated by parts; Roustant, Gamboa & Iooss 2020 have the general law). All three are exact
for a linear f. They hold for a continuous f: of a jump, as at a sharp threshold between rain and
snow, a derivative sees nothing.

A gradient costs a few runs, however many parameters there are, where Sobol's indices cost k + 2
runs for each point; but the bounds are wide where f waves or saturates.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.design import Design, scrambled_sobol
from diffhydro.evaluation.sensitivity.response import Response
from diffhydro.evaluation.sensitivity.table import table
from diffhydro.typing import Float


class Estimate(NamedTuple):
    """What a sample says of each parameter, with its standard error."""

    value: Float[np.ndarray, " entry"]
    error: Float[np.ndarray, " entry"]


@dataclasses.dataclass(frozen=True, eq=False)
class DerivativeMeasures:
    """Measures and bounds of each parameter.

    Shares of the variance are 0 where the output does not vary.

    Attributes:
        names: Of parameters.
        nu: ν.
        slope: Mean ∂f/∂u: its sign says which way the output goes.
        lower: 3w²/D.
        poincare: ν/(π²D).
        weighted: ς/D.
        mean, variance: Of the output.
        points: How many gradients it took.
    """

    names: tuple[str, ...]
    nu: Estimate
    slope: Estimate
    lower: Estimate
    poincare: Estimate
    weighted: Estimate
    mean: float
    variance: float
    points: int

    @property
    def upper(self) -> Estimate:
        """The lesser of the two upper bounds of S_T."""
        lesser = self.poincare.value <= self.weighted.value
        pairs = zip(self.poincare, self.weighted, strict=True)
        return Estimate(*(np.where(lesser, a, b) for a, b in pairs))

    @property
    def order(self) -> np.ndarray:
        """Which parameter has the largest upper bound, which the next, and so on."""
        return np.argsort(-self.upper.value, kind="stable")

    def __str__(self) -> str:
        """Give the table, the largest upper bound first."""
        columns = {
            "nu": self.nu.value,
            "slope": self.slope.value,
            "lower": self.lower.value,
            "upper": self.upper.value,
            "error of upper": self.upper.error,
        }
        rank = self.order
        return table([self.names[i] for i in rank], {h: x[rank] for h, x in columns.items()})


def dgsm(
    response: Response,
    points: int = 1024,
    *,
    seed: int,
    sets: int = 8,
    design: Design = scrambled_sobol,
) -> DerivativeMeasures:
    """Sample the gradient of a response.

    >>> import jax.numpy as jnp
    >>> linear = Response(("a", "b"), lambda u: u[0] + 2.0 * u[1])
    >>> found = dgsm(linear, 256, seed=1)
    >>> found.upper.value.round(2).tolist(), found.lower.value.round(2).tolist()
    ([0.2, 0.8], [0.2, 0.8])

    Args:
        points: How many, in all sets together.
        seed: Of the design.
        sets: Independent sets of points, from which standard errors follow.
        design: `scrambled_sobol` or `latin_hypercube`.
    """
    if sets < 2 or points % sets or points // sets < 2:
        raise InputError(
            f"{points} points do not make {sets} sets of one size; take at least two sets, of two "
            "points or more"
        )
    rngs = np.random.default_rng(seed).spawn(sets)
    drawn = [design(points // sets, len(response.names), rng) for rng in rngs]
    outputs, slopes = response.slopes(np.concatenate(drawn))
    shape = (sets, points // sets)
    return _measured(
        response.names,
        outputs.reshape(shape),
        slopes.reshape(*shape, -1),
        np.stack(drawn),
    )


def _measured(
    names: tuple[str, ...], outputs: np.ndarray, slopes: np.ndarray, at: np.ndarray
) -> DerivativeMeasures:
    """Work out all measures; axes are set, point and parameter."""
    spread = np.mean((outputs - outputs.mean()) ** 2, axis=1)[:, None]
    variance = float(spread.mean()) if np.ptp(outputs) > 0 else 0.0
    squares = np.mean(slopes**2, axis=1)
    weight = at * (1.0 - at)
    linear = np.mean(weight * slopes, axis=1)
    w = linear.mean(axis=0)
    return DerivativeMeasures(
        names=names,
        nu=_estimate(squares),
        slope=_estimate(np.mean(slopes, axis=1)),
        # The mean of the sets is 3w², and their spread that of 3w² to first order.
        lower=_share(3.0 * w * (2.0 * linear - w), spread, variance),
        poincare=_share(squares / np.pi**2, spread, variance),
        weighted=_share(0.5 * np.mean(weight * slopes**2, axis=1), spread, variance),
        mean=float(outputs.mean()),
        variance=variance,
        points=outputs.size,
    )


def _estimate(sets: Float[np.ndarray, "member entry"]) -> Estimate:
    """Average independent estimates."""
    return Estimate(sets.mean(axis=0), sets.std(axis=0, ddof=1) / np.sqrt(len(sets)))


def _share(
    parts: Float[np.ndarray, "member entry"],
    spread: Float[np.ndarray, "member 1"],
    variance: float,
) -> Estimate:
    """Return what parts are of the variance, with the error of the ratio (delta method)."""
    if variance == 0.0:
        return Estimate(np.zeros(parts.shape[1]), np.zeros(parts.shape[1]))
    ratio = parts.mean(axis=0) / variance
    return Estimate(ratio, _estimate((parts - ratio * spread) / variance).error)
