"""The arrays and numbers of a model file, by path, from its tree alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from diffhydro.core.model_file import arrays

_RECORDS = ("module", "namedtuple", "dataclass")
_HEAD = ("path", "type", "value", "unit")
_FEW = 6  # digits


def table(tree: Any, contents: Sequence[bytes], units: Mapping[str, str]) -> str:
    """Return every array and number of a model as a row of a Markdown table."""
    rows = [_HEAD, ("---",) * len(_HEAD)]
    for path, node in _walk(tree, ()):
        name = ".".join(path)
        kind, value = _said(node, contents)
        rows.append((f"`{name}`", kind, value, units.get(name, "")))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what a tree holds, under the paths that parameters have."""
    if isinstance(node, bool | int | float) or (isinstance(node, dict) and "array" in node):
        yield path, node
    elif isinstance(node, dict):
        for name, held in _parts(node):
            yield from _walk(held, (*path, name))


def _parts(node: dict[str, Any]) -> list[tuple[str, Any]]:
    if any(tag in node for tag in _RECORDS):
        return [*node["fields"].items()]
    if "dict" in node:
        return [(str(key), held) for key, held in node["dict"]]
    items = node.get("list", node.get("tuple", []))
    return [(str(i), held) for i, held in enumerate(items)]


def _said(node: Any, contents: Sequence[bytes]) -> tuple[str, str]:
    if not isinstance(node, dict):
        return type(node).__name__, str(node)
    about = {**node["array"], "shape": tuple(node["array"]["shape"])}
    kind = arrays.Kind(**{name: about[name] for name in arrays.Kind._fields})
    return str(kind), _range(kind, arrays.from_raw(kind, contents[about["at"]]))


def _range(kind: arrays.Kind, numbers: np.ndarray) -> str:
    """Say the value of one number, and of many the least and the largest."""
    if kind.of == arrays.KEY or numbers.size == 0:
        return ""
    if jnp.issubdtype(numbers.dtype, jnp.complexfloating):
        return str(numbers.ravel()[0]) if numbers.size == 1 else ""
    if jnp.issubdtype(numbers.dtype, jnp.floating):
        numbers = numbers.astype(np.float64)
    elif numbers.dtype.itemsize == 1:
        numbers = numbers.astype(np.int64)
    if numbers.size == 1:
        return f"{numbers.item():.{_FEW}g}"
    return f"{numbers.min().item():.{_FEW}g} … {numbers.max().item():.{_FEW}g}"
