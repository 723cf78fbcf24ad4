"""What is uncertain before anything is observed, and by how much: the background's errors.

Each source turns standard normal numbers v into a change of the world (model, state, weather):

    state       z = z_b + L v,   L Lᵀ = B,   B_ij = σ_i σ_j exp(−|d_i − d_j|/ℓ)
    parameters  z = z_b + σ v,   z the free numbers of `split`
    rain        P = P_b exp(σ v), one v for every block of days

so that −ln p(v) is ½ v·v whatever the units (the control variable of Courtier, Thépaut &
Hollingsworth 1994, and Lorenc 1988). z of a state are the places of `part.py`, where any number is
physical. v = 0 is the background.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.flatten_util import ravel_pytree

from diffhydro.calibration.assimilation.offers import resolve
from diffhydro.calibration.assimilation.part import AbstractPart, nearest
from diffhydro.core.parameters import values
from diffhydro.core.precision import dtype_of
from diffhydro.core.trainable import merge, split
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.typing import Array, Float, PyTree

Vector = Float[Array, " entry"]


class World(NamedTuple):
    """A model, where it stands, and the weather ahead."""

    model: AbstractModel
    state: State
    forcing: Forcing


class AbstractUncertain(eqx.Module):
    """A source of uncertainty."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What its term of a cost is called."""

    @abstractmethod
    def size(self, world: World) -> int:
        """Return how many numbers v it takes."""

    @abstractmethod
    def moved(self, world: World, v: Vector) -> World:
        """Return the world with this source at v."""


class UncertainState(AbstractUncertain):
    """A part of the state.

    Args:
        part: A name that `offers(model)` knows, or a part of your own.
        spread: Standard deviation of the places: of `Amounts` in their own unit, of `Heads` in
            powers of e of the suction.
        length: Over which errors of layers go together, mm; 0 for errors of their own.
    """

    part: str | AbstractPart
    spread: Float[Array, "..."] = eqx.field(converter=jnp.asarray)
    length: float = 0.0

    def __check_init__(self) -> None:
        _positive("spread", self.spread)
        if self.length < 0:
            raise InputError(f"length is {self.length} mm; 0 is none, and less has no meaning")

    @property
    def name(self) -> str:
        return f"state {self.part if isinstance(self.part, str) else self.part.path}"

    def size(self, world: World) -> int:
        return self.of(world.model).places(world.state).size

    def moved(self, world: World, v: Vector) -> World:
        part = self.of(world.model)
        step = self.step(part, world.state, v)
        return world._replace(state=part.moved(world.state, step))

    def of(self, model: AbstractModel) -> AbstractPart:
        """Return the part of a model's state."""
        return resolve(self.part, model)

    def step(self, part: AbstractPart, state: State, v: Vector) -> Vector:
        """Return L v."""
        spread = jnp.broadcast_to(self.spread.astype(v.dtype), v.shape)
        depth = part.depth(state)
        if depth is None or self.length == 0:
            return spread * v
        apart = jnp.abs(depth[:, None] - depth[None]).astype(v.dtype)
        together = jnp.linalg.cholesky(jnp.exp(-apart / self.length))
        return spread * jnp.sum(together * v[None], axis=1)


