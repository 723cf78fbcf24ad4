"""Many models of one kind as one model whose arrays have a leading `member` axis.

How to run over the members is an object, because it depends on the machine: `VMAP` computes them
side by side and is for accelerators; `MAP` computes them one after the other in one compiled
program and is for CPUs, where eleven LSTMs side by side ran 1.8 times slower than in turn.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import Array, Int, Key, PyTree

Model = TypeVar("Model")


class AbstractMap(eqx.Module):
    """A way to apply a function along the first axis of a tree of arrays."""

    @abc.abstractmethod
    def over(self, function: Callable[[PyTree], PyTree], arrays: PyTree) -> PyTree:
        """Return `function` of each slice of `arrays`, stacked."""


class Vmap(AbstractMap):
    """Side by side."""

    def over(self, function: Callable[[PyTree], PyTree], arrays: PyTree) -> PyTree:
        return jax.vmap(function)(arrays)


class Map(AbstractMap):
    """One after the other, or `batch` at a time."""

    batch: int | None = eqx.field(static=True, default=None)

    def over(self, function: Callable[[PyTree], PyTree], arrays: PyTree) -> PyTree:
        return jax.lax.map(function, arrays, batch_size=self.batch)


VMAP = Vmap()
MAP = Map()


def ensemble(make: Callable[[Key[Array, ""]], Model], n: int, *, key: Key[Array, ""]) -> Model:
    """Make n members, each from its own key.

    `make` runs once, under a map: it must not ask for the value of its key. Where it has to, make
    the members one by one and `stack` them.
    """
    if n < 1:
        raise InputError(f"an ensemble needs at least one member, got {n}")
    return eqx.filter_vmap(make)(jax.random.split(key, n))


def stack(members: Sequence[Model]) -> Model:
    """Join models that differ in the values of their arrays only; the inverse of `members`."""
    if not members:
        raise InputError("an ensemble needs at least one member, got none")
    for number, other in enumerate(members[1:], start=1):
        if (difference := _difference(members[0], other)) is not None:
            raise InputError(f"members 0 and {number} cannot be stacked: {difference}")
    parts = [eqx.partition(member, _is_array) for member in members]
    arrays = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(arrays for arrays, _ in parts))
    return eqx.combine(arrays, parts[0][1])


def member(e: Model, i: int | Int[Array, ""]) -> Model:
    """Return member i as a single model."""
    if isinstance(i, int) and not -size(e) <= i < size(e):
        raise InputError(f"there is no member {i} in an ensemble of {size(e)}")
    return jax.tree.map(lambda leaf: leaf[i] if _is_array(leaf) else leaf, e)


def members(e: Model) -> list[Model]:
    """Return all members as single models."""
    return [member(e, i) for i in range(size(e))]


def size(e: PyTree) -> int:
    """Return how many members there are; raise InputError where the arrays disagree."""
    sizes: dict[int, str] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(e):
        if _is_array(leaf):
            name = jax.tree_util.keystr(path).lstrip(".")
            if leaf.ndim == 0:
                raise InputError(f"{name} has no member axis: it is a scalar")
            sizes.setdefault(leaf.shape[0], name)
    if not sizes:
        raise InputError("an ensemble needs at least one array, to have a member axis")
    if len(sizes) > 1:
        found = ", ".join(f"{name} has {count}" for count, name in sizes.items())
        raise InputError(f"arrays disagree about the number of members: {found}")
    return next(iter(sizes))


def over_members(function: Callable[..., Any], how: AbstractMap = VMAP) -> Callable[..., Any]:
    """Make a function of one member serve an ensemble.

    Positional arguments have one entry per member; keyword arguments are shared by all.

    >>> shift = over_members(lambda state, *, rain: state + rain)
    >>> shift(jnp.arange(2.0), rain=1.0).tolist()
    [1.0, 2.0]
    """

    def mapped(*args: Any, **shared: Any) -> Any:
        size(args)
        arrays, rest = eqx.partition(args, _is_array)
        kept = []

        def one(arrays: PyTree) -> PyTree:
            result = function(*eqx.combine(arrays, rest), **shared)
            arrays, others = eqx.partition(result, eqx.is_array)
            kept[:] = [others]
            return arrays

        arrays = how.over(one, arrays)
        # What is no array cannot differ between members, so the one seen while tracing will do.
        return eqx.combine(arrays, kept[0])

    return mapped


def _difference(one: Any, other: Any, path: str = "") -> str | None:
    """Return where two members differ in more than values: class, static field, leaf or shape."""
    name = path.lstrip(".") or "the model"
    if type(one) is not type(other) and not (_is_array(one) and _is_array(other)):
        return f"{name} is a {type(one).__name__} in one and a {type(other).__name__} in the other"
    if isinstance(one, eqx.Module):
        return _first_difference(vars(one), vars(other), path, ".{}")
    if isinstance(one, dict):
        return _first_difference(one, other, path, "[{!r}]")
    if isinstance(one, list | tuple):
        return _first_difference(dict(enumerate(one)), dict(enumerate(other)), path, "[{}]")
    if _is_array(one):
        kinds = [(leaf.shape, str(leaf.dtype)) for leaf in (one, other)]
        return None if kinds[0] == kinds[1] else f"{name} has {kinds[0]} and {kinds[1]}"
    return None if one is other or one == other else f"{name} is {one!r} and {other!r}"


def _first_difference(one: Mapping, other: Mapping, path: str, step: str) -> str | None:
    if one.keys() != other.keys():
        return f"{path.lstrip('.') or 'the model'} holds {list(one)} and {list(other)}"
    found = (_difference(one[key], other[key], path + step.format(key)) for key in one)
    return next((difference for difference in found if difference is not None), None)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray | np.generic)
