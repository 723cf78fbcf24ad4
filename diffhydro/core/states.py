"""States in a file, so that a run goes on where another stopped, bit for bit.

A state file is a NumPy archive (no pickle): every array of the state by its path, and a description
of what it belongs to (a model, the layout of its state, its sites), which a run compares with its
own before it starts.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import jax
import numpy as np

from diffhydro.atomic import whole
from diffhydro.errors import InputError
from diffhydro.typing import PyTree

_DESCRIPTION = "description"


def layout(state: PyTree) -> dict[str, list[Any]]:
    """Give shape and type of every array of a state, by path: what a state must fit."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {_path(path): [list(x.shape), np.dtype(x.dtype).name] for path, x in leaves}


def named(state: PyTree) -> dict[str, np.ndarray]:
    """Give the arrays of a state by path."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {_path(path): np.asarray(x) for path, x in leaves}


def rebuilt(like: PyTree, arrays: Mapping[str, np.ndarray]) -> PyTree:
    """Put arrays into a state of the structure of `like`."""
    return jax.tree.unflatten(jax.tree.structure(like), [arrays[path] for path in layout(like)])


def save(target: Path, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a state file; it is whole or absent."""
    told = np.frombuffer(json.dumps(description).encode(), np.uint8)
    write_archive(target, {_DESCRIPTION: told, **arrays})


def write_archive(target: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays into a file that is whole or absent."""
    with whole(target) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]


def load(path: Path, description: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read a state file that must fit the description."""
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = dict(found)
        told = json.loads(arrays.pop(_DESCRIPTION).tobytes())
    except (KeyError, ValueError, BadZipFile, EOFError) as error:
        raise InputError(f"{path} is not a state file: {error}") from error
    wanted = json.loads(json.dumps(description))
    for key, value in wanted.items():
        if told.get(key) != value:
            raise InputError(
                f"{path} is the state of another {key}: {_short(told.get(key))}, this run has "
                f"{_short(value)}"
            )
    return arrays


def _path(keys: tuple) -> str:
    return jax.tree_util.keystr(keys, simple=True, separator=".")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
