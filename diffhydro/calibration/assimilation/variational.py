"""4D-Var: the initial state, parameters and rain of a window that fit all its observations best.

The minimum of J (`window.py`), found by L-BFGS (`minimise.py`) with the gradient of the model
itself in reverse mode, which is its adjoint. Where the model is linear and the errors normal the
minimum is the best linear unbiased estimate, and its end that of a Kalman smoother.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.assimilation.minimise import Minimum, Stop, minimise
from diffhydro.calibration.assimilation.observation import Observation, seen
from diffhydro.calibration.assimilation.scheme import AbstractScheme
from diffhydro.calibration.assimilation.uncertainty import (
    UncertainParameters,
    UncertainRain,
    UncertainState,
    World,
    several,
)
from diffhydro.calibration.assimilation.water import Books, added, books, starting
from diffhydro.calibration.assimilation.window import Window
from diffhydro.core.timeloop import PLAIN, AbstractMemory
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float, Int, Key


class Analysis(eqx.Module):
    """What a window was, by all that was known and seen.

    Attributes:
        window: Its background, sources and observations.
        control: The vector v at the minimum.
        world: Model, initial state and weather there.
        before: The run of the background.
        run: The run of the analysis.
        forecast: What the instruments would report of the background.
        reports: What they would report of the analysis.
        water: What the analysis added to the stores at the start of the window, mm.
        terms: Of J, by name, at the background and after every step.
        gradients: Norm of the gradient of J at the same places.
        iterations: Steps of the search.
        converged: Whether it ended by itself.
    """

    window: Window
    control: Float[Array, " control"]
    world: World
    before: Trajectory
    run: Trajectory
    forecast: Float[Array, "series time"]
    reports: Float[Array, "series time"]
    water: dict[str, Float[Array, ""]]
    terms: dict[str, np.ndarray]
    gradients: np.ndarray
    iterations: int
    converged: bool

    @property
    def cost(self) -> np.ndarray:
        """J at the background and after every step."""
        return sum(self.terms.values(), np.zeros(self.iterations + 1))

    @property
    def rain(self) -> Float[Array, " time"]:
        """Rain that the analysis added to that of the background, mm/day."""
        return self.world.forcing.precipitation - self.window.background.forcing.precipitation

    @property
    def books(self) -> Books:
        """The budget of the analysis, with what it added at the start."""
        return books(starting(self.run, self.before.stores_before), self.water)


class Course(NamedTuple):
    """What 4D-Var carries: the day, the state, and the model's arrays as far as it knows them."""

    day: Int[Array, ""]
    state: State
    arrays: Any


class Variational(AbstractScheme[Course, Analysis]):
    """Strong-constraint 4D-Var.

    Every window starts from the last one's analysis, with the same errors: the background's
    covariance is not carried on (as in most operational 4D-Var).

    Example:
        >>> from diffhydro.land.upland import Upland
        >>> from diffhydro.land.observe import layer_mean
        >>> from diffhydro.soil.pedotransfer import cosby
        >>> upland = Upland(soil=cosby(sand=43.0, clay=18.0))
        >>> weather = Forcing([8.0, 0.0], [2.0, 3.0])
        >>> probe = Observation("top", lambda run: layer_mean(run, 0.0, 50.0), [0.35, 0.30], 0.02)
        >>> scheme = Variational(state=[UncertainState("theta", spread=0.05, length=200.0)])
        >>> bool(scheme.analyse(upland, weather, [probe]).converged)
        True

    Args:
        state: Parts of the initial state.
        parameters: Of the model, the same throughout the window.
        rain: Factors on precipitation.
        stop: When the search ends.
        memory: What the time loop keeps for the gradient.
    """

    state: tuple[UncertainState, ...] = eqx.field(default=(), converter=several)
    parameters: UncertainParameters | None = None
    rain: UncertainRain | None = None
    stop: Stop = eqx.field(static=True, default=Stop())
    memory: AbstractMemory = PLAIN

    def start(
        self, model: AbstractModel, state: State | None = None, *, key: Key[Array, ""] | None = None
    ) -> Course:
        state = model.init_state() if state is None else state
        return Course(jnp.zeros((), jnp.int32), state, eqx.filter(model, eqx.is_array))

    def window(
        self,
        model: AbstractModel,
        forcing: Forcing,
        observations: Sequence[Observation],
        carry: Course,
        *,
        key: Key[Array, ""] | None = None,
    ) -> tuple[Analysis, Course]:
        model = eqx.combine(carry.arrays, model)
        analysis = self.analyse(model, forcing, observations, carry.state)
        arrays = eqx.filter(analysis.world.model, eqx.is_array)
        day = carry.day + jnp.int32(forcing.length)
        return analysis, Course(day, analysis.run.final, arrays)

    def analyse(
        self,
        model: AbstractModel,
        forcing: Forcing,
        observations: Sequence[Observation],
        state: State | None = None,
    ) -> Analysis:
        """Analyse one window.

        Args:
            state: The background at its start; by default `init_state()`.
        """
        return _analysis(self.cost(model, forcing, observations, state), self.stop)

    def cost(
        self,
        model: AbstractModel,
        forcing: Forcing,
        observations: Sequence[Observation],
        state: State | None = None,
    ) -> Window:
        """Return the window whose cost is to be least."""
        state = model.init_state() if state is None else state
        sources = [x for x in (self.parameters, *self.state, self.rain) if x is not None]
        background = World(model, state, forcing)
        return Window(background, tuple(sources), tuple(observations), self.memory)


def _analysis(window: Window, stop: Stop) -> Analysis:
    found, world = _search(window, stop)
    # As any run is, outside of the search: where nothing was seen, they are one to the last bit.
    before, run = window.run(window.background), window.run(world)
    steps = int(found.iterations)
    names = (*(one.name for one in window.sources), "observations")
    history = np.asarray(found.history)[: steps + 1]
    background = window.background
    return Analysis(
        window=window,
        control=found.place,
        world=world,
        before=before,
        run=run,
        forecast=seen(window.observations, before),
        reports=seen(window.observations, run),
        water=added(background.model, background.state, world.state, world.model),
        terms=dict(zip(names, history.T, strict=True)),
        gradients=np.asarray(found.gradients)[: steps + 1],
        iterations=steps,
        converged=bool(found.converged),
    )


@eqx.filter_jit
def _search(window: Window, stop: Stop) -> tuple[Minimum, World]:
    found = minimise(window.cost, window.start, stop, window.terms)
    return found, window.settled(found.place)
