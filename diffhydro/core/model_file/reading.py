"""A model from a tree of JSON and a row of arrays: the inverse of `writing`.

Modules are made as jax makes them when it puts a tree together: their fields are set, and neither
their constructor nor their checks run. A constructor would take the arguments of another version,
turn numbers into arrays that were numbers, and refuse an ensemble, whose arrays have an axis more.
Other dataclasses, networks of Flax among them, are made by their constructors, which do more.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING
from typing import Any, NamedTuple

import jax.numpy as jnp

from diffhydro.core.model_file import arrays, names
from diffhydro.core.model_file.names import look_up
from diffhydro.core.model_file.writing import DEEPEST, PARTIAL, PYTHON, fields_of
from diffhydro.errors import InputError

Inside = Callable[[Any, Any], Any]  # (name, node) → what it holds


class _Source(NamedTuple):
    contents: Sequence[bytes]
    classes: tuple[Any, ...]
    met: dict[tuple[int, arrays.Kind], Any]


class _ToldError(InputError):
    """An error that says already where it is."""


def read(tree: Any, contents: Sequence[bytes], classes: Iterable[Any] = ()) -> Any:
    """Build the model of a tree.

    Args:
        contents: Of the arrays.
        classes: Classes and functions from outside the packages that are looked up.
    """
    return _value(tree, (), _Source(contents, tuple(classes), {}))


def _value(node: Any, path: tuple[str, ...], source: _Source) -> Any:
    if node is None or isinstance(node, bool | int | float | str):
        return node
    try:
        if len(path) > DEEPEST:
            raise InputError(f"it lies deeper than {DEEPEST} parts")
        if not isinstance(node, dict):
            raise InputError(f"{str(node)[:60]} stands for nothing")
        tag = next((tag for tag in _READERS if tag in node), None)
        if tag is None:
            raise InputError(f"{str(node)[:60]} stands for nothing")

        def inside(name: Any, held: Any) -> Any:
            return _value(held, (*path, str(name)), source)

        return _READERS[tag](node, inside, source)
    except _ToldError:
        raise
    except (
        *(KeyError, TypeError, ValueError, AttributeError, IndexError),
        *(OverflowError, RuntimeError, AssertionError),
    ) as error:
        said = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise _ToldError(f"{'.'.join(path)[:200] or 'the model'}: {said}") from error


def _array(node: Any, _: Inside, source: _Source) -> Any:
    about = _checked(node["array"], dict)
    kind = arrays.Kind(
        of=_checked(about["of"], str),
        dtype=_checked(about["dtype"], str),
        shape=tuple(_checked(size, int) for size in _checked(about["shape"], list)),
        weak=_checked(about["weak"], bool),
        generator=_checked(about["generator"], str),
    )
    at = _checked(about["at"], int)
    if kind.of not in arrays.OF or min(kind.shape, default=0) < 0:
        raise InputError(f"{kind} of {kind.of!r} is no array")
    if not 0 <= at < len(source.contents):
        raise InputError(f"it is array {at}, and there are {len(source.contents)}")
    if (at, kind) not in source.met:
        source.met[at, kind] = arrays.given(kind, arrays.from_raw(kind, source.contents[at]))
    return source.met[at, kind]


def _sequence(tag: str, make: Callable[[list], Any]) -> Callable[..., Any]:
    return lambda node, inside, _: make(_each(node[tag], inside))


def _each(items: Any, inside: Inside) -> list:
    return [inside(i, held) for i, held in enumerate(_checked(items, list))]


def _dict(node: Any, inside: Inside, _: _Source) -> dict:
    pairs = [(inside("a key", key), held) for key, held in _checked(node["dict"], list)]
    return {key: inside(key, held) for key, held in pairs}


def _mapping(node: Any, inside: Inside, source: _Source) -> Any:
    return look_up(node["mapping"], source.classes, names.MAPPING)(_dict(node, inside, source))


def _type(node: Any, _: Inside, __: _Source) -> Any:
    word, of = node["type"], node["of"]
    if of == "python":
        return PYTHON[word]
    if word not in arrays.TYPES or of not in ("numpy", "jax"):
        raise InputError(f"there is no type {word!r} of {of!r}")
    return getattr(jnp, word) if of == "jax" else jnp.dtype(word).type


def _dtype(node: Any, _: Inside, __: _Source) -> Any:
    if node["dtype"] not in arrays.TYPES:
        raise InputError(f"{node['dtype']!r} is not a type of arrays")
    return jnp.dtype(node["dtype"])


def _function(node: Any, _: Inside, source: _Source) -> Any:
    return look_up(node["function"], source.classes, names.FUNCTION)


def _partial(tag: str) -> Callable[..., Any]:
    def made(node: Any, inside: Inside, _: _Source) -> Any:
        keywords = _checked(node["keywords"], dict)
        function = inside("function", node[tag])
        if not callable(function):
            raise InputError("it calls what is no function")
        args = _each(node["args"], inside)
        return PARTIAL[tag](function, *args, **{k: inside(k, held) for k, held in keywords.items()})

    return made


def _class(node: Any, _: Inside, source: _Source) -> type:
    return look_up(node["class"], source.classes, names.CLASS)


def _enum(node: Any, _: Inside, source: _Source) -> Any:
    kind = look_up(node["enum"], source.classes, names.ENUM)
    if node["member"] not in kind.__members__:
        raise InputError(f"{node['enum']} has no {node['member']!r}")
    return kind[node["member"]]


def _named_tuple(node: Any, inside: Inside, source: _Source) -> Any:
    kind = look_up(node["namedtuple"], source.classes, names.NAMED_TUPLE)
    held = kind._field_defaults
    defaults = {n: (lambda n=n: held[n]) if n in held else None for n in kind._fields}
    return kind._make(_filled(kind, node["fields"], defaults, inside).values())


def _dataclass(node: Any, inside: Inside, source: _Source) -> Any:
    kind = look_up(node["dataclass"], source.classes, names.DATACLASS)
    return kind(**_filled(kind, node["fields"], _defaults(kind), inside))


def _module(node: Any, inside: Inside, source: _Source) -> Any:
    kind = look_up(node["module"], source.classes, names.MODULE)
    made = object.__new__(kind)
    for name, held in _filled(kind, node["fields"], _defaults(kind), inside).items():
        object.__setattr__(made, name, held)
    return made


def _defaults(kind: Any) -> dict[str, Callable[[], Any] | None]:
    """Give for each field how its default is made, as the constructor would; None without."""

    def default(field: Any) -> Any:
        held = field.default_factory() if field.default is MISSING else field.default
        return field.metadata.get("converter", lambda x: x)(held)

    return {
        name: None if field.default is field.default_factory else (lambda f=field: default(f))
        for name, field in fields_of(kind).items()
    }


def _filled(
    kind: Any, given: Any, defaults: Mapping[str, Callable[[], Any] | None], inside: Inside
) -> dict[str, Any]:
    """Give the fields of a class in their order: those of the file, and defaults of new ones."""
    who = f"{kind.__module__}.{kind.__qualname__}"
    for name in _checked(given, dict):
        if name not in defaults:
            raise InputError(
                f"the file has {name!r}, which {who} has no more; its fields are "
                f"{', '.join(defaults) or 'none'}. Open the file with the version that wrote it"
            )
    filled = {}
    for name, default in defaults.items():
        if name in given and given[name] != {"default": True}:
            filled[name] = inside(name, given[name])
        elif default is None:
            raise InputError(f"the file lacks {name!r}, which {who} needs and has no default for")
        else:
            filled[name] = default()
            if name not in given and not names.is_only_a_label(kind, name):
                warnings.warn(
                    f"the file lacks {name!r} of {who}, a field that came later: its default, "
                    f"{filled[name]!r:.80}, is used",
                    stacklevel=2,
                )
    return filled


def _checked(x: Any, kind: type) -> Any:
    # JSON's true is an int to Python.
    if not isinstance(x, kind) or (kind is int and isinstance(x, bool)):
        raise InputError(f"{str(x)[:60]} is not a {kind.__name__}")
    return x


_READERS: dict[str, Callable[[Any, Inside, _Source], Any]] = {
    "float": lambda node, _, __: float(node["float"]),
    "complex": _sequence("complex", lambda parts: complex(*parts)),
    "list": _sequence("list", list),
    "tuple": _sequence("tuple", tuple),
    "mapping": _mapping,
    "dict": _dict,
    "array": _array,
    "dtype": _dtype,
    "type": _type,
    "function": _function,
    "partial": _partial("partial"),
    "Partial": _partial("Partial"),
    "class": _class,
    "enum": _enum,
    "namedtuple": _named_tuple,
    "dataclass": _dataclass,
    "module": _module,
}
