"""What a hybrid is driven by: series and attributes by name.

Physics reads the series it knows as a `Forcing`. Heads read whatever they are told to: series of
any name, such as a vegetation index or what a satellite saw, and attributes of the place.
"""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.land.forcing import RANGES, Forcing
from diffhydro.typing import Array, Float

_KNOWN = {*RANGES, "potential_evaporation", "base"}


class Inputs(eqx.Module):
    """Series `[*site, time]` and attributes `[*site]`, by name.

    >>> given = Inputs({"precipitation": jnp.array([0.0, 5.0])}, {"sand": jnp.array(40.0)})
    >>> given.forcing().length
    2

    Args:
        series: Of one shape; those whose names a `Forcing` has drive the physics.
        attributes: Of the place; `[*site, depth]` for what varies with depth.
        step: Length of a time step, days.
    """

    series: dict[str, Float[Array, "*site time"]]
    attributes: dict[str, Float[Array, "*site"]] = eqx.field(default_factory=dict)
    step: float = eqx.field(static=True, default=1.0)

    def forcing(self) -> Forcing:
        """Give what physics knows of the series."""
        if "precipitation" not in self.series:
            raise InputError(f"physics needs precipitation; the series are {_listed(self.series)}")
        known = {name: x for name, x in self.series.items() if name in _KNOWN}
        return Forcing(**known, step=self.step)

    def stacked(self, names: Sequence[str]) -> Float[Array, "*site time feature"]:
        """Give some series side by side."""
        return jnp.stack([_of(self.series, name, "series") for name in names], axis=-1)

    def fixed(self, names: Sequence[str]) -> Float[Array, "*site feature"]:
        """Give some attributes side by side."""
        return jnp.stack([_of(self.attributes, name, "attribute") for name in names], axis=-1)

    def between(self, first: int, after: int) -> "Inputs":
        """Give a stretch of time."""
        cut = {name: x[..., first:after] for name, x in self.series.items()}
        return Inputs(cut, self.attributes, self.step)


def _of(held: Mapping[str, Array], name: str, kind: str) -> Array:
    if name not in held:
        raise InputError(f"a head reads the {kind} {name!r}; there is {_listed(held)}")
    return held[name]


def _listed(held: Mapping[str, Array]) -> str:
    return ", ".join(held) or "none"
