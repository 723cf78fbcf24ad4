"""Networks that predict soil moisture from its past, with and without the fluxes of a physics.

    W(t) = f(W(t−k … t−1), I_F, E_V, E_S (t−k+1 … t), P(t))                (Xi & Zhuang 2026)

A recurrent branch reads the window, a fully connected one the drivers of the day, whose latent
output stands for what the physics leaves out; a linear map joins them (`networks.TwoBranches`).
`Fed` takes the fluxes of a physics that was calibrated before, as published; with `Coupled` the
physics runs in the same graph and trains with the network. `PastDriven` is the same without
physics.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.coupling.features import Features
from diffhydro.coupling.fluxes import WATER, AbstractFluxes
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.predictor import AbstractPredictor
from diffhydro.coupling.rises import AbstractRises, Always
from diffhydro.coupling.window import AbstractWindowed, Known, one_ahead
from diffhydro.errors import InputError
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Float, Key

_TYPICAL = (0.25, 0.1)  # m³/m³: mean and spread of soil moisture where none are given


class PhysicsGuided(AbstractPredictor, AbstractWindowed):
    """Past soil moisture and physics' fluxes in one branch, today's drivers in the other.

    Args:
        fluxes: Where the fluxes come from.
        head: Of `[*, lag, 1 + flux]` and `[*, feature]` to `[*, 1]`, such as `TwoBranches`.
        today: The drivers of the day.
        length: Days that the window looks back, k.
        past: Name of the observed soil moisture among the series, without gaps.
        unit: Mean and standard deviation of soil moisture in training, m³/m³.
        flux_unit: What fluxes are divided by, mm per step.
        rises: When soil moisture may rise; by the first of the fluxes, which is inflow.
    """

    fluxes: AbstractFluxes
    head: AbstractHead
    today: Features
    length: int = eqx.field(static=True)
    past: str = eqx.field(static=True, default="soil_moisture")
    unit: tuple[float, float] = eqx.field(static=True, default=_TYPICAL)
    flux_unit: float = eqx.field(static=True, default=1.0)
    rises: AbstractRises = eqx.field(default_factory=Always)

    def __check_init__(self) -> None:
        shapes = (self.length, 1 + len(self.fluxes.names)), (self.today.count,)
        _check(self, shapes)
        if not isinstance(self.rises, Always) and self.fluxes.names[0] != WATER[0]:
            raise InputError(
                f"rises looks at {WATER[0]}, which has to be the first flux; the fluxes are "
                f"{', '.join(self.fluxes.names)}"
            )

    def known(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Known:
        fluxes = self.fluxes(inputs, key=key) / self.flux_unit
        return Known(fluxes, self.today.through_time(inputs))

    def ahead(
        self,
        window: Float[Array, "*site lag"],
        known: Known,
        *,
        key: Key[Array, ""] | None = None,
    ) -> Float[Array, "*site"]:
        assert known.today is not None
        said = _said(self, window, known, known.today, key=key)
        recent = known.recent[..., 0] * self.flux_unit
        return self.rises.allowed(said, window[..., -1], recent)

    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time"]:
        return one_ahead(self, inputs, key=key)


class PastDriven(AbstractPredictor, AbstractWindowed):
    """Past soil moisture and drivers through the window: a network without physics.

    Args:
        head: Of `[*, lag, 1 + feature]` to `[*, 1]`.
        recent: The drivers, read through the window that ends now.
        length, past, unit: See `PhysicsGuided`.
    """

    head: AbstractHead
    recent: Features
    length: int = eqx.field(static=True)
    past: str = eqx.field(static=True, default="soil_moisture")
    unit: tuple[float, float] = eqx.field(static=True, default=_TYPICAL)

    def __check_init__(self) -> None:
        _check(self, ((self.length, 1 + self.recent.count),))

    def known(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Known:
        return Known(self.recent.through_time(inputs), None)

    def ahead(
        self,
        window: Float[Array, "*site lag"],
        known: Known,
        *,
        key: Key[Array, ""] | None = None,
    ) -> Float[Array, "*site"]:
        return _said(self, window, known, key=key)

    def __call__(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*site time"]:
        return one_ahead(self, inputs, key=key)


def _said(
    model: PhysicsGuided | PastDriven,
    window: Array,
    known: Known,
    *today: Array,
    key: Key[Array, ""] | None,
) -> Float[Array, "*site"]:
    mean, spread = model.unit
    before = ((window - mean) / spread)[..., None]
    recent = jnp.concatenate([before, known.recent.astype(before.dtype)], axis=-1)
    return mean + spread * model.head(recent, *today, key=key)[..., 0]


def _check(model: Any, shapes: tuple[tuple[int, ...], ...]) -> None:
    who = type(model).__name__
    if model.length < 1:
        raise InputError(f"{who} looks back {model.length} times; it takes at least 1")
    if not model.unit[1] > 0:
        raise InputError(f"the spread of soil moisture is {model.unit[1]}; it must be positive")
    examples = [jax.ShapeDtypeStruct((1, *shape), jnp.float32) for shape in shapes]
    try:
        made = eqx.filter_eval_shape(model.head, *examples)
    except (TypeError, ValueError, AssertionError) as error:
        raise InputError(
            f"the head of {who} does not take inputs of {' and '.join(map(str, shapes))}: {error}"
        ) from error
    if made.shape != (1, 1):
        raise InputError(f"the head of {who} makes {made.shape[1:]}; expected one number, (1,)")
