"""What a filter leaves of a window: the members' course, what they predicted, what was seen."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.calibration.assimilation.innovations import Innovations
from diffhydro.calibration.assimilation.observation import Observation
from diffhydro.calibration.assimilation.water import Books, books
from diffhydro.land.model import State
from diffhydro.land.trajectory import Profile, Trajectory
from diffhydro.typing import Array, Float, Int


class Members(NamedTuple):
    """What an ensemble carries: the day, and of every member state, free numbers and noise."""

    day: Int[Array, ""]
    states: State
    parameters: Float[Array, "member entry"]
    noise: dict[str, Float[Array, " member"]]


class Filtered(eqx.Module):
    """A window, after the filter.

    Attributes:
        run: The members' course; states and soil moisture are those after the analysis of a day.
        forecast: What the instruments would report before the analysis of a day.
        reports: What they would report after it.
        observations: What was seen.
        innovations: What was seen, less what had been forecast.
        water: What the analysis of each day added to the stores, mm.
        parameters: Those that are estimated, with their units.
    """

    run: Trajectory
    forecast: Float[Array, "series member time"]
    reports: Float[Array, "series member time"]
    observations: tuple[Observation, ...]
    innovations: Innovations
    water: dict[str, Float[Array, "member time"]]
    parameters: dict[str, Float[Array, "member time ..."]]

    @property
    def books(self) -> Books:
        """The budget of every member, with what the analyses added."""
        return books(self.run, self.water)


def joined(windows: Sequence[Filtered]) -> Filtered:
    """Join windows that follow one another."""
    first = windows[0]
    told = first.innovations
    return Filtered(
        run=_one_run([w.run for w in windows]),
        forecast=_along(2, [w.forecast for w in windows]),
        reports=_along(2, [w.reports for w in windows]),
        observations=tuple(map(_one_series, zip(*[w.observations for w in windows], strict=True))),
        innovations=Innovations(
            told.names,
            told.members,
            _along(1, [w.innovations.values for w in windows]),
            _along(1, [w.innovations.variance for w in windows]),
            _along(1, [w.innovations.rank for w in windows]),
        ),
        water=_along(1, [w.water for w in windows]),
        parameters=_along(1, [w.parameters for w in windows]),
    )


def _along(axis: int, parts: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *x: jnp.concatenate(x, axis=axis), *parts)


def _one_series(parts: Sequence[Observation]) -> Observation:
    values, errors = ([getattr(part, f) for part in parts] for f in ("values", "error"))
    return eqx.tree_at(
        lambda o: (o.values, o.error), parts[0], (_along(0, values), _along(0, errors))
    )


def _one_run(runs: Sequence[Trajectory]) -> Trajectory:
    first, last = runs[0], runs[-1]
    profile = None
    if first.profile is not None:
        theta = _along(1, [run.theta for run in runs])
        profile = Profile(first.profile.grid, theta, first.profile.root_share)
    return Trajectory(
        fluxes=_along(1, [run.fluxes for run in runs]),
        states=_along(1, [run.states for run in runs]),
        initial=first.initial,
        final=last.final,
        profile=profile,
        stores_before=first.stores_before,
        stores_after=last.stores_after,
    )
