"""What given fluxes allow soil moisture to do: keep its balance, and not rise in dry spells.

With the storage S = Σ θ Δz of the predicted depths, mm,

    balance   r_t = S_t − S_{t−1} − Δt (Σ gains − Σ losses)_t
              L = mean of (r)₊² + (−r − q Δt)₊²,  mm²
    drying    L = mean over t within dry spells of (S_t − S_{t−1})₊ / Σ Δz,  m³/m³

A loss of water that nobody gave, such as drainage, may be up to q; a gain that nobody gave has no
excuse. A dry spell is a run of steps without inflow while something evaporates, as Xi &
Zhuang (2026) count violations of the water balance. Water contents belong to the ends of steps.
"""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.training.batch_losses import AbstractBatchLoss, Reads
from diffhydro.training.counted import array_of, check_same, mean, observed_of, real
from diffhydro.training.sample import REAL, Sample
from diffhydro.typing import Array, Float

_SPELL = 10.0  # days; Xi & Zhuang 2026


class ClosedBalance(AbstractBatchLoss):
    """The mean square of storage changes that the fluxes do not explain, mm².

    Args:
        thickness: Of the soil that each predicted depth stands for, mm; one number for predictions
            without an axis of depth, else one for each entry of the last axis.
        gains: Names of fluxes into that soil, mm/day, such as the inflow; see `flux`.
        losses: Names of those out of it, such as evaporation and transpiration.
        seepage: Most of a loss that is not among them, mm/day; ∞ asks only that no water comes
            from nowhere.
        where: See `BeyondBounds`; without an axis of depth.
    """

    thickness: tuple[float, ...] = eqx.field(static=True)
    gains: tuple[str, ...] = eqx.field(static=True)
    losses: tuple[str, ...] = eqx.field(static=True)
    seepage: float = eqx.field(static=True, default=0.0)
    output: str | None = eqx.field(static=True, default=None)
    where: str = eqx.field(static=True, default=REAL)

    def __check_init__(self) -> None:
        _check_names(gains=self.gains, losses=self.losses)
        _check_thickness(self.thickness)
        if not self.seepage >= 0:
            raise InputError(f"seepage is a loss of {self.seepage} mm/day; it is 0 or more")

    @property
    def reads(self) -> Reads:
        """Give what is real; fluxes may come with the prediction."""
        return Reads(weights=(self.where,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        water, weight = _storage(prediction, self.output, sample, self.where, self.thickness)
        pair = jnp.minimum(weight[:, 1:], weight[:, :-1])
        step = sample.inputs.step
        unexplained = jnp.diff(water, axis=1)
        for names, sign in ((self.gains, -step), (self.losses, step)):
            for name in names:
                given = flux(name, prediction, sample, water)[:, 1:]
                unexplained = unexplained + sign * jnp.where(pair > 0, given, 0.0)
        lost = 0.0 if np.isinf(self.seepage) else jax.nn.relu(-unexplained - self.seepage * step)
        return mean(jax.nn.relu(unexplained) ** 2 + lost**2, pair)


class DryingOnly(AbstractBatchLoss):
    """By how much soil moisture rises in dry spells, on average over their steps, m³/m³.

    The first step of a spell does not count: the mean of a day may rise after a rainy one. When
    a spell is dry is a matter of given numbers and has no slope.

    Args:
        inflow: Name of what enters the soil; see `flux`.
        evaporation: Names of what leaves it; some of it must flow.
        thickness: See `ClosedBalance`; the soil dries as a whole, for within it water moves.
        least: Days of a spell.
        trace: Inflow, mm/day, that is as good as none.
        source: Spells in which this one saw a rise do not count; all count if not given. It has
            the axes of the prediction but depth.
        where: See `BeyondBounds`; without an axis of depth.
    """

    inflow: str = eqx.field(static=True)
    evaporation: tuple[str, ...] = eqx.field(static=True)
    thickness: tuple[float, ...] = eqx.field(static=True, default=(1.0,))
    least: float = eqx.field(static=True, default=_SPELL)
    trace: float = eqx.field(static=True, default=0.0)
    source: str | None = eqx.field(static=True, default=None)
    output: str | None = eqx.field(static=True, default=None)
    where: str = eqx.field(static=True, default=REAL)

    def __check_init__(self) -> None:
        _check_names(evaporation=self.evaporation)
        _check_thickness(self.thickness)

    @property
    def reads(self) -> Reads:
        """Give what is real, and the source; fluxes may come with the prediction."""
        return Reads(() if self.source is None else (self.source,), (self.where,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        water, weight = _storage(prediction, self.output, sample, self.where, self.thickness)
        lost = [flux(name, prediction, sample, water) for name in self.evaporation]
        is_dry = (weight > 0) & (flux(self.inflow, prediction, sample, water) <= self.trace)
        is_dry = is_dry & (jnp.sum(jnp.stack(lost), axis=0) > 0)
        begin, end = _spell(is_dry)
        counts = is_dry & (end - begin >= int(np.ceil(self.least / sample.inputs.step)))
        inner = counts[:, 1:] & counts[:, :-1]
        if self.source is not None:
            observed, seen = observed_of(sample, self.source, water.dtype)
            check_same(water.shape, observed.shape, self.output, self.source)
            inner = inner & ~_has_rise(observed, seen > 0, begin, end)[:, 1:]
        pair = jnp.where(inner, jnp.minimum(weight[:, 1:], weight[:, :-1]), 0.0)
        return mean(jax.nn.relu(jnp.diff(water, axis=1)) / sum(self.thickness), pair)


def flux(name: str, prediction: Any, sample: Sample, like: Array) -> Array:
    """Give a flux by name: of the prediction, else of `extra`, else of the series of the inputs."""
    predicted = prediction if isinstance(prediction, Mapping) else {}
    for held in (predicted, sample.extra, sample.inputs.series):
        if name in held:
            found = jnp.asarray(held[name], like.dtype)
            if found.shape != like.shape:
                raise InputError(
                    f"the flux {name!r} has shape {found.shape}, the water it moves {like.shape}"
                )
            return found
    offered = ", ".join(map(str, (*predicted, *sample.extra, *sample.inputs.series))) or "nothing"
    raise InputError(f"the flux {name!r} is asked for; prediction, extra and inputs have {offered}")


def _storage(
    prediction: Any, output: str | None, sample: Sample, where: str, thickness: tuple[float, ...]
) -> tuple[Array, Array]:
    """Give water in mm, and the weight of what is real, 0 elsewhere, both without depth."""
    theta = array_of(prediction, output)
    depths = theta.shape[-1] if len(thickness) > 1 else 1
    if len(thickness) != depths or (len(thickness) > 1 and theta.ndim < 3):
        raise InputError(
            f"{len(thickness)} thicknesses for predictions of shape {theta.shape}; the last axis "
            "is depth, and each has one"
        )
    theta = theta if len(thickness) > 1 else theta[..., None]
    weight = real(sample, where, theta.shape[:-1], theta.dtype)
    theta = jnp.where((weight > 0)[..., None], theta, 0.0)
    return jnp.sum(theta * jnp.asarray(thickness, theta.dtype)[(None,) * weight.ndim], -1), weight


def _spell(is_dry: Array) -> tuple[Array, Array]:
    """Give the first step of the run of dry steps that a step is in, and the one after its last."""
    length = is_dry.shape[1]
    index = jnp.arange(length).reshape(1, -1, *(1,) * (is_dry.ndim - 2))
    wet = jnp.where(is_dry, -1, index)
    after = jnp.where(is_dry, length, index)
    return (
        jax.lax.cummax(wet, axis=1) + 1,
        jax.lax.cummin(after, axis=1, reverse=True),
    )


def _has_rise(observed: Array, seen: Array, begin: Array, end: Array) -> Array:
    """Say of every step whether a rise was seen from one step to the next of its spell."""
    rises = seen[:, 1:] & seen[:, :-1] & (observed[:, 1:] > observed[:, :-1])
    # Entry t counts the rises into steps up to t.
    count = jnp.cumsum(jnp.pad(rises, [(0, 0), (1, 0)] + [(0, 0)] * (rises.ndim - 2)), axis=1)
    last = observed.shape[1] - 1
    ends = (jnp.take_along_axis(count, jnp.clip(i, 0, last), axis=1) for i in (begin, end - 1))
    before, after = ends
    return after > before


def _check_names(**lists: tuple[str, ...]) -> None:
    for kind, names in lists.items():
        if isinstance(names, str):
            raise InputError(f"{kind} is a tuple of names; write ({names!r},)")


def _check_thickness(thickness: tuple[float, ...]) -> None:
    if not thickness or not all(0 < dz < np.inf for dz in thickness):
        raise InputError(f"thicknesses are above 0 mm, one per depth; these are {thickness}")
