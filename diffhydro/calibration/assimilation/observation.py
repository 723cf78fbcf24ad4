"""What was observed: a series with gaps, how sure it is, and the instrument that would report it.

An instrument is a function from a trajectory to a series, `partial(probe, depth=50.0)`: it sees
soil moisture at several depths, a satellite's skin, or a flux such as the outflow of the day.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from diffhydro.errors import InputError
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float


class Observation(eqx.Module):
    """A series that an instrument reported.

    Example:
        >>> from diffhydro.land.observe import layer_mean
        >>> def skin(run):
        ...     return layer_mean(run, 0.0, 50.0)
        >>> seen = Observation("skin", skin, [0.21, float("nan"), 0.24], error=0.03)
        >>> int(seen.known.sum())
        2

    Args:
        name: What it is called in reports.
        observe: From a trajectory to the series.
        values: By day; NaN where there is nothing.
        error: Standard deviation of instrument and representativeness; one, or one by day.
    """

    name: str = eqx.field(static=True)
    observe: Callable[[Trajectory], Array]
    values: Float[Array, " time"]
    error: Float[Array, " time"]

    def __init__(
        self, name: str, observe: Callable[[Trajectory], Array], values: Any, error: Any
    ) -> None:
        self.name, self.observe = name, observe
        self.values = jnp.asarray(values, float) if not _floats(values) else jnp.asarray(values)
        spread = jnp.asarray(error, self.values.dtype)
        if spread.shape not in ((), self.values.shape):
            raise InputError(
                f"{name}: error has shape {spread.shape}; give a number, or one for each of the "
                f"values, {self.values.shape}"
            )
        self.error = jnp.broadcast_to(spread, self.values.shape)

    def __check_init__(self) -> None:
        if isinstance(self.values, Tracer):
            return
        seen, spread = np.asarray(self.values), np.asarray(self.error)
        if seen.ndim != 1:
            raise InputError(f"{self.name}: values have shape {seen.shape}; expected [time]")
        if np.isinf(seen).any():
            raise InputError(f"{self.name}: a value is infinite; NaN says that there is none")
        if not (~np.isnan(seen)).any():
            raise InputError(
                f"{self.name}: all {seen.size} values are missing; leave this observation out"
            )
        wrong = ~(spread > 0) | ~np.isfinite(spread)
        if wrong.any():
            raise InputError(
                f"{self.name}: error is {spread[wrong][0]:g} at {wrong.sum()} of {wrong.size} "
                "values; it is a standard deviation, above zero"
            )

    @classmethod
    def scattered(
        cls,
        name: str,
        observe: Callable[[Trajectory], Array],
        days: Sequence[int],
        values: Sequence[float],
        error: float,
        *,
        length: int,
    ) -> "Observation":
        """Make a series of a few days, counted from 0 at the start of a window.

        Args:
            length: Of the window, days.
        """
        at, seen = np.asarray(days, int), np.asarray(values, float)
        if at.shape != seen.shape:
            raise InputError(f"{name}: {at.size} days for {seen.size} values")
        outside = (at < 0) | (at >= length)
        if outside.any():
            raise InputError(
                f"{name}: {outside.sum()} of {at.size} observations lie outside the window (first: "
                f"day {at[outside][0]}; the window has days 0 to {length - 1})"
            )
        series = np.full(length, np.nan)
        series[at] = seen
        return cls(name, observe, series, error)

    @property
    def known(self) -> Array:
        """Where there is a value."""
        return ~jnp.isnan(self.values)

    def __getitem__(self, when: slice) -> "Observation":
        """Return a stretch of time, which may be without any value."""
        return eqx.tree_at(
            lambda o: (o.values, o.error), self, (self.values[when], self.error[when])
        )


def check(observations: Sequence[Observation], length: int) -> None:
    """Raise InputError for observations that do not fit a window of so many days."""
    names = [one.name for one in observations]
    if len({*names}) < len(names):
        raise InputError(f"observations need names of their own; got {', '.join(names)}")
    for one in observations:
        found = one.values.shape[0]
        if found != length:
            where = f"{found - length} of them lie outside" if found > length else "too few"
            raise InputError(
                f"{one.name} has {found} values and the weather {length} days, {where}; put both "
                "on the same days, with NaN where nothing was observed (Observation.scattered)"
            )


def seen(observations: Sequence[Observation], run: Trajectory) -> Float[Array, "series time"]:
    """Return what all instruments would report of a run at one site."""
    reports = [one.observe(run) for one in observations]
    time = run.fluxes.precipitation.shape
    for one, report in zip(observations, reports, strict=True):
        if report.shape != time:
            raise InputError(
                f"the instrument of {one.name} reports shape {report.shape}; expected a number for "
                f"each time, {time}"
            )
    if not reports:
        return jnp.zeros((0, *time), run.fluxes.precipitation.dtype)
    return jnp.stack([report.astype(run.fluxes.precipitation.dtype) for report in reports])


def stacked(observations: Sequence[Observation], like: Array) -> tuple[Array, Array]:
    """Return values, NaN where there is none, and errors `[series, time]`, in a type."""
    if not observations:
        return like, like
    values = jnp.stack([one.values.astype(like.dtype) for one in observations])
    return values, jnp.stack([one.error.astype(like.dtype) for one in observations])


def _floats(values: Any) -> bool:
    return isinstance(values, jax.Array | np.ndarray) and np.issubdtype(values.dtype, np.floating)