class UncertainParameters(AbstractUncertain):
    """Parameters, in the free numbers of `split`; a spread of 1 is a quarter of a range or so.

    Args:
        train: Paths, parts and patterns.
        spread: Standard deviation of the free numbers; one, or one by path.
    """

    train: tuple[str, ...] = eqx.field(
        static=True, converter=lambda x: (x,) if isinstance(x, str) else tuple(x)
    )
    spread: dict[str, Any] | Float[Array, ""] = eqx.field(
        converter=lambda x: dict(x) if isinstance(x, Mapping) else jnp.asarray(x), default=0.5
    )

    def __check_init__(self) -> None:
        for path, x in (
            self.spread.items() if isinstance(self.spread, dict) else [("", self.spread)]
        ):
            _positive(f"spread {path}".strip(), jnp.asarray(x))

    @property
    def name(self) -> str:
        return "parameters"

    def size(self, world: World) -> int:
        return self.vector(world.model).size

    def moved(self, world: World, v: Vector) -> World:
        vector = self.vector(world.model)
        step = self.spreads(world.model).astype(v.dtype) * v
        return world._replace(model=self.put(world.model, vector + step.astype(vector.dtype)))

    def vector(self, model: AbstractModel) -> Vector:
        """Return the free numbers of a model."""
        free, _ = split(model, self.train)
        return ravel_pytree((free.parameters, free.networks))[0]

    def put(self, model: AbstractModel, vector: Vector) -> AbstractModel:
        """Return the model of free numbers."""
        free, frozen = split(model, self.train)
        _, shaped = ravel_pytree((free.parameters, free.networks))
        parameters, networks = shaped(vector)
        return merge(type(free)(parameters, networks), frozen)

    def values(self, model: AbstractModel, vector: Vector) -> dict[str, Array]:
        """Return the parameters, with their units, of free numbers."""
        free, _ = split(model, self.train)
        held = values(self.put(model, vector))
        return {path: held[path] for path in free.parameters}

    def spreads(self, model: AbstractModel) -> Vector:
        """Return the standard deviation of every free number."""
        free, _ = split(model, self.train)
        tree: PyTree = ({**free.parameters}, {**free.networks})
        if isinstance(self.spread, dict):
            known = dict.fromkeys([*free.parameters, *free.networks])
            wrong = {*self.spread} ^ {*known}
            if wrong:
                first = sorted(wrong)[0]
                raise InputError(f"spread and train differ in {nearest(first, known)}")
        given = self.spread

        def spread(keys: tuple, x: Array) -> Array:
            number = given[keys[1].key] if isinstance(given, dict) else given
            return jnp.broadcast_to(jnp.asarray(number, x.dtype), x.shape)

        return ravel_pytree(jax.tree_util.tree_map_with_path(spread, tree))[0]


class UncertainRain(AbstractUncertain):
    """Factors on the rain, log-normal with the median 1.

    The median, and not the mean, because v = 0 has to be the weather as given.

    Args:
        spread: Standard deviation of the logarithm; 0.3 is about 30 %.
        days: That share a factor: 1 is a factor for each day (a dry day's stays 1, since nothing
            speaks against it), the length of the window one for all.
    """

    spread: Float[Array, ""] = eqx.field(converter=jnp.asarray)
    days: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        _positive("spread", self.spread)
        if self.days < 1:
            raise InputError(f"days is {self.days}; a factor is for one day or more")

    @property
    def name(self) -> str:
        return "rain"

    def size(self, world: World) -> int:
        return math.ceil(world.forcing.length / self.days)

    def moved(self, world: World, v: Vector) -> World:
        return world._replace(forcing=rained(world.forcing, self.factors(world.forcing, v)))

    def factors(self, forcing: Forcing, v: Vector) -> Float[Array, " time"]:
        """Return the factor of every day."""
        each = jnp.exp(self.spread.astype(v.dtype) * v)
        return jnp.repeat(each, self.days)[: forcing.length]


def rained(forcing: Forcing, factor: Float[Array, "..."]) -> Forcing:
    """Return the weather with its rain, and melt that comes with it, multiplied."""

    def product(x: Array) -> Array:
        return x * factor.astype(x.dtype)

    wetter = eqx.tree_at(lambda f: f.precipitation, forcing, product(forcing.precipitation))
    if forcing.melt is None:
        return wetter
    return eqx.tree_at(lambda f: f.melt, wetter, product(forcing.melt))


def several(state: UncertainState | Sequence[UncertainState]) -> tuple[UncertainState, ...]:
    """Return one or many as many."""
    return (state,) if isinstance(state, UncertainState) else tuple(state)


def moved(sources: Sequence[AbstractUncertain], world: World, v: Sequence[Vector]) -> World:
    """Move a world by all sources, one after the other."""
    for source, part in zip(sources, v, strict=True):
        world = source.moved(world, part)
    return world


def settled(source: AbstractUncertain, world: World, v: Vector) -> World:
    """Move a world, and leave every bit of it where v is nothing at all."""
    still = jnp.all(v == 0)
    old, rest = eqx.partition(world, eqx.is_array)
    new = eqx.filter(source.moved(world, v), eqx.is_array)
    return eqx.combine(jax.tree.map(lambda a, b: jnp.where(still, a, b), old, new), rest)


def dtype_of_state(state: State) -> Any:
    """Return the floating type of a state."""
    return dtype_of(eqx.filter(state, eqx.is_inexact_array))


def _positive(name: str, x: Array) -> None:
    if isinstance(x, Tracer):
        return
    if not bool(jnp.all(jnp.isfinite(x) & (x > 0))):
        raise InputError(
            f"{name} is {x}; a standard deviation is positive, leave out what is known"
        )
