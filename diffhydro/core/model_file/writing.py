"""A model as a tree of JSON and a row of arrays.

Numbers, words, truths and nothing are themselves; everything else is an object with one key that
says what it is, `{"tuple": […]}` or `{"module": "diffhydro:Upland", "fields": {…}}`.
"""

import dataclasses
import enum
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.model_file import arrays
from diffhydro.core.model_file.names import (
    is_frozen_dict,
    is_function,
    is_linen,
    is_named_tuple,
    is_only_a_label,
    name_of,
)
from diffhydro.errors import InputError

DEEPEST = 60  # parts within parts
PYTHON = {kind.__name__: kind for kind in (bool, int, float, complex)}
PARTIAL = {"partial": functools.partial, "Partial": jax.tree_util.Partial}
Path = tuple[str, ...]
Inside = Callable[[Any, Any], Any]  # (name, what it holds) → node


class _Rows:
    """Arrays met so far; one that stands in two places is written once."""

    def __init__(self) -> None:
        self.numbers: list[np.ndarray] = []
        self._met: dict[int, tuple[Any, dict[str, Any]]] = {}

    def place(self, x: Any) -> dict[str, Any]:
        """Give the node of an array."""
        if id(x) not in self._met:
            kind, numbers = arrays.taken(x)
            node = {**kind._asdict(), "shape": list(kind.shape), "at": len(self.numbers)}
            self.numbers.append(numbers)
            self._met[id(x)] = x, node
        return {"array": self._met[id(x)][1]}


def written(model: Any) -> tuple[Any, list[np.ndarray]]:
    """Turn a model into a tree of JSON and its arrays."""
    rows = _Rows()
    return _node(model, (), rows), rows.numbers


def fields_of(kind: Any) -> dict[str, dataclasses.Field]:
    """Give the fields that are written of a class: all of a module, of others what builds them."""
    fields = dataclasses.fields(kind)
    if not issubclass(kind, eqx.Module):
        fields = [f for f in fields if f.init]
    if is_linen(kind):
        # Where a network hangs within another is Flax's own business.
        fields = [f for f in fields if f.name != "parent"]
    return {f.name: f for f in fields}


def _node(x: Any, path: Path, rows: _Rows) -> Any:
    if x is None or type(x) in (bool, int, str) or (type(x) is float and math.isfinite(x)):
        return x
    node = _node_of_word(x, path)
    if node is not None:
        return node
    if arrays.is_array(x):
        return _or_where(path, lambda: rows.place(x))
    if len(path) > DEEPEST:
        raise InputError(f"{'.'.join(path)[:200]} lies deeper than {DEEPEST} parts")
    return _tree(x, path, lambda name, held: _node(held, (*path, str(name)), rows))


def _node_of_word(x: Any, path: Path) -> Any:
    """Give the node of a number that JSON lacks, or of what is found by its name; else None."""
    if type(x) is float:
        return {"float": str(x)}
    if type(x) is complex:
        return {"complex": [_node_of_word(y, path) or y for y in (x.real, x.imag)]}
    if isinstance(x, np.dtype) and x.name in arrays.TYPES:
        return {"dtype": x.name}
    word = getattr(x, "__name__", "")
    if word in PYTHON and x is PYTHON[word]:
        return {"type": word, "of": "python"}
    if word in arrays.TYPES and x is getattr(jnp, word, None):
        return {"type": word, "of": "jax"}
    if isinstance(x, type) and issubclass(x, np.generic) and np.dtype(x).name in arrays.TYPES:
        return {"type": np.dtype(x).name, "of": "numpy"}
    if isinstance(x, enum.Enum):
        return {"enum": _or_where(path, lambda: name_of(type(x))), "member": x.name}
    if isinstance(x, type):
        return {"class": _or_where(path, lambda: name_of(x))}
    is_value = isinstance(x, eqx.Module | functools.partial) or dataclasses.is_dataclass(x)
    if is_function(x) and not is_value:
        return {"function": _or_where(path, lambda: name_of(x))}
    return None


def _tree(x: Any, path: Path, inside: Inside) -> Any:
    kind = type(x)
    if kind in (list, tuple):
        return {kind.__name__: [inside(i, held) for i, held in enumerate(x)]}
    if kind is dict:
        return {"dict": [[inside("a key", key), inside(key, held)] for key, held in x.items()]}
    if is_frozen_dict(kind):
        return {"mapping": name_of(kind), **_tree(dict(x), path, inside)}
    for tag, partial in PARTIAL.items():
        if kind is partial:
            keywords = {name: inside(name, held) for name, held in x.keywords.items()}
            args = [inside(i, held) for i, held in enumerate(x.args)]
            return {tag: inside("function", x.func), "args": args, "keywords": keywords}
    if is_named_tuple(kind):
        tag, fields = "namedtuple", [(n, inside(n, held)) for n, held in x._asdict().items()]
    elif isinstance(x, eqx.Module) or dataclasses.is_dataclass(x):
        tag = "module" if isinstance(x, eqx.Module) else "dataclass"
        fields = _fields(x, path, inside)
    else:
        raise InputError(
            f"{_where(path)} cannot be written: it is a {kind.__module__}."
            f"{kind.__qualname__}. A model is made of modules, containers, arrays and numbers"
        )
    return {tag: _or_where(path, lambda: name_of(kind)), "fields": dict(fields)}


def _fields(x: Any, path: Path, inside: Inside) -> Iterator[tuple[str, Any]]:
    fields = fields_of(type(x))
    extra = [name for name in vars(x) if name not in fields] if isinstance(x, eqx.Module) else []
    unset = [name for name in fields if not hasattr(x, name)]
    if extra or unset:
        which = f"has no {unset[0]}" if unset else f"holds {extra[0]}, which is no field of it"
        raise InputError(f"{_where(path)} cannot be written: it {which}")
    for name, field in fields.items():
        held = getattr(x, name)
        if held is None and is_only_a_label(type(x), name):
            continue
        # A function made by another has no name; where it is the class's own, the class knows it.
        is_own = held is field.default and "<locals>" in getattr(held, "__qualname__", "")
        yield name, {"default": True} if is_own else inside(name, held)


def _where(path: Path) -> str:
    return ".".join(path) or "the model"


def _or_where(path: Path, make: Callable[[], Any]) -> Any:
    """Make something, or say of what part of the model it cannot be made."""
    try:
        return make()
    except InputError as error:
        raise InputError(f"{_where(path)} cannot be written: {error}") from None
