"""Write docs/configuration.md from what the code declares: `python docs/make_configuration.py`.

A test fails while the checked-in page says something else.
"""

import datetime
import inspect
import types
import typing
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from diffhydro.app.config import Config
from diffhydro.app.sensitivity_config import SensitivityConfig
from diffhydro.app.train.config import TrainConfig

PAGE = Path(__file__).with_name("configuration.md")
HEAD = """# Configuration

Generated from the code by `python docs/make_configuration.py`; edit the declarations, not this
page.

`diffhydro calibrate`, `sensitivity` and `train` read a YAML file each, `tune` that of a training.
Examples are in `configs/`. `--set key=value` gives a key another value, `--print-config`
prints all keys, and the `config.yaml` that a run leaves in its folder makes the same run again:
`diffhydro run config.yaml --out DIR`.
A key that is not listed here is refused, with the nearest one that is. A key without a default has
to be given. Paths of files count from the folder of the configuration; a path of a parameter is
its address in the model ([parameters](parameters.md)), a part of it, or a pattern with `*`.
"""
FILES = {"calibrate": Config, "sensitivity": SensitivityConfig, "train": TrainConfig}
WORDS = {
    float: "number",
    int: "whole number",
    str: "text",
    bool: "true or false",
    datetime.date: "date",
    type(None): "nothing",
}
LIMITS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤", "min_length": "at least"}


def page() -> str:
    """The whole page; parts that two files have in common are told once."""
    parts, told = [HEAD], set()
    for command, kind in FILES.items():
        title = f"## `diffhydro {command}`\n\n{_meaning(kind)}\n\n"
        parts.append(title + _table("", kind, told))
        for key, part in _parts(kind):
            if part not in told:
                parts.append(f"### `{key}`\n\n{_meaning(part)}\n\n{_table(f'{key}.', part, told)}")
            told.add(part)
    return "\n".join(parts)


def _parts(kind: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """Give the models within a model and within those, with the keys that lead there."""
    found = []
    for name, field in kind.model_fields.items():
        origin = typing.get_origin(field.annotation)
        key = f"{name}[]" if origin is list else f"{name}.NAME" if origin is dict else name
        for part in _models(field.annotation):
            found.append((key, part))
            found += [(f"{key}.{below}", inner) for below, inner in _parts(part)]
    return found


def _table(key: str, kind: type[BaseModel], told: set[type[BaseModel]]) -> str:
    lines = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in kind.model_fields.items():
        cells = (f"`{key}{name}`", _values(field), _default(field), _told(field, told))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _meaning(kind: type[BaseModel]) -> str:
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")


def _told(field: FieldInfo, told: set[type[BaseModel]]) -> str:
    inner = _models(field.annotation)
    if not inner:
        return field.description or ""
    text = field.description or _meaning(inner[0]).rstrip(".").lower()
    return f"{text}; see {'above' if inner[0] in told else 'below'}"


def _values(field: FieldInfo) -> str:
    # Single numbers carry their limits as metadata; those of words and lists of them do too.
    limits = [
        f"{sign} {getattr(mark, name)}"
        for mark in field.metadata
        for name, sign in LIMITS.items()
        if getattr(mark, name, None) is not None
    ]
    return ", ".join([_type(field.annotation), *limits])


def _type(kind: typing.Any) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(one) for one in inner if one is not type(None))
    if origin is list:
        return f"list of {_type(inner[0])}"
    if origin is tuple:
        return f"[{', '.join(_type(one) for one in inner)}]"
    if origin is dict:
        return f"name: {_type(inner[1])}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "keys"
    return WORDS[kind]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (None, [], {}):
        return "none"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, dict):
        return f"one, `{next(iter(value))}`"
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return f"`{shown}`"


def _models(kind: typing.Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [found for inner in typing.get_args(kind) for found in _models(inner)]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
