"""Which rain made this moisture: one number of a run against all that drove it.

    ∂f/∂F(t)  for every series F of the forcing and every t,     ∂f/∂s  for the state at the start

One run backwards gives all of them (the adjoint). The derivatives are per unit of a series (of the
rain, per mm/day), at the weather as it was: what a little more rain on a day would have changed.
Times the rain that fell, that is the day's share of f to first order.
"""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from diffhydro.core.timeloop import SOLVED, AbstractMemory
from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.study import Output
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.typing import Array, Float, PyTree

Named = dict[str, Float[np.ndarray, "..."]]


@dataclasses.dataclass(frozen=True, eq=False)
class Adjoint:
    """The derivatives of one number of a run.

    Attributes:
        value: The number.
        weather: Every series of the forcing `[time]`, by name.
        forcing: Its derivative with each series `[time]`, by name.
        state: Its derivative with each array of the state at the start, by path.
        stores: Its derivative with the water in each store at the start, per mm, as the model names
            its stores (`AbstractModel.stores`); one number or one per part.
        water: The water in each store at the start, mm.
    """

    value: float
    weather: Named
    forcing: Named
    state: Named
    stores: Named
    water: Named

    def share(self, series: str = "precipitation") -> Float[np.ndarray, " time"]:
        """Return derivative times series: what each time gave to the number, to first order."""
        if series not in self.forcing:
            raise InputError(f"there is no {series!r}; the weather has {', '.join(self.forcing)}")
        return self.forcing[series] * self.weather[series]


def adjoint(
    model: AbstractModel,
    forcing: Forcing,
    of: Output,
    state: State | None = None,
    *,
    memory: AbstractMemory = SOLVED,
) -> Adjoint:
    """Differentiate one number of a run with weather and start.

    Example:
        >>> from diffhydro.land.hbv import Hbv
        >>> weather = Forcing([20.0, 0.0, 5.0], [2.0, 3.0, 1.0], temperature=[8.0, 10.0, 3.0])
        >>> found = adjoint(Hbv(), weather, lambda run: run.states.soil[1])
        >>> [f"{x:.1f}" for x in found.forcing["precipitation"]]
        ['1.0', '1.0', '0.0']

    Args:
        forcing: Series `[time]`.
        of: From a run to a number, as in `lambda run: probe(run, 50.0)[-1]`.
        state: Where to start; by default where the model says.
        memory: What the run keeps for the way back, see `AbstractModel.run`.
    """
    state = model.init_state() if state is None else state
    value, (by_forcing, by_state) = _gradients(model, forcing, state, of, memory)
    by_store, water = _per_store(model, state, by_state)
    return Adjoint(
        value=float(value),
        weather=_named(forcing),
        forcing=_named(by_forcing),
        state=_named(by_state),
        stores=by_store,
        water=water,
    )


@eqx.filter_jit
def _gradients(
    model: AbstractModel, forcing: Forcing, state: State, of: Any, memory: AbstractMemory
) -> tuple[Array, tuple[PyTree, PyTree]]:
    def value(inputs: tuple[Forcing, State]) -> Array:
        forcing, state = inputs
        found = of(model.run(forcing, state, memory=memory))
        if jnp.shape(found) != ():
            raise InputError(
                f"an adjoint is that of one number, got shape {jnp.shape(found)}; take one time, "
                "or a mean"
            )
        return found

    return eqx.filter_value_and_grad(value)((forcing, state))


def _per_store(model: AbstractModel, state: State, slopes: PyTree) -> tuple[Named, Named]:
    """Turn derivatives with the state into derivatives with the water that it holds.

    With J = ∂water/∂state the two are tied by slopes = Jᵀ · per water. Each number of a state holds
    the water of one part of a store or none, so that the least squares are exact for the former,
    and leave the latter (a memory, a temperature) out.
    """
    arrays, rest = eqx.partition(state, eqx.is_inexact_array)
    flat, unravel = ravel_pytree(arrays)

    def water(flat: Array) -> dict[str, Array]:
        return model.stores(eqx.combine(unravel(flat), rest))

    held, slope = water(flat), jax.jacrev(water)(flat)
    jacobian = np.concatenate([np.reshape(slope[name], (-1, flat.size)) for name in held])
    given = np.asarray(ravel_pytree(slopes)[0], np.float64)
    per_water = np.linalg.lstsq(jacobian.T.astype(np.float64), given, rcond=None)[0]
    ends = np.cumsum([x.size for x in held.values()])[:-1]
    parts = zip(held.items(), np.split(per_water, ends), strict=True)
    return {name: part.reshape(x.shape) for (name, x), part in parts}, _named(held)


def _named(tree: PyTree) -> Named:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf, np.float64)
        for path, leaf in leaves
        if eqx.is_inexact_array(leaf)
    }
