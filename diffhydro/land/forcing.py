"""What drives a land model from outside: series of equal time steps, constant within each.

A slice of a `Forcing` in time is a `Forcing`, and so is an instant, whose fields are scalars: the
step and the run of a model take the same type. A series that is not given is `None`; a model that
cannot do without it says so.
"""

from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from diffhydro.core.parameters import as_parameter
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float

_NEVER_NEGATIVE = ("precipitation", "transpiration")


def _series(**declared: Any) -> Any:
    return eqx.field(converter=as_parameter, **declared)


class Forcing(eqx.Module):
    """Rates over steps of `step` days, all of one shape: `[time]`, `[site, time]` or scalar.

    Example:
        >>> forcing = Forcing(precipitation=[0.0, 12.0, 3.0], potential_evaporation=[4.0, 1.0, 2.0])
        >>> forcing.length, forcing[1:].length, float(forcing[1].precipitation)
        (3, 2, 12.0)

    Args:
        precipitation: What reaches the ground, mm/day.
        potential_evaporation: What bare soil would lose if it were wet, mm/day. Negative is dew.
        transpiration: What the plants would take if water were freely available, mm/day; nothing
            when not given. A model without roots does not read it.
        base: Flux (mm/day) or head (mm) at the foot, for the lower boundaries that need one; zero
            when not given.
        step: Length of a time step, days.
    """

    precipitation: Float[Array, "..."] = _series()
    potential_evaporation: Float[Array, "..."] = _series()
    transpiration: Float[Array, "..."] | None = _series(default=None)
    base: Float[Array, "..."] | None = _series(default=None)
    step: float = eqx.field(static=True, default=1.0, kw_only=True)

    def __check_init__(self) -> None:
        if not self.step > 0:
            raise InputError(f"step is {self.step} days; it must be positive")
        series = {name: x for name, x in vars(self).items() if name != "step" and x is not None}
        for name, x in series.items():
            if not hasattr(x, "shape"):
                raise InputError(f"{name} is {x!r}; give a number or an array")
        _check_shapes(series)
        for name, x in series.items():
            _check_values(name, x)

    @property
    def length(self) -> int:
        """Number of time steps."""
        if self.precipitation.ndim == 0:
            raise InputError("this forcing is an instant; it has no length")
        return self.precipitation.shape[-1]

    def __getitem__(self, when: int | slice) -> "Forcing":
        """Return a slice of time, or an instant, at all sites."""
        length = self.length
        if isinstance(when, int) and not -length <= when < length:
            raise IndexError(f"step {when} of a forcing that has {length}")
        return jax.tree.map(lambda x: x[..., when], self)


def _check_shapes(series: dict[str, Array]) -> None:
    shapes = {name: x.shape for name, x in series.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"the series of a forcing need one shape, [time] or [site, time]: {found}")


def _check_values(name: str, x: Any) -> None:
    if isinstance(x, Tracer) or not isinstance(x, jax.Array):
        return
    found = np.asarray(x)
    _refuse_where(name, ~np.isfinite(found), "not finite", "fill the gaps first")
    if name in _NEVER_NEGATIVE:
        _refuse_where(name, found < 0, "negative", "mask it or fix the reader")


def _refuse_where(name: str, bad: np.ndarray, what: str, advice: str) -> None:
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f" (first: {', '.join(map(str, first))})" if first else ""
        raise InputError(f"{name} is {what} at {bad.sum()} of {bad.size} steps{place}; {advice}")
