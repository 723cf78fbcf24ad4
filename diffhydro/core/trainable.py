"""Turn the named part of a model into free numbers, and back.

`split` and `merge` are inverse functions. Freezing, selecting and constraining are one act, named
by path: what `train` names leaves the model as free numbers z ∈ ℝ (see `bijections.py`), everything
else stays behind, bit for bit.

A name in `train` is a path (`soil.k_sat`), a part of the model (`soil`: all that lies below it) or
a pattern in which `*` stands for anything, dots too (`*.k_sat`, `soil.*`, `*`).
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.parameters import (
    Declaration,
    ParameterSpec,
    as_parameter,
    children,
    declarations,
    out_of_bounds,
)
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, PyTree


class Free(eqx.Module):
    """What an optimizer sees: every leaf is a free floating array.

    Two learning rates are `optax.multi_transform` with the labels
    `Free(parameters="parameters", networks="networks")`.

    Attributes:
        parameters: free numbers of the trained parameters, by path.
        networks: weights of the trained heads, by path.
    """

    parameters: dict[str, Float[Array, "..."]]
    networks: dict[str, PyTree]


class _Static(eqx.Module):
    # A module compares and hashes by its leaves, which a dict at the root of a model does not.
    tree: PyTree


class Frozen(eqx.Module):
    """What `split` leaves: the model with holes; its leaves are arrays, so it may enter a jit."""

    arrays: PyTree
    rest: _Static = eqx.field(static=True)
    trained: tuple[str, ...] = eqx.field(static=True)


class _Candidates(NamedTuple):
    """The marked fields of a model, and for each one that a coupling learns, the coupling."""

    declared: dict[str, Declaration]
    owners: dict[str, str]


def split(model: PyTree, train: str | Sequence[str]) -> tuple[Free, Frozen]:
    """Take the trained part out of a model.

    Two kinds of parameters have to be asked for with care. A `fixed` one is trained when `train`
    gives its full path, never through a pattern. One that a coupling in the model `learns` already
    has an owner, the head that computes it: a pattern passes over it, and its full path is refused.

    Args:
        model: the model; values outside their bounds are refused.
        train: paths, parts and patterns.

    Returns:
        The free numbers, and all else.
    """
    candidates = _candidates(model)
    patterns = [train] if isinstance(train, str) else list(train)
    chosen = {path for pattern in patterns for path in _select(pattern, candidates)}
    trained = tuple(path for path in candidates.declared if path in chosen)
    free = Free({}, {})
    holes = {}
    for path in trained:
        _, spec, value = candidates.declared[path]
        if isinstance(spec, ParameterSpec):
            free.parameters[path], holes[path] = _free_number(path, spec, value), None
        else:
            free.networks[path], holes[path] = eqx.partition(value, _is_weight)
    arrays, rest = eqx.partition(put(model, holes), _is_array)
    return free, Frozen(arrays, _Static(rest), trained)


def merge(free: Free, frozen: Frozen) -> PyTree:
    """Put the free numbers back: the model that they stand for."""
    given = {*free.parameters, *free.networks}
    if given != set(frozen.trained):
        raise InputError(
            f"free and frozen come from different splits: free has {sorted(given)}, "
            f"frozen waits for {sorted(frozen.trained)}"
        )
    model = eqx.combine(frozen.arrays, frozen.rest.tree)
    filled = {}
    for path, spec, value in declarations(model):
        if path in free.parameters and isinstance(spec, ParameterSpec):
            filled[path] = spec.constrain(free.parameters[path])
        elif path in free.networks:
            filled[path] = eqx.combine(free.networks[path], value)
    return put(model, filled)


def owners(model: PyTree) -> dict[str, str]:
    """Return which coupling computes each parameter that one does, by path.

    Raises InputError where a coupling learns what is not there, and where two learn the same.
    """
    return _candidates(model).owners


def _candidates(model: PyTree) -> _Candidates:
    declared = {d.path: d for d in declarations(model) if d.value is not None}
    owners: dict[str, str] = {}
    for coupling, name in _learned(model, ()):
        matching = learnable(declared, name)
        if not matching:
            raise InputError(f"{coupling} learns {name!r}. {unknown(name, declared)}")
        for path in matching:
            if owners.setdefault(path, coupling) != coupling:
                raise InputError(
                    f"both {owners[path]} and {coupling} learn {path}, and a parameter has one "
                    "owner; take it out of `learns` of one of them"
                )
    return _Candidates(declared, owners)


def learnable(declared: Mapping[str, Declaration], name: str) -> list[str]:
    """Return the parameters that a coupling means by a name; a fixed one only by its full path."""

    def is_meant(path: str, spec: Any) -> bool:
        fits = path == name or (_matches(path, name) and not getattr(spec, "fixed", False))
        return isinstance(spec, ParameterSpec) and fits

    return [path for path, held in declared.items() if is_meant(path, held.spec)]


def _learned(node: Any, path: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """Yield (coupling, full path) of what each coupling in a model learns.

    A coupling is any module with `physics` and `learns`, the paths within `physics` that its head
    computes.
    """
    if isinstance(node, eqx.Module) and hasattr(node, "physics"):
        for name in getattr(node, "learns", ()):
            yield ".".join(path) or type(node).__name__, ".".join((*path, "physics", name))
    for key, child in children(node):
        yield from _learned(child, (*path, key))


def _select(pattern: str, candidates: _Candidates) -> list[str]:
    declared, owners = candidates
    if pattern in owners:
        raise InputError(
            f"{pattern} cannot be trained: {owners[pattern]} learns it, and a parameter has one "
            "owner. Train the weights of its head, or take it out of `learns`"
        )
    if pattern in declared:
        return [pattern]
    found = [path for path in declared if _matches(path, pattern)]
    if not found:
        raise InputError(unknown(pattern, declared))
    open_ = [p for p in found if p not in owners and not getattr(declared[p].spec, "fixed", False)]
    if not open_:
        raise InputError(
            f"{pattern!r} selects only what a pattern does not train, because it is fixed or a "
            f"coupling learns it: {', '.join(found)}. Name a fixed one in full to train it"
        )
    return open_


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}.*")


def unknown(name: str, declared: Iterable[str]) -> str:
    """Say that nothing has this name, and what comes nearest."""
    known = list(declared)
    if not known:
        return f"nothing is called {name!r}: the model declares no parameters and no weights"
    nearest = get_close_matches(name, known, n=3, cutoff=0.5)
    last = name.rsplit(".", 1)[-1]
    nearest = list(dict.fromkeys([p for p in known if p.rsplit(".", 1)[-1] == last] + nearest))
    if nearest:
        return f"nothing is called {name!r}; did you mean {' or '.join(nearest[:3])}?"
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"nothing is called {name!r}; declared are {shown}"


def _free_number(path: str, spec: ParameterSpec, value: Any) -> Array:
    value = as_parameter(value)
    if not isinstance(value, jax.Array) or not jnp.issubdtype(value.dtype, jnp.floating):
        raise InputError(f"{path} cannot be trained: it holds {value!r}, not a floating array")
    if (problem := out_of_bounds(path, spec, value)) is not None:
        raise InputError(problem)
    return spec.free(value)


def put(model: PyTree, values: Mapping[str, Any]) -> PyTree:
    """Return the model with other values at some paths."""
    if not values:
        return model
    paths = [path.split(".") for path in values]
    return eqx.tree_at(
        lambda tree: [_get(tree, path) for path in paths],
        model,
        list(values.values()),
        is_leaf=lambda node: node is None,
    )


def _get(node: Any, path: list[str]) -> Any:
    for key in path:
        node = dict(children(node))[key]
    return node


def _is_weight(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.inexact)


def _is_array(leaf: Any) -> bool:
    # Python numbers stay with the static part: through a jit they would come back as arrays.
    return isinstance(leaf, jax.Array | np.ndarray | np.generic | jax.ShapeDtypeStruct)
