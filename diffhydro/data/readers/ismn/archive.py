"""An archive of the network: a folder, a zip, or a single file; read, never unpacked.

Names of archives mean nothing. Inside, files are known by their own names, wherever they lie.
"""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from diffhydro.data.readers.ismn.names import PATTERN, STATIC, SUFFIX, Name, understood
from diffhydro.data.readers.ismn.zipped import MOST_BYTES, Zipped, readable, unzipped
from diffhydro.errors import InputError


@dataclass(frozen=True)
class Folder:
    """A folder with files of the network anywhere below it, or one file of it."""

    path: Path
    only: str = ""

    def names(self) -> Iterator[str]:
        """Yield the paths of all plain files; links to folders are not followed."""
        if self.only:
            yield self.only
            return
        for folder, _, files in os.walk(self.path):
            for file in files:
                if file.endswith((SUFFIX, STATIC)) and (Path(folder) / file).is_file():
                    yield (Path(folder) / file).relative_to(self.path).as_posix()

    def where(self, name: str) -> Path:
        """Say where a file lies, for messages."""
        return self.path / name

    def size(self, name: str) -> int:
        """Give a file's length."""
        return (self.path / name).stat().st_size

    def open(self, name: str) -> IO[bytes]:
        """Open a file for its bytes."""
        return (self.path / name).open("rb")


Archive = Folder | Zipped


@dataclass(frozen=True)
class Group:
    """Files of one station, and the path of its table, empty if it has none."""

    files: tuple[Name, ...]
    static: str


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open an archive, whatever it is."""
    if path.is_dir():
        yield Folder(path)
    elif not path.exists():
        raise InputError(f"no file or folder at {path}")
    elif path.suffix == SUFFIX and path.is_file():
        yield Folder(path.parent, path.name)
    elif path.suffix == ".zip" or zipfile.is_zipfile(path):
        with unzipped(path) as archive:
            yield archive
    else:
        raise InputError(
            f"{path} is no archive of the International Soil Moisture Network; expected a folder, "
            "a zip, or a file .stm"
        )


def read(archive: Archive, name: str) -> bytes:
    """Read a file whole."""
    with readable(archive.where(name)):
        size = archive.size(name)
        if size > MOST_BYTES:
            raise InputError(
                f"{archive.where(name)} has {size} bytes; expected at most {MOST_BYTES}"
            )
        with archive.open(name) as file:
            # As much as it says, not all there is: a member of a zip may hold far more.
            return file.read(size)


def head(archive: Archive, name: str, length: int) -> bytes:
    """Read the first bytes of a file."""
    with readable(archive.where(name)), archive.open(name) as file:
        return file.read(length)


def tail(archive: Archive, name: str, length: int) -> bytes:
    """Read the last bytes of a file."""
    with readable(archive.where(name)), archive.open(name) as file:
        file.seek(max(archive.size(name) - length, 0))
        return file.read(length)


def groups(archive: Archive, codes: frozenset[str]) -> tuple[Group, ...]:
    """Sort an archive's files by station, leaving out those of other variables.

    Args:
        codes: Of the variables that are wanted. What a file of a whole station holds is not known
            before it is read.
    """
    paths = {path for path in archive.names() if not _is_hidden(path)}
    found: dict[tuple[str, str], list[Name]] = {}
    for path in sorted(path for path in paths if path.endswith(SUFFIX)):
        name = understood(path)
        if not name:
            raise InputError(
                f"{archive.where(path)} is not named as the network names its files, {PATTERN}; "
                "what it measures is not known: rename or remove it"
            )
        if name.code is None or name.code in codes:
            found.setdefault((name.folder, name.prefix), []).append(name)
    return tuple(
        Group(tuple(names), names[0].static if names[0].static in paths else "")
        for names in found.values()
    )


def _is_hidden(path: str) -> bool:
    """Tell what systems leave behind, as macOS its `__MACOSX/._name`."""
    return any(part.startswith((".", "__")) for part in PurePosixPath(path).parts)
