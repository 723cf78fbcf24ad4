"""What drives a land model from outside: series of equal time steps, constant within each.

A slice of a `Forcing` in time is a `Forcing`, and so is an instant, whose fields are scalars: the
step and the run of a model take the same type. A series that is not given is `None`; a model that
cannot do without it says so.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer

from diffhydro.core.parameters import as_parameter
from diffhydro.errors import InputError
from diffhydro.land.air import saturation
from diffhydro.typing import Array, Float


class Range(NamedTuple):
    """What a series can be anywhere on Earth; beyond it the unit is wrong, or the sign."""

    least: float
    most: float
    advice: str


_DRIEST, _DAMPEST = 0.03, 1.6  # median relative humidity of a record
_RAIN = Range(0.0, 2500.0, "rain is in mm/day and never negative; mask it or fix the reader")
_WARMTH = Range(-100.0, 70.0, "temperatures are in °C; from kelvin subtract 273.15")
RANGES = {
    "precipitation": _RAIN,
    "transpiration": Range(0.0, 100.0, "transpiration is in mm/day and never negative"),
    "melt": _RAIN,
    "temperature": _WARMTH,
    "temperature_max": _WARMTH,
    "temperature_min": _WARMTH,
    "shortwave": Range(
        -0.5, 650.0, "shortwave is a daily mean in W/m²; from MJ/m²/day divide by 0.0864"
    ),
    "vapour_pressure": Range(0.0, 8000.0, "vapour pressure is in Pa; from hPa multiply by 100"),
    "leaf_area": Range(0.0, 20.0, "leaf area is in m²/m², one-sided"),
    "daylight": Range(0.0, 1.0, "daylight is a share of the day; from hours divide by 24"),
    "extraterrestrial": Range(0.0, 600.0, "radiation above the air is a daily mean in W/m²"),
    "wind": Range(0.0, 100.0, "wind is in m/s at 2 m"),
    "pressure": Range(30_000.0, 115_000.0, "pressure is in Pa; from hPa multiply by 100"),
}


def _series(**declared: Any) -> Any:
    return eqx.field(converter=as_parameter, **declared)


def _optional() -> Any:
    return _series(default=None, kw_only=True)


class Forcing(eqx.Module):
    """Weather over steps of `step` days, all of one shape: `[time]`, `[site, time]` or scalar.

    Every model reads some of the series and says which it misses.

    Example:
        >>> forcing = Forcing(precipitation=[0.0, 12.0, 3.0], potential_evaporation=[4.0, 1.0, 2.0])
        >>> forcing.length, forcing[1:].length, float(forcing[1].precipitation)
        (3, 2, 12.0)

    Args:
        precipitation: What falls, or reaches a ground that has nothing above it, mm/day.
        potential_evaporation: What bare soil would lose if it were wet, mm/day. Negative is dew.
        transpiration: What the plants would take if water were freely available, mm/day; nothing
            when not given. A model without roots does not read it.
        base: Flux (mm/day) or head (mm) at the foot, for the lower boundaries that need one; zero
            when not given.
        melt: The part of the precipitation that is melting snow, for laws of runoff that tell it
            from rain; nothing when not given.
        temperature: Of the air, mean of the step, °C.
        temperature_max: Of the day, °C.
        temperature_min: Of the night, °C.
        shortwave: Downwelling, mean of the step, W/m².
        vapour_pressure: Pa.
        leaf_area: One-sided, m²/m².
        daylight: Share of the day between sunrise and sunset (`sun.daylight`); half of it when not
            given.
        extraterrestrial: Radiation above the air (`sun.extraterrestrial`), W/m².
        wind: At 2 m, m/s; 2 when not given.
        pressure: Of the air, Pa; that at sea level when not given.
        step: Length of a time step, days.
    """

    # A series that is not given is None. Typed as arrays all the same: `require` makes sure of what
    # a model needs, and the model asks of the rest.
    precipitation: Float[Array, "..."] = _series()
    potential_evaporation: Float[Array, "..."] = _series(default=None)
    transpiration: Float[Array, "..."] = _series(default=None)
    base: Float[Array, "..."] = _series(default=None)
    melt: Float[Array, "..."] = _optional()
    temperature: Float[Array, "..."] = _optional()
    temperature_max: Float[Array, "..."] = _optional()
    temperature_min: Float[Array, "..."] = _optional()
    shortwave: Float[Array, "..."] = _optional()
    vapour_pressure: Float[Array, "..."] = _optional()
    leaf_area: Float[Array, "..."] = _optional()
    daylight: Float[Array, "..."] = _optional()
    extraterrestrial: Float[Array, "..."] = _optional()
    wind: Float[Array, "..."] = _optional()
    pressure: Float[Array, "..."] = _optional()
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
        _check_damp(series)

    def require(self, names: Iterable[str], who: str) -> None:
        """Raise InputError if a series that `who` reads is not here."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            here = [name for name, x in vars(self).items() if name != "step" and x is not None]
            raise InputError(
                f"{who} needs {', '.join(missing)}, which the forcing lacks; it has "
                f"{', '.join(here)}"
            )

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
    allowed = RANGES.get(name)
    if allowed is None:
        return
    if allowed.least == 0:
        _refuse_where(name, found < 0, "negative", allowed.advice)
    outside = (found < allowed.least) | (found > allowed.most)
    what = f"outside {allowed.least:g} … {allowed.most:g}"
    _refuse_where(name, outside, what, allowed.advice, found)


def _check_damp(series: dict[str, Any]) -> None:
    """Tell vapour pressure in hPa or kPa from that of dry air."""
    pair = [series.get(name) for name in ("vapour_pressure", "temperature")]
    if any(x is None or isinstance(x, Tracer) or not isinstance(x, jax.Array) for x in pair):
        return
    vapour, warmth = (np.asarray(x, np.float64) for x in pair)
    humidity = float(np.median(vapour / (saturation(warmth))))
    if not _DRIEST <= humidity <= _DAMPEST:
        raise InputError(
            f"vapour_pressure makes a median relative humidity of {100 * humidity:.3g} %; it is in "
            "Pa (from hPa multiply by 100, from kPa by 1000) and temperature in °C"
        )


def _refuse_where(
    name: str, bad: np.ndarray, what: str, advice: str, found: np.ndarray | None = None
) -> None:
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f" (first: {', '.join(map(str, first))})" if first else ""
        value = "" if found is None else f", {float(found[first]):.6g} there"
        raise InputError(
            f"{name} is {what} at {bad.sum()} of {bad.size} steps{place}{value}; {advice}"
        )
