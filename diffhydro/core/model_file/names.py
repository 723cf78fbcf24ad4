"""Names of classes and functions, and the short list of places where names are looked up.

A file that named any function at all could make whoever opens it run anything. So modules, which
are made without running their code, may come from three packages; what is made by a constructor and
what is called, only from places that compute and touch no files.
"""

import dataclasses
import enum
import importlib
import inspect
import re
import types
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple

import equinox as eqx

from diffhydro.errors import InputError

_FROZEN = "flax.core.frozen_dict"
PACKAGES = ("diffhydro", "equinox", "flax.linen", _FROZEN)
COMPUTING = (
    "flax.linen",
    "diffhydro.core.smooth",
    *(f"diffhydro.{room}" for room in ("soil", "land", "networks", "coupling")),
)
# What jax shows here lives in modules that move from version to version.
OF_JAX = ("jax.nn", "jax.nn.initializers")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_LONGEST = 300


class Sort(NamedTuple):
    """A sort of thing that a file may name: what it is, and where it is looked up."""

    what: str
    is_one: Callable[[Any], bool]
    homes: tuple[str, ...]


def is_named_tuple(x: Any) -> bool:
    """Say whether this is a class of named tuples."""
    return isinstance(x, type) and issubclass(x, tuple) and hasattr(x, "_fields")


def is_function(x: Any) -> bool:
    """Say whether this is called by a name, and is no class."""
    return callable(x) and not isinstance(x, type) and hasattr(x, "__qualname__")


def is_linen(x: Any) -> bool:
    """Say whether this is a class of networks; without Flax, which a file may do without."""
    kinds = x.__mro__ if isinstance(x, type) else ()
    return any(
        (kind.__module__, kind.__name__) == ("flax.linen.module", "Module") for kind in kinds
    )


def is_frozen_dict(x: Any) -> bool:
    """Say whether this is the class of Flax's dicts, which some of its networks hold."""
    return (x.__module__, x.__qualname__) == (_FROZEN, "FrozenDict")


def is_only_a_label(kind: type, field: str) -> bool:
    """Say whether a field is the label that Flax gives to a network within another."""
    return field == "name" and is_linen(kind)


def _is_module(x: Any) -> bool:
    return isinstance(x, type) and issubclass(x, eqx.Module) and not inspect.isabstract(x)


def _is_dataclass(x: Any) -> bool:
    plain = isinstance(x, type) and dataclasses.is_dataclass(x) and not inspect.isabstract(x)
    return plain and not issubclass(x, eqx.Module)


MODULE = Sort("a class of models", _is_module, PACKAGES)
NAMED_TUPLE = Sort("a class of named tuples", is_named_tuple, PACKAGES)
ENUM = Sort("an enumeration", lambda x: isinstance(x, enum.EnumMeta), PACKAGES)
DATACLASS = Sort("a dataclass", _is_dataclass, ("diffhydro.core", *COMPUTING))
MAPPING = Sort("a frozen dict", is_frozen_dict, (_FROZEN,))
CLASS = Sort("a class", lambda x: _is_module(x) or _is_dataclass(x), ("equinox", *COMPUTING))
FUNCTION = Sort("a function", is_function, (*COMPUTING, *OF_JAX))


def name_of(thing: Any) -> str:
    """Give the name, `module:name`, by which a class or function is found again.

    It is the shortest one: code may move within a package that shows it to its users.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise InputError(f"{thing!r} has no name")
    if "<" in name or isinstance(thing, types.MethodType):
        raise InputError(
            f"{name} was made while a program ran, and cannot be found by its name: define it in a "
            "module"
        )
    for home in (*_above(module), module):
        if _there(home, name) is thing:
            return f"{home}:{name}"
    raise InputError(f"{module} shows no {name} that is this one: define it in a module, and once")


def look_up(name: str, given: Iterable[Any], sort: Sort) -> Any:
    """Find a class or function by its name.

    Args:
        given: Classes and functions that the caller allows besides those of `sort.homes`.
    """
    if not isinstance(name, str) or len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise InputError(f"{str(name)[:60]!r} is not a name of {sort.what}")
    found = _among(given, name)
    if found is None:
        found = _found(name, sort)
    if not sort.is_one(found):
        raise InputError(f"{name!r} is not {sort.what}")
    return found


def _found(name: str, sort: Sort) -> Any:
    module, word = name.split(":")
    wanted = f"it asks for {name!r}"
    if not _is_in(module, (*PACKAGES, *OF_JAX)):
        raise InputError(
            f"{wanted}; {sort.what} is looked up in {', '.join(sort.homes)}. If you trust the "
            f"file, import what it asks for and give it: load(path, classes=[{word}])"
        )
    found = _there(module, word)
    if found is None:
        raise InputError(f"{wanted}, and there is no such thing{_nearest(module, word)}")
    # Its own home counts: a module also shows what it has imported from elsewhere.
    home = str(getattr(found, "__module__", None))
    is_of_jax = module in OF_JAX and module in sort.homes and _is_in(home, ("jax",))
    if not (is_of_jax or _is_in(home, sort.homes)):
        raise InputError(
            f"{wanted}, which is of {home}; {sort.what} is looked up in {', '.join(sort.homes)}"
        )
    return found


def _among(given: Iterable[Any], name: str) -> Any:
    """Find a name among what the caller gave: in full, or without its module if that is enough."""
    by_name = {(x.__module__, x.__qualname__): x for x in given}
    module, word = name.split(":")
    same = [x for (_, held), x in by_name.items() if held == word]
    return by_name.get((module, word), same[0] if len(same) == 1 else None)


def _above(module: str) -> list[str]:
    """List the packages that a module lies in and may be looked up in, outermost first."""
    if _is_in(module, ("jax",)):
        return [*OF_JAX]
    parts = module.split(".")
    above = [".".join(parts[:i]) for i in range(1, len(parts))]
    return [package for package in above if _is_in(package, PACKAGES)]


def _there(module: str, name: str) -> Any:
    """Find what a module calls by a name; None if there is no such thing."""
    try:
        found: Any = importlib.import_module(module)
    except ImportError:
        return None
    for depth, word in enumerate(name.split(".")):
        # Only classes are walked into: a module within a module is not its own.
        if word not in dir(found) or (depth and not isinstance(found, type)):
            return None
        found = getattr(found, word)
    return found


def _nearest(module: str, word: str) -> str:
    table = importlib.import_module("diffhydro")
    try:
        shown = dir(importlib.import_module(module))
    except ImportError:
        shown = []
    homes = dict.fromkeys(dir(table), "diffhydro") | dict.fromkeys(shown, module)
    nearest = get_close_matches(word, [w for w in homes if not w.startswith("_")], n=3)
    listed = " or ".join(f"{homes[w]}:{w}" for w in nearest)
    return f"; did you mean {listed}?" if nearest else ""


def _is_in(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
