"""Configurations: YAML read safely, keys set from the command line, all of it checked.

What is wrong is said with the path of the key, and with the nearest one that is right.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from diffhydro.errors import InputError

_DESCRIBES = re.compile(r"(list|dict|tuple|literal|float|str|int)\b(\[|$)")
Kind = TypeVar("Kind", bound=BaseModel)


def read_as(kind: type[Kind], path: Path, changes: Sequence[str] = ()) -> Kind:
    """Read and check a file of one kind.

    Args:
        changes: `key=value` each, such as `training.epochs=10`; values are YAML.
    """
    return checked(kind, changed(read_yaml(path), changes), str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the keys of a file, unchecked."""
    if not path.is_file():
        raise InputError(f"no configuration at {path}: expected a YAML file")
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds a {type(found).__name__}; expected keys such as model")
    return found


def checked(kind: type[Kind], found: dict[str, Any], where: str) -> Kind:
    """Make a configuration of keys.

    Args:
        where: They come from, for the error.
    """
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        problems = "; ".join(_told(kind, one) for one in error.errors())
        raise InputError(f"in {where}: {problems}") from None


def changed(found: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Set keys by their path, in a copy.

    >>> changed({"data": {"only": ["a", "b"]}}, ["data.only.1=c", "seed=3"])
    {'data': {'only': ['a', 'c']}, 'seed': 3}
    """
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {change}: expected key=value, such as training.epochs=10")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"--set {change}: {text!r} is not YAML: {error}") from error
        found = with_key(found, key.strip().split("."), value)
    return found


def with_key(node: Any, keys: Sequence[str], value: Any) -> Any:
    """Give a tree of dictionaries and lists with another value at one place."""
    if not keys:
        return value
    first, rest = keys[0], keys[1:]
    if isinstance(node, list):
        if not (first.isdecimal() and int(first) < len(node)):
            raise InputError(f"--set: {first!r} is no number of a list of {len(node)}")
        return [with_key(x, rest, value) if i == int(first) else x for i, x in enumerate(node)]
    held = node if isinstance(node, dict) else {}
    return held | {first: with_key(held.get(first), rest, value)}


def as_yaml(config: BaseModel) -> str:
    """Write a configuration with all its defaults; reading it gives the same one."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _told(kind: type[BaseModel], problem: Any) -> str:
    # Where a key may hold one of several things, the way leads through their descriptions.
    where = ".".join(str(key) for key in problem["loc"] if not _DESCRIBES.match(str(key)))
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(str(problem["loc"][-1]), _keys(kind, problem["loc"][:-1]), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"there is no key {where}{hint}"
    message = problem["msg"].removeprefix("Value error, ")
    given = problem.get("input")
    shown = f" (got {given!r})" if isinstance(given, str | int | float) else ""
    return f"{where or 'the whole'}: {message}{shown}"


def _keys(kind: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    part: Any = kind
    for key in path:
        if isinstance(key, int):
            continue
        field = part.model_fields.get(str(key))
        inner = [] if field is None else _models(field.annotation)
        if not inner:
            return []
        part = inner[0]
    return list(part.model_fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in getattr(annotation, "__args__", ()) for m in _models(inner)]
