"""Save a model in a file, load it, and read what a file tells of itself."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from diffhydro._version import __version__
from diffhydro.core.model_file import archive, arrays
from diffhydro.core.model_file.reading import read
from diffhydro.core.model_file.table import table
from diffhydro.core.model_file.writing import written
from diffhydro.core.parameters import specs
from diffhydro.errors import InputError

FILE = "model.dh"  # in the folder of a run
FORMAT, VERSION = "diffhydro model", 1


class Description(NamedTuple):
    """What a file tells of itself, without its classes.

    Attributes:
        told: What was given to `save`: a configuration, scores.
        versions: Of the packages that it was written with.
        table: Its arrays and numbers by path, with units, as Markdown.
    """

    told: dict[str, Any]
    versions: dict[str, str]
    table: str


def save(path: str | Path, model: Any, told: Mapping[str, Any] | None = None) -> Path:
    """Write a model into one file, and return where; the file is whole or absent.

    Args:
        path: A file, `.dh` by custom; in a folder the file is `model.dh`.
        model: Modules, containers, arrays, numbers; functions that a module shows by name.
        told: What else to keep, as far as JSON can say it: a configuration, scores.
    """
    target = Path(path)
    target = target / FILE if target.is_dir() else target
    tree, numbers = written(model)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "versions": versions(),
        "told": dict(told or {}),
        "units": {path: spec.unit for path, spec in specs(model).items()},
        "model": tree,
    }
    try:
        text = json.dumps(about, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"told has something that JSON cannot say: {error}") from None
    pieces = {f"arrays/{i}": arrays.raw(x) for i, x in enumerate(numbers)}
    archive.write(target, {archive.TREE: text, **pieces})
    return target


def load(path: str | Path, *, classes: Iterable[Any] = ()) -> Any:
    """Open a model file, and return the model as it was, bit for bit.

    Args:
        path: A file, or a folder with `model.dh` in it.
        classes: Classes and functions of yours that the model is made of. Those of diffhydro,
            Equinox, Flax's Linen and `jax.nn` are found by themselves.
    """
    file, about, contents = _opened(path)
    try:
        return read(about["model"], contents, classes)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def describe(path: str | Path) -> Description:
    """Read what a model file tells of itself; no class is looked up."""
    file, about, contents = _opened(path)
    try:
        listed = table(about["model"], contents, about["units"])
        return Description(about["told"], about["versions"], listed)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"{file} does not read: {error}") from error


def _opened(path: str | Path) -> tuple[Path, dict[str, Any], list[bytes]]:
    """Read a file: where it is, what its JSON says, and the bytes of its arrays."""
    file = _file(Path(path))
    pieces = archive.read(file)
    try:
        about = json.loads(pieces.pop(archive.TREE))
        version = _version(about)
        if version <= VERSION:
            parts = {part: about[part] for part in ("model", "units", "told", "versions")}
            return file, parts, _in_order(pieces)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{file} is not a model file: {str(error) or 'no JSON'}") from error
    raise InputError(
        f"{file} is of format {version}, and diffhydro {__version__} reads formats up to "
        f"{VERSION}: it was written with {str(about.get('versions'))[:200]}. Update diffhydro to "
        "open it"
    )


def _version(about: dict[str, Any]) -> int:
    form, version = about["format"], about["version"]
    if form != FORMAT or type(version) is not int or version < 1:
        raise ValueError(f"it says that it is {str(form)[:60]!r}, {str(version)[:60]}")
    return version


def _in_order(pieces: Mapping[str, bytes]) -> list[bytes]:
    names = [f"arrays/{i}" for i in range(len(pieces))]
    if {*names} != {*pieces}:
        raise ValueError(f"its arrays are not numbered from 0 to {len(pieces) - 1}")
    return [pieces[name] for name in names]


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.dh"))
    if path / FILE in found or len(found) != 1:
        found = [path / FILE]
    if not found[0].is_file():
        raise InputError(f"the folder {path} holds no {FILE}; give a model file, or such a folder")
    return found[0]


def versions() -> dict[str, str]:
    """Give the versions of the packages that models are made of."""
    found = {"diffhydro": __version__, "jax": jax.__version__, "numpy": np.__version__}
    found["equinox"] = eqx.__version__
    # Networks bring Flax along; without one there is no need to know its version.
    flax = getattr(sys.modules.get("flax"), "__version__", None)
    return found if flax is None else found | {"flax": flax}
