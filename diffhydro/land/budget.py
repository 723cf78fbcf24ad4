"""Where the water of a run went, and what cannot be accounted for.

residual = precipitation − evaporation − transpiration − runoff − drainage − Δstores

less interception and sublimation, where a model has a canopy and snow.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float

_OUT = ("evaporation", "transpiration", "runoff", "drainage")
_ALOFT = ("interception", "sublimation")  # only some models have them


class Budget(eqx.Module):
    """Totals over a run, mm; with an entry per site where the run has sites."""

    precipitation: Float[Array, "*site"]
    evaporation: Float[Array, "*site"]
    transpiration: Float[Array, "*site"]
    runoff: Float[Array, "*site"]
    drainage: Float[Array, "*site"]
    storage_change: dict[str, Float[Array, "*site"]]
    interception: Float[Array, "*site"] | None = None
    sublimation: Float[Array, "*site"] | None = None

    @property
    def _gone(self) -> dict[str, Array]:
        every = {name: getattr(self, name) for name in (*_OUT, *_ALOFT)}
        return {name: total for name, total in every.items() if total is not None}

    @property
    def residual(self) -> Float[Array, "*site"]:
        """Water that is missing at the end: in, less out, less what stayed."""
        left = self.precipitation
        for flux in (*self._gone.values(), *self.storage_change.values()):
            left = left - flux
        return left

    @property
    def throughput(self) -> Float[Array, "*site"]:
        """Half of all amounts: in a closed budget all that came, and all that went or stayed."""
        amounts = abs(self.precipitation)
        for flux in (*self._gone.values(), *self.storage_change.values()):
            amounts = amounts + abs(flux)
        return 0.5 * amounts

    @property
    def relative(self) -> Float[Array, "*site"]:
        """The size of the residual as a share of the throughput; 0 where nothing moved."""
        size = self.throughput
        return abs(self.residual) / (size + (size == 0).astype(size.dtype))

    def __str__(self) -> str:
        """Give the table, in mm; the mean and the worst of many sites."""
        if isinstance(self.precipitation, Tracer):
            return "Budget of a traced run"
        rows = [("precipitation", self.precipitation)]
        rows += [(name, -total) for name, total in self._gone.items()]
        rows += [(f"change of {name}", -change) for name, change in self.storage_change.items()]
        count = np.size(self.precipitation)
        head = [] if count == 1 else [f"mean of {count} sites"]
        lines = [f"{name:<20}{np.mean(value):>14.4f} mm" for name, value in rows]
        worst = np.max(np.abs(self.residual)) if count > 1 else np.mean(self.residual)
        label = "residual" if count == 1 else "worst residual"
        share = np.max(self.relative)
        return "\n".join([*head, *lines, f"{label:<20}{worst:>14.3g} mm ({share:.2g} of all)"])


def budget(run: Trajectory) -> Budget:
    """Add up a run.

    Sums are made in float64, so that the residual is the model's and not the sum's. Inside a
    transformation with 64-bit types switched off they are compensated instead.
    """
    fluxes = run.fluxes
    axes = fluxes.precipitation.ndim - 1
    moved = {name: getattr(fluxes, name) for name in ("precipitation", *_OUT, *_ALOFT)}
    totals = {name: _total(x, axes) for name, x in moved.items() if x is not None}
    changes = {
        name: _total(_pair(after, run.stores_before[name], axes), axes)
        for name, after in run.stores_after.items()
    }
    return Budget(**totals, storage_change=changes)


def _pair(after: Array, before: Array, axes: int) -> Array:
    """List the parts of a store after, and less before, so that one sum holds both exactly."""
    shape = (*after.shape[:axes], -1)
    return jnp.concatenate([after.reshape(shape), -before.reshape(shape)], axis=-1)


def _total(x: Array, axes: int) -> Any:
    """Sum over all but the first `axes` axes."""
    if not isinstance(x, Tracer):
        return np.asarray(x, np.float64).sum(axis=tuple(range(axes, x.ndim)))
    if jax.config.read("jax_enable_x64"):
        return jnp.sum(x.astype(jnp.float64), axis=tuple(range(axes, x.ndim)))
    return _compensated(x.reshape(*x.shape[:axes], -1))


def _compensated(x: Float[Array, "... term"]) -> Float[Array, "..."]:
    """Sum with the rounding of every addition carried along (Neumaier 1974)."""

    def add(carry: tuple[Array, Array], term: Array) -> tuple[tuple[Array, Array], None]:
        total, lost = carry
        new = total + term
        larger = jnp.abs(total) >= jnp.abs(term)
        lost = lost + jnp.where(larger, (total - new) + term, (term - new) + total)
        return (new, lost), None

    terms = jnp.moveaxis(x, -1, 0)
    none = jnp.zeros_like(terms[0])
    (total, lost), _ = lax.scan(add, (none, none), terms)
    return total + lost
