"""A state as plain arrays and a description of them, and back.

The description is JSON: for every array its path, what it is and how to make the same one again;
Python's own numbers stand in it as they are. What is neither, functions and words, belongs to the
code and is not kept.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from diffhydro.core.model_file import arrays
from diffhydro.errors import InputError
from diffhydro.typing import PyTree

_NUMBER = "number"
_SHOWN = 4  # differences


class Leaf(NamedTuple):
    """An array or number of a state.

    Attributes:
        path: `parameters.soil.k_sat`.
        what: `float32[16]`, or `number`.
        made: The `Kind` of an array, or the number itself.
    """

    path: str
    what: str
    made: Any


class Snapshot(NamedTuple):
    """A state without its code."""

    leaves: list[Leaf]
    numbers: list[np.ndarray]  # of those leaves that are arrays

    @property
    def digest(self) -> str:
        """Give the SHA-256 of the arrays."""
        digest = hashlib.sha256()
        for x in self.numbers:
            digest.update(arrays.raw(x))
        return digest.hexdigest()


def taken(state: PyTree) -> Snapshot:
    """Take the arrays and numbers out of a state; they are read, not copied, where they can be."""
    leaves, numbers = [], []
    for path, x in _leaves(state):
        if _is_number(x):
            leaves.append(Leaf(path, _NUMBER, x))
            continue
        try:
            kind, held = arrays.taken(x)
        except InputError as error:
            raise InputError(f"{path} cannot be kept: {error}") from None
        leaves.append(Leaf(path, _what(x), list(kind)))
        numbers.append(held)
    return Snapshot(leaves, numbers)


def kinds(leaves: Iterable[Leaf]) -> list[arrays.Kind]:
    """Give the kinds of the arrays among leaves that were read from JSON."""
    found = [leaf.made for leaf in leaves if leaf.what != _NUMBER]
    return [arrays.Kind(of, dtype, tuple(shape), *rest) for of, dtype, shape, *rest in found]


def put(like: PyTree, snapshot: Snapshot) -> PyTree:
    """Put a snapshot into a state of the structure of `like`, which fits it."""
    made = iter(map(arrays.given, kinds(snapshot.leaves), snapshot.numbers))
    values = iter([x.made if x.what == _NUMBER else next(made) for x in snapshot.leaves])
    return jax.tree.map(lambda x: _placed(next(values), x) if _is_kept(x) else x, like)


def differences(leaves: Sequence[Leaf], like: PyTree) -> str:
    """Say where a snapshot does not fit a state; empty if it does."""
    there = {leaf.path: leaf.what for leaf in leaves}
    here = {path: _what(x) for path, x in _leaves(like)}
    found = [
        f"{path} is {there.get(path, 'missing')} in the checkpoint and "
        f"{here.get(path, 'missing')} in the model"
        for path in dict.fromkeys([*here, *there])
        if not _fits(there.get(path), here.get(path))
    ]
    if not found and [*here] != [*there]:
        found = ["the same arrays come in another order"]
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(found[:_SHOWN]) + more


def digest_of(told: Any) -> str:
    """Give the SHA-256 of what JSON says."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _leaves(state: PyTree) -> list[tuple[str, Any]]:
    found = jax.tree_util.tree_leaves_with_path(state)
    named = [(jax.tree_util.keystr(p, simple=True, separator="."), x) for p, x in found]
    return [(path, x) for path, x in named if _is_kept(x)]


def _is_kept(x: Any) -> bool:
    return arrays.is_array(x) or isinstance(x, jax.ShapeDtypeStruct) or _is_number(x)


def _is_number(x: Any) -> bool:
    return isinstance(x, bool | int | float) and not arrays.is_array(x)


def _what(x: Any) -> str:
    return _NUMBER if _is_number(x) else f"{x.dtype}[{', '.join(map(str, x.shape))}]"


def _fits(there: str | None, here: str | None) -> bool:
    # The template of a Python number is that of an array without axes.
    return there == here or (there == _NUMBER and here is not None and here.endswith("[]"))


def _placed(x: Any, like: Any) -> Any:
    """Spread an array over devices as its template is."""
    sharding = getattr(like, "sharding", None)
    is_spread = isinstance(x, jax.Array) and sharding is not None and len(sharding.device_set) > 1
    return jax.device_put(x, sharding) if is_spread else x
