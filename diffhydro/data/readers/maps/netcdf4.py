"""Variables of NetCDF-4 and HDF5 files.

Read by h5py itself: a layer that describes every variable of a file before one is read takes thirty
times as long, and products come as thousands of files.
"""

import zlib
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.readers.heaps import check_heaps
from diffhydro.data.readers.maps.field import ATTRIBUTES, Field
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import h5py

_LARGEST = 2**27  # values in a stored piece, which is read whole


@dataclass(frozen=True)
class Hdf5:
    """A group of a file.

    Args:
        group: Where the variables are; a file without it has them at its root.
        content: Of a file in memory, which `path` only names.
    """

    path: Path
    group: str = "/"
    content: bytes | None = None

    @contextmanager
    def opened(self) -> Iterator["h5py.Group"]:
        """Open it for as long as the context lasts."""
        import h5py

        content = self.content
        with h5py.File(self.path if content is None else BytesIO(content), "r") as file:
            group = file.get(self.group, file)
            if not isinstance(group, h5py.Group):
                raise InputError(f"{self.group} of {self.path} is no group")
            yield group

    def names(self) -> list[str]:
        """List the variables, and the groups."""
        check_heaps(self.path, self.content)
        with self.opened() as group:
            return [str(name) for name in group]

    def fields(self, wanted: Collection[str], product: str) -> dict[str, Field]:
        """Describe the wanted variables that there are, and hold numbers."""
        check_heaps(self.path, self.content)
        key = (self.group, self.content and zlib.crc32(self.content))
        with self.opened() as group:
            here = {name: _dataset(group, name, self.path) for name in wanted if name in group}
            numbers = {n: found for n, found in here.items() if found.dtype.kind in "fiu"}
            return {n: self._field(found, n, product, key) for n, found in numbers.items()}

    def _field(self, found: Any, name: str, product: str, key: tuple[Hashable, ...]) -> Field:
        attributes = {key: _plain(found.attrs[key]) for key in ATTRIBUTES if key in found.attrs}
        attributes = {key: value for key, value in attributes.items() if value is not None}
        return Field(
            name,
            _dimensions(found, name, attributes.get("DimensionNames")),
            tuple(found.shape),
            np.dtype(found.dtype),
            attributes,
            found.chunks,
            _Part(self, name),
            self.path,
            product,
            key,
        )


@dataclass(frozen=True)
class _Part:
    """Reads parts of a variable; opens the file anew, so that it can be sent to other processes."""

    file: Hdf5
    name: str

    def __call__(self, at: tuple[slice, ...]) -> np.ndarray:
        with self.file.opened() as group:
            return _dataset(group, self.name, self.file.path)[at]


def _dataset(group: "h5py.Group", name: str, path: Path) -> Any:
    import h5py

    is_inside = isinstance(group.get(name, getlink=True), h5py.HardLink)
    found: Any = group[name] if is_inside else None
    if (
        not isinstance(found, h5py.Dataset)
        or found.is_virtual
        or found.external
        or found.shape is None
    ):
        raise InputError(f"{name} of {path} is not stored in the file; give the file that has it")
    if found.chunks and np.prod(found.chunks, dtype=np.float64) > _LARGEST:
        raise InputError(f"{name} of {path} is stored in pieces of {found.chunks}; is it damaged?")
    return found


def _dimensions(found: Any, name: str, listed: Any) -> tuple[str, ...]:
    """Name the dimensions: by their scales, by a list in an attribute, or not at all."""
    if found.ndim == 1 and found.is_scale:
        return (name,)
    words = listed.split(",") if isinstance(listed, str) else []
    names = []
    for i, axis in enumerate(found.dims):
        if len(axis):
            names.append(str(axis[0].name).rsplit("/", 1)[-1].removeprefix("_nc4_non_coord_"))
        else:
            names.append(words[i].strip() if len(words) == found.ndim else f"dimension {i}")
    return tuple(names)


def _plain(value: Any) -> Any:
    """Give a text or a number; None for what is neither."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size == 1 else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return str(value)
    # The number keeps its type: a fill value of single precision is no double.
    return value if isinstance(value, np.number) else None
