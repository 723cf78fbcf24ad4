"""What is asked of a model: at which site, and of which parameters."""

from collections.abc import Callable, Mapping, Sequence

import equinox as eqx
import numpy as np

from diffhydro.core.bijections import interval
from diffhydro.core.timeloop import SOLVED, AbstractMemory
from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.chosen import Chosen, Range, choose
from diffhydro.evaluation.sensitivity.response import Response
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float

Output = Callable[[Trajectory], Array]


class Study(eqx.Module):
    """A model at one site, and the parameters that are in question.

    Example:
        >>> from diffhydro.land.hbv import Hbv
        >>> weather = Forcing([20.0, 0.0, 5.0], [2.0, 3.0, 1.0], temperature=[8.0, 10.0, 3.0])
        >>> study = Study(Hbv(), weather, ["beta", "k?"], within={"beta": (1.0, 3.0)})
        >>> study.names
        ('beta', 'k0', 'k1', 'k2')
        >>> runoff = study.response(lambda run: run.fluxes.runoff.sum())
        >>> runoff.at(np.full((1, 4), 0.5)).shape
        (1,)
    """

    model: AbstractModel
    forcing: Forcing
    state: State
    chosen: Chosen = eqx.field(static=True)
    columns: int | None = eqx.field(static=True)
    memory: AbstractMemory

    def __init__(
        self,
        model: AbstractModel,
        forcing: Forcing,
        parameters: str | Sequence[str] = "*",
        *,
        within: Mapping[str, Range] | None = None,
        state: State | None = None,
        columns: int | None = 256,
        memory: AbstractMemory = SOLVED,
    ) -> None:
        """Choose what to study.

        Args:
            model: Its values are where elasticities are taken; global methods leave only the
                parameters that are not chosen where they are.
            forcing: Series `[time]`.
            parameters: Paths, parts and patterns, by the rules of `split`.
            within: Narrower bounds than the declared, by path. What a global method finds holds
                for the bounds it was given, and declared ones span all soils of the world.
            state: Where runs start; by default where the model says, which may depend on its
                parameters.
            columns: Most runs to compute side by side, see `simulate`.
            memory: What runs keep for gradients, see `run`.
        """
        shape = forcing.precipitation.shape
        if len(shape) != 1:
            raise InputError(f"a study takes the weather of one site, [time]; got shape {shape}")
        forcing.require(model.needs, type(model).__name__)
        self.model, self.forcing, self.state = model, forcing, state
        self.chosen = choose(model, parameters, within)
        self.columns, self.memory = columns, memory

    @property
    def names(self) -> tuple[str, ...]:
        """The numbers that are in question."""
        return self.chosen.names

    def response(self, output: Output) -> Response:
        """Return one number of a run as a function of positions between the bounds.

        Args:
            output: From a run to a number, as in `lambda run: probe(run, 50.0).mean()`. The same
                function again costs no second compilation. Where a solver reports failures, look
                at them too: `lambda run: run.effort.forced.sum()` is another output.
        """
        for path, spec in zip(self.chosen.paths, self.chosen.specs, strict=True):
            if not np.all(np.isfinite(interval(spec.bounds))):
                raise InputError(
                    f"{path} is declared in {spec.interval}; to sample it needs two bounds, give "
                    f"them as within={{'{path}': (lower, upper)}}"
                )
        return Response(self.names, _AtPositions(self, output), self.columns)


class _AtPositions(eqx.Module):
    study: Study
    output: Output = eqx.field(static=True)

    def __call__(self, positions: Float[Array, " entry"]) -> Array:
        study = self.study
        model: AbstractModel = study.chosen.place(study.model, positions)
        return self.output(model.run(study.forcing, study.state, memory=study.memory))
