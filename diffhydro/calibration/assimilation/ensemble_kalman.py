"""The ensemble Kalman filter: members under weather of their own meet each observation.

Evensen 1994, 2003; Reichle, McLaughlin & Entekhabi 2002 for land; parameters in the state after
Anderson 2001 and Moradkhani et al. 2005. What happens in a day is in `ensemble_day.py`, the two
laws of analysis in `kalman.py`.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.calibration.assimilation.ensemble_day import Day, Filter
from diffhydro.calibration.assimilation.filtered import Filtered, Members
from diffhydro.calibration.assimilation.innovations import Innovations
from diffhydro.calibration.assimilation.kalman import AbstractKalman, SquareRoot
from diffhydro.calibration.assimilation.observation import Observation, check, stacked
from diffhydro.calibration.assimilation.perturbation import Perturbations
from diffhydro.calibration.assimilation.scheme import AbstractScheme
from diffhydro.calibration.assimilation.spreading import AbstractSpreading, AsItIs
from diffhydro.calibration.assimilation.uncertainty import (
    UncertainParameters,
    UncertainState,
    dtype_of_state,
    several,
)
from diffhydro.core.ensembles import VMAP, AbstractMap
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.land.trajectory import Profile, Trajectory
from diffhydro.typing import Array, Key


class EnsembleKalman(AbstractScheme[Members, Filtered]):
    """The filter.

    Example:
        >>> from diffhydro.calibration.assimilation.perturbation import Factor
        >>> from diffhydro.land.upland import Upland
        >>> from diffhydro.land.observe import layer_mean
        >>> from diffhydro.soil.pedotransfer import cosby
        >>> upland = Upland(soil=cosby(sand=43.0, clay=18.0))
        >>> probe = Observation("top", lambda run: layer_mean(run, 0.0, 50.0), [0.35, 0.30], 0.02)
        >>> scheme = EnsembleKalman(
        ...     16,
        ...     state=UncertainState("theta", spread=0.05, length=200.0),
        ...     weather=Perturbations(precipitation=Factor(0.3)),
        ... )
        >>> result = scheme.filter(
        ...     upland, Forcing([8.0, 0.0], [2.0, 3.0]), [probe], key=jax.random.key(0)
        ... )
        >>> result.run.theta.shape
        (16, 2, 6)

    Args:
        members: Of the ensemble.
        state: Parts of the state that are uncertain at the start and moved by every analysis.
        parameters: That are uncertain at the start and moved too.
        weather: How it is perturbed.
        analysis: `SquareRoot()` or `PerturbedObservations()`.
        spreading: How members are kept apart.
        how: How to run over members.
    """

    members: int = eqx.field(static=True)
    state: tuple[UncertainState, ...] = eqx.field(default=(), converter=several)
    parameters: UncertainParameters | None = None
    weather: Perturbations = eqx.field(default_factory=Perturbations)
    analysis: AbstractKalman = eqx.field(default_factory=SquareRoot)
    spreading: AbstractSpreading = eqx.field(default_factory=AsItIs)
    how: AbstractMap = VMAP

    def __check_init__(self) -> None:
        if self.members < 2:
            raise InputError(
                f"an ensemble of {self.members} has no spread; give 20 members or more"
            )
        if not self.state and self.parameters is None:
            raise InputError("nothing is to be moved: give a state or parameters")

    def filter(
        self,
        model: AbstractModel,
        forcing: Forcing,
        observations: Sequence[Observation],
        state: State | None = None,
        *,
        key: Key[Array, ""],
    ) -> Filtered:
        """Filter one stretch of time.

        Args:
            state: The mean of the members' states at the start; by default `init_state()`.
        """
        self._check(model, forcing, observations)
        carry = self.start(model, state, key=key)
        return self.window(model, forcing, observations, carry, key=key)[0]

    def start(
        self, model: AbstractModel, state: State | None = None, *, key: Key[Array, ""] | None = None
    ) -> Members:
        state = model.init_state() if state is None else state
        key = jax.random.fold_in(_needed(key), 0)
        return _drawn(self.of(model, ()), state, self.members, key)

    def window(
        self,
        model: AbstractModel,
        forcing: Forcing,
        observations: Sequence[Observation],
        carry: Members,
        *,
        key: Key[Array, ""] | None = None,
    ) -> tuple[Filtered, Members]:
        self._check(model, forcing, observations)
        return _filtered(self.of(model, observations), forcing, carry, _needed(key))

    def _check(
        self, model: AbstractModel, forcing: Forcing, observations: Sequence[Observation]
    ) -> None:
        if forcing.precipitation.ndim != 1:
            raise InputError(
                f"a filter takes weather [time], got shape {forcing.precipitation.shape}; "
                "assimilate one site at a time"
            )
        forcing.require(model.needs, type(model).__name__)
        self.weather.require(forcing)
        check(observations, forcing.length)

    def of(self, model: AbstractModel, observations: Sequence[Observation]) -> Filter:
        """Return the filter of a model."""
        return Filter(
            model=model,
            observations=tuple(observations),
            state=self.state,
            parameters=self.parameters,
            weather=self.weather,
            analysis=self.analysis,
            spreading=self.spreading,
            how=self.how,
        )


@eqx.filter_jit
def _drawn(daily: Filter, state: State, members: int, key: Array) -> Members:
    first, second = jax.random.split(key)
    states, vectors = jax.vmap(lambda key: daily.draw(state, key=key))(
        jax.random.split(first, members)
    )
    noise = daily.weather.first(members, dtype_of_state(state), key=second)
    return Members(jnp.zeros((), jnp.int32), states, vectors, noise)


@eqx.filter_jit
def _filtered(
    daily: Filter, forcing: Forcing, carry: Members, key: Array
) -> tuple[Filtered, Members]:
    like = jnp.zeros((0, forcing.length), dtype_of_state(carry.states))
    values, errors = stacked(daily.observations, like)
    # Not the key of the first draw, whose number is 0.
    key = jax.random.fold_in(key, 1)

    def day(carry: Members, now: tuple[Forcing, Array, Array]) -> tuple[Members, Day]:
        return daily.day(carry, *now, key=key)

    after, days = lax.scan(day, carry, (forcing, values.T, errors.T))
    return _told(daily, (values, errors), carry, after, days), after


def _told(
    daily: Filter, told: tuple[Array, Array], before: Members, after: Members, days: Day
) -> Filtered:
    """Put the days together: member first, then time."""
    values, errors = told
    mean = jnp.mean(days.forecast, axis=1).T
    variance = jnp.var(days.forecast, axis=1, ddof=1).T + errors**2
    names = tuple(one.name for one in daily.observations)
    members = days.forecast.shape[1]
    return Filtered(
        run=_run(daily, before, after, days),
        forecast=jnp.transpose(days.forecast, (2, 1, 0)),
        reports=jnp.transpose(days.reports, (2, 1, 0)),
        observations=daily.observations,
        innovations=Innovations(names, members, values - mean, variance, days.rank.T),
        water=_by_member(days.water),
        parameters=jax.vmap(jax.vmap(daily.values))(_by_member(days.parameters)),
    )


def _run(daily: Filter, before: Members, after: Members, days: Day) -> Trajectory:
    def stores(members: Members) -> dict[str, Array]:
        def one(vector: Array, state: State) -> dict[str, Array]:
            return daily.member(vector).stores(state)

        return jax.vmap(one)(members.parameters, members.states)

    profile = None
    if days.profile is not None:
        # Each day's is a profile of one time.
        theta = _by_member(days.profile.theta[:, :, 0])
        grid, share = jax.tree.map(lambda x: x[-1], (days.profile.grid, days.profile.root_share))
        profile = Profile(grid, theta, share)
    return Trajectory(
        fluxes=_by_member(days.fluxes),
        states=_by_member(days.states),
        initial=before.states,
        final=after.states,
        profile=profile,
        stores_before=stores(before),
        stores_after=stores(after),
    )


def _by_member(tree: Any) -> Any:
    return jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), tree)


def _needed(key: Any) -> Array:
    if key is None:
        raise InputError("an ensemble draws its members: give key=jax.random.key(…)")
    return key
